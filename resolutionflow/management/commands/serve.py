"""Web and background worker in one process: what `make demo` ends in.

Ends cleanly on SIGINT and SIGTERM: the worker finishes the job at hand, then the listener closes.
"""

import asyncio
import logging
import os
import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.test import RequestFactory
from procrastinate import App
from procrastinate.contrib.django import app as jobs

log = logging.getLogger("resolutionflow.serve")

JOBS_AT_ONCE = 8
LAST_JOBS_SECONDS = 5.0


def use_fast_loop() -> str:
    """Install uvloop where there is one; before daphne is imported, because it makes its loop then."""
    try:
        import uvloop
    except ImportError:
        return "asyncio"
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    return "uvloop"


class Command(BaseCommand):
    help = "Run the web server and the background worker in one process (--no-worker: the web alone)."
    requires_system_checks = "__all__"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=os.environ.get("HOST") or "127.0.0.1")
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000))
        parser.add_argument("--no-worker", action="store_true", help="leave the jobs to workers that run apart")

    def handle(self, *, host: str, port: int, no_worker: bool, **options: Any) -> None:
        loop_name = use_fast_loop()
        from daphne.server import Server

        from resolutionflow.asgi import application

        warm_up()
        worker = None if no_worker else Worker()

        def announce_start() -> None:
            loop = asyncio.get_event_loop()
            for stop_signal in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(stop_signal, lambda: loop.create_task(stop()))
            if worker:
                worker.start(loop)

        async def stop() -> None:
            if worker:
                await worker.stop()
            server.stop()

        server = Server(
            application=application,
            endpoints=[f"tcp:port={port}:interface={_bracketed(host)}"],
            signal_handlers=False,
            ready_callable=announce_start,
            verbosity=0,
            server_name="ResolutionFlow",
        )
        _complain_when_taken(host, port)
        self.stdout.write(f"ResolutionFlow is at http://{host}:{port}  ({loop_name}; Ctrl-C stops it)")
        self.stdout.flush()
        server.run()
        self.stdout.write("Stopped.")


class Worker:
    """The jobs' worker on the web server's own loop, so that a job starts milliseconds after its commit."""

    def __init__(self) -> None:
        # An app of its own: views go on deferring through Django's connection, in their own transactions.
        self.app = App(connector=jobs.connector.get_worker_connector(), worker_defaults=jobs.worker_defaults)
        self.app.tasks = jobs.tasks
        self.app.periodic_registry = jobs.periodic_registry
        self.task: asyncio.Task[None] | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self.task = loop.create_task(self._run())

    async def stop(self) -> None:
        if self.task and not self.task.done():
            self.task.cancel()
            await asyncio.wait([self.task], timeout=2 * LAST_JOBS_SECONDS)

    async def _run(self) -> None:
        """Work until cancelled; a database that went away is waited for."""
        while True:
            try:
                async with self.app.open_async():
                    await self.app.run_worker_async(
                        concurrency=JOBS_AT_ONCE,
                        install_signal_handlers=False,
                        shutdown_graceful_timeout=LAST_JOBS_SECONDS,
                    )
                return
            except asyncio.CancelledError:
                raise
            except Exception:
                log.warning("The worker lost its database; trying again in 2 s.", exc_info=True)
                await asyncio.sleep(2)


def warm_up() -> None:
    """Load the URLconf, the API and the templates: the first request would wait 0.6 s for them."""
    from resolutionflow.pages import healthz
    from resolutionflow.urls import urlpatterns

    healthz(RequestFactory().get("/healthz", HTTP_HOST=settings.ALLOWED_HOSTS[0] if settings.ALLOWED_HOSTS else "x"))
    log.debug("%d addresses", len(urlpatterns))


def _bracketed(host: str) -> str:
    return host.replace(":", r"\:")


def _complain_when_taken(host: str, port: int) -> None:
    import socket

    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SystemExit(
                f"Cannot listen on {host}:{port} ({error.strerror}). PORT=8001 would take another."
            ) from None
