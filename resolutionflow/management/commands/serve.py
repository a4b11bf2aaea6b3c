"""Web and background worker in one process: what `make demo` ends in.

Ends cleanly on SIGINT and SIGTERM. The worker finishes the jobs at hand or puts them back. The web first says so on
/readyz and goes on for STOP_DRAIN_SECONDS; then it listens no more, tells its sockets and streams to come back
elsewhere, each after a random part of STOP_SPREAD_SECONDS, and finishes the requests at hand. SIGINT, which is Ctrl-C,
leaves out both.
"""

import asyncio
import logging
import os
import signal
import socket
import threading
from argparse import ArgumentParser, ArgumentTypeError
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
from escalations.live.doors import doors
from resolutionflow import postgres
from resolutionflow.demo import people
from resolutionflow.stopping import stopping
from resolutionflow.walls import role

log = logging.getLogger("resolutionflow.serve")

JOBS_AT_ONCE = 24  # most of them wait for a model
LAST_JOBS_SECONDS = 4.0
LAST_REQUESTS_SECONDS = 4.0  # of a process that hurries; else as long as a question to the database may take
LONGEST_REQUEST_SECONDS = 20.0
STOP_SECONDS = 8.0  # beyond what it waits for on purpose; a supervisor that knows nothing kills after ten
PAUSE_SECONDS = 1.0
MOST_HEARD = 4096  # bytes in one frame to a socket; our pages send none. A message's limit would hold for ours, too


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
        people.refuse_with_debug_off()
        loop_name = use_fast_loop()
        from daphne.server import Server

        from resolutionflow import connections
        from resolutionflow.asgi import application

        connections.install()
        warm_up()
        worker = None if no_worker else Worker()

        def come_up() -> None:
            loop = asyncio.get_event_loop()
            stop = Stop(loop, worker, server)
            loop.add_signal_handler(signal.SIGTERM, stop.begin)
            loop.add_signal_handler(signal.SIGINT, stop.begin, True)
            if worker:
                worker.start(loop)
            self.stdout.write(f"ResolutionFlow is at http://{in_brackets(host)}:{port}  ({loop_name}; Ctrl-C stops it)")
            self.stdout.flush()

        server = listening(Server)(
            application=application,
            endpoints=[f"tcp:port={port}:interface={escaped(host)}"],
            signal_handlers=False,
            ready_callable=come_up,
            verbosity=0,
            websocket_max_frame_size=MOST_HEARD,
            server_name="ResolutionFlow",
        )
        server.run()
        if not server.listening_addresses:
            raise SystemExit(f"Could not listen on {in_brackets(host)}:{port}.")
        self.stdout.write("Stopped.")


def listening(server: Any) -> Any:
    """Daphne's server, which keeps the `ports` that it listens on, so that it can leave off before it stops."""

    class Listening(server):  # type: ignore[misc]
        def run(self) -> None:
            self.ports: list[Any] = []
            super().run()

        def listen_success(self, port: Any) -> None:
            self.ports.append(port)
            super().listen_success(port)

    return Listening


class Stop:
    """The way down, once, however many signals come."""

    def __init__(self, loop: asyncio.AbstractEventLoop, worker: "Worker | None", server: Any) -> None:
        self.loop, self.worker, self.server = loop, worker, server
        self.task: asyncio.Task[None] | None = None

    def begin(self, hurry: bool = False) -> None:
        if self.task is None:
            drain, spread = (0.0, 0.0) if hurry else (settings.STOP_DRAIN_SECONDS, settings.STOP_SPREAD_SECONDS)
            requests = LONGEST_REQUEST_SECONDS if drain else LAST_REQUESTS_SECONDS
            give_up_later(drain + spread + (requests if drain else 0))
            self.task = self.loop.create_task(self._stop(drain, spread, requests))

    async def _stop(self, drain: float, spread: float, requests: float) -> None:
        stopping.begin()
        ways = self._stop_web(drain, spread, requests), self._stop_worker()
        for problem in await asyncio.gather(*ways, return_exceptions=True):
            if problem:
                log.error("The stop was less graceful than it should be.", exc_info=problem)
        self.server.stop()

    async def _stop_web(self, drain: float, spread: float, requests: float) -> None:
        await asyncio.sleep(drain)
        for port in self.server.ports:
            port.stopListening()
        await doors.close(over=spread)
        if not await stopping.requests_end(within=requests):
            log.warning("%d requests are cut off: they took longer than %g s.", stopping.requests, requests)

    async def _stop_worker(self) -> None:
        if self.worker:
            await self.worker.stop()


def give_up_later(on_purpose: float = 0) -> None:
    """End the process STOP_SECONDS after what it waits for on purpose, whatever hangs: Python would wait for every
    thread, even one that asks a model which never answers. Its job is put back by then."""

    def give_up() -> None:
        postgres.leave(settings.DATA_DIR)
        os._exit(0)

    timer = threading.Timer(on_purpose + STOP_SECONDS, give_up)
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
    from resolutionflow.probes import healthz
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
