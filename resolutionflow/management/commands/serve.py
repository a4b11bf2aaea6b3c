"""Web and background worker in one process: what `make demo` ends in.

Ends cleanly on SIGINT and SIGTERM: the worker finishes the jobs at hand or puts them back, then the listener closes.
"""

import asyncio
import logging
import os
import signal
import socket
import threading
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.core.management.base import BaseCommand
from django.test import RequestFactory
from procrastinate import App
from procrastinate.contrib.django import app as jobs
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import ConnectorException
from psycopg import OperationalError

from escalations import thinking
from resolutionflow import postgres
from resolutionflow.walls import role

log = logging.getLogger("resolutionflow.serve")

JOBS_AT_ONCE = 24  # most of them wait for a model
LAST_JOBS_SECONDS = 4.0
STOP_SECONDS = 8.0  # a supervisor kills after ten
PAUSE_SECONDS = 1.0


def use_fast_loop() -> str:
    """Install uvloop where there is one; before daphne is imported, because it makes its loop then."""
    try:
        import uvloop
    except ImportError:
        return "asyncio"
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    return "uvloop"


def port_number(value: str) -> int:
    if not value.isdecimal() or not 1 <= int(value) <= 65535:
        raise ArgumentTypeError("must be a port from 1 to 65535")
    return int(value)


class Command(BaseCommand):
    help = "Run the web server and the background worker in one process (--no-worker: the web alone)."
    requires_system_checks = "__all__"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST)
        parser.add_argument("--port", type=port_number, default=settings.PORT)
        parser.add_argument("--no-worker", action="store_true", help="leave the jobs to workers that run apart")

    def handle(self, *, host: str, port: int, no_worker: bool, **options: Any) -> None:
        complain_when_taken(host, port)
        role.refuse_to_serve()
        loop_name = use_fast_loop()
        from daphne.server import Server

        from resolutionflow.asgi import application

        warm_up()
        worker = None if no_worker else Worker()

        def come_up() -> None:
            loop = asyncio.get_event_loop()
            stop = Stop(loop, worker, server.stop)
            for stop_signal in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(stop_signal, stop.begin)
            if worker:
                worker.start(loop)
            self.stdout.write(f"ResolutionFlow is at http://{in_brackets(host)}:{port}  ({loop_name}; Ctrl-C stops it)")
            self.stdout.flush()

        server = Server(
            application=application,
            endpoints=[f"tcp:port={port}:interface={escaped(host)}"],
            signal_handlers=False,
            ready_callable=come_up,
            verbosity=0,
            server_name="ResolutionFlow",
        )
        server.run()
        if not server.listening_addresses:
            raise SystemExit(f"Could not listen on {in_brackets(host)}:{port}.")
        self.stdout.write("Stopped.")


class Stop:
    """The way down, once, however many signals come."""

    def __init__(self, loop: asyncio.AbstractEventLoop, worker: "Worker | None", stop_server: Callable[[], None]):
        self.loop, self.worker, self.stop_server = loop, worker, stop_server
        self.task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        if self.task is None:
            give_up_later()
            self.task = self.loop.create_task(self._stop())

    async def _stop(self) -> None:
        if self.worker:
            await self.worker.stop()
        self.stop_server()


def give_up_later() -> None:
    """End the process in STOP_SECONDS whatever hangs: Python would wait for every thread, even one that asks a model
    which never answers. Its job is put back by then."""

    def give_up() -> None:
        postgres.leave(settings.DATA_DIR)
        os._exit(0)

    timer = threading.Timer(STOP_SECONDS, give_up)
    timer.daemon = True
    timer.start()


class Worker:
    """The jobs' worker on the web server's own loop, so that a job starts milliseconds after its commit."""

    def __init__(self) -> None:
        # An app of its own: views go on deferring through Django's connection, in their own transactions.
        connector = cast(DjangoConnector, jobs.connector).get_worker_connector()
        self.app = App(connector=connector, worker_defaults=jobs.worker_defaults)
        self.app.tasks = jobs.tasks
        self.app.periodic_registry = jobs.periodic_registry
        self.task: asyncio.Task[None] | None = None
        self.stopping = False

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        thinking.warm_up()
        self.task = loop.create_task(self._run())

    async def stop(self) -> None:
        self.stopping = True
        if self.task and not self.task.done():
            self.task.cancel()
            await asyncio.wait([self.task], timeout=LAST_JOBS_SECONDS + 2)

    async def _run(self) -> None:
        """Work until cancelled. A database that went away ends procrastinate's worker, with an error or without: begin
        again until it is back."""
        while not self.stopping:
            try:
                async with self.app.open_async():
                    await self.app.run_worker_async(
                        concurrency=JOBS_AT_ONCE,
                        install_signal_handlers=False,
                        shutdown_graceful_timeout=LAST_JOBS_SECONDS,
                    )
            except (ConnectorException, OperationalError) as error:
                log.warning("The worker's database does not answer (%s); trying again.", " ".join(str(error).split()))
            except Exception:
                log.exception("The worker failed; trying again.")
            await asyncio.sleep(PAUSE_SECONDS)


def warm_up() -> None:
    """Load the URLconf, the API and the templates: the first request would wait 0.6 s for them."""
    from resolutionflow.pages import healthz
    from resolutionflow.urls import urlpatterns

    healthz(RequestFactory().get("/healthz", HTTP_HOST=settings.ALLOWED_HOSTS[0] if settings.ALLOWED_HOSTS else "x"))
    log.debug("%d addresses", len(urlpatterns))


def in_brackets(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def escaped(host: str) -> str:
    """As Twisted's description of an endpoint wants it."""
    return host.replace(":", r"\:")


def complain_when_taken(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SystemExit(
                f"Cannot listen on {in_brackets(host)}:{port} ({error.strerror}). PORT=8001 would take another."
            ) from None
