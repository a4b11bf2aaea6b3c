"""The background worker alone, for where the web runs apart: any number of them, on any machine.

With METRICS_PORT it answers /metrics and /healthz there, as a web process does.
"""

import asyncio
import signal
import threading
from collections.abc import Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.core.management.base import BaseCommand
from django.db import connection
from django.http import HttpResponseNotFound

from resolutionflow.demo import people
from resolutionflow.management.commands.serve import Worker, complain_when_taken, give_up_later, use_fast_loop
from resolutionflow.probes import Probes
from resolutionflow.stopping import stopping
from resolutionflow.walls import role


class Command(BaseCommand):
    help = "Run the background worker without the web (for `serve --no-worker`, or daphne). Ctrl-C stops it."
    requires_system_checks = "__all__"

    def handle(self, **options: Any) -> None:
        role.refuse_to_serve()
        people.refuse_with_debug_off()
        use_fast_loop()
        if settings.METRICS_PORT:
            answer_probes(settings.HOST, settings.METRICS_PORT)
        asyncio.run(self.work())

    async def work(self) -> None:
        """Until SIGINT or SIGTERM. A database that went away is waited for."""
        loop = asyncio.get_running_loop()
        told_to_stop = asyncio.Event()
        for stop_signal in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(stop_signal, told_to_stop.set)
        self.stdout.write("The worker is at work; Ctrl-C stops it.")
        self.stdout.flush()
        worker = Worker()
        worker.start(loop)
        await told_to_stop.wait()
        stopping.begin()
        give_up_later()
        await worker.stop()
        self.stdout.write("Stopped.")


def answer_probes(host: str, port: int) -> None:
    """Listen for /metrics, /healthz and /readyz, in a thread of their own."""
    complain_when_taken(host, port)
    server = make_server(host, port, probed, handler_class=Quiet)
    threading.Thread(target=server.serve_forever, name="probes", daemon=True).start()


probes = Probes(lambda request: HttpResponseNotFound())


def probed(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """A WSGI application."""
    try:
        answer = probes(WSGIRequest(environ))
    finally:
        connection.close()
    start_response(f"{answer.status_code} {answer.reason_phrase}", list(answer.items()))
    return [answer.content]


class Quiet(WSGIRequestHandler):
    """Probes come every few seconds: no line for each."""

    timeout = 5  # seconds, for who connects and says nothing

    def log_message(self, *told: Any) -> None:
        pass
