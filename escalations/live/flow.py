"""Never more than the client takes: what Daphne's `send` leaves out, for a response without end.

Daphne's `send` returns at once and buffers without bound. Twisted, below it, tells whoever is registered as the
response's producer when its buffer is full. On any other server nothing is registered, and `send` itself waits.
"""

import asyncio
import functools
import logging
from typing import Any

log = logging.getLogger(__name__)

STUCK_SECONDS = 10.0


class Flow:
    """The room in one response's buffer. Twisted calls the methods that are named its way."""

    def __init__(self, send: Any) -> None:
        self._room = asyncio.Event()
        self._room.set()
        self._giving_up: asyncio.TimerHandle | None = None
        response = send.args[0] if isinstance(send, functools.partial) and send.args else None
        self._response = response if hasattr(response, "registerProducer") else None
        if self._response:
            self._response.registerProducer(self, True)

    async def has_room(self) -> None:
        """Wait until the client has read enough of what it was sent."""
        await self._room.wait()

    def end(self) -> None:
        """Let go of the response, which ends or has ended."""
        response, self._response = self._response, None
        self._stop_waiting()
        if response and getattr(response, "channel", None):
            response.unregisterProducer()

    def pauseProducing(self) -> None:
        """The buffer is full (64 KiB): the client does not read, which must not last."""
        self._room.clear()
        if self._giving_up is None:
            self._giving_up = asyncio.get_running_loop().call_later(STUCK_SECONDS, self._give_up)

    def resumeProducing(self) -> None:
        self._stop_waiting()
        self._room.set()

    def stopProducing(self) -> None:
        """The connection is gone."""
        self.end()

    def _stop_waiting(self) -> None:
        if self._giving_up:
            self._giving_up.cancel()
            self._giving_up = None

    def _give_up(self) -> None:
        log.info("Closing a stream whose client has read nothing for %s s.", STUCK_SECONDS)
        if self._response and getattr(self._response, "channel", None):
            self._response.transport.abortConnection()
