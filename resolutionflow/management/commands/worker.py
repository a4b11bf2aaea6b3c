"""The background worker alone, for where the web runs apart: any number of them, on any machine."""

import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand

from resolutionflow.management.commands.serve import Worker, give_up_later, use_fast_loop
from resolutionflow.walls import role


class Command(BaseCommand):
    help = "Run the background worker without the web (for `serve --no-worker`, or daphne). Ctrl-C stops it."
    requires_system_checks = "__all__"

    def handle(self, **options: Any) -> None:
        role.refuse_to_serve()
        use_fast_loop()
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
        give_up_later()
        await worker.stop()
        self.stdout.write("Stopped.")
