"""The wire below Daphne.

Daphne's `send` returns at once and buffers without bound: a client that reads nothing costs its whole history in
memory. Twisted, below it, says when its buffer is full to whoever is registered as the producer of the connection,
and takes bytes that are framed already, so that a frame for 500 sockets is encoded once.
"""

import asyncio
import functools
import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings

from escalations.live.wire.frame import bytes_of

log = logging.getLogger(__name__)

WANTED_OF_PROTOCOL = ("state", "STATE_OPEN", "transport", "sendMessage", "websocket_extensions_in_use", "send_queue")
WANTED_OF_TRANSPORT = ("write", "registerProducer", "unregisterProducer", "abortConnection")


def hold(send: Any, on_room: Callable[[], None]) -> "DaphneWire | None":
    """The wire, if `send` belongs to a protocol and a transport that look like Daphne's and Twisted's."""
    protocol: Any = send.args[0] if isinstance(send, functools.partial) and send.args else None
    if not all(hasattr(protocol, name) for name in WANTED_OF_PROTOCOL):
        return None
    if not all(hasattr(protocol.transport, name) for name in WANTED_OF_TRANSPORT):
        return None
    wire = DaphneWire(protocol, on_room)
    protocol.transport.unregisterProducer()  # that was the HTTP request which the handshake came in
    protocol.transport.registerProducer(wire, True)
    return wire


class DaphneWire:
    """One WebSocket under Daphne. Twisted calls the three methods that are named its way."""

    __slots__ = ("_compressed", "_giving_up", "_in_this_turn", "_on_room", "_protocol", "_transport", "full")

    def __init__(self, protocol: Any, on_room: Callable[[], None]) -> None:
        self.full = False
        self._protocol = protocol
        self._transport = protocol.transport
        self._on_room = on_room
        self._compressed = bool(protocol.websocket_extensions_in_use)
        # Left to itself Twisted sends in the loop's next turn, which costs as much again. TLS has no such method.
        self._in_this_turn = hasattr(self._transport, "doWrite")
        self._giving_up: asyncio.TimerHandle | None = None

    def write(self, text: str) -> None:
        protocol = self._protocol
        if protocol.state != protocol.STATE_OPEN:
            return
        if self._compressed or protocol.send_queue:
            protocol.sendMessage(text.encode(), False)
        else:
            self._transport.write(bytes_of(text))
            if self._in_this_turn:
                self._transport.doWrite()

    def pauseProducing(self) -> None:
        """The server's buffer is full (64 KiB), so the client does not read; that must not last."""
        self.full = True
        if self._giving_up is None:
            patience = settings.STUCK_CLIENT_SECONDS
            self._giving_up = asyncio.get_running_loop().call_later(patience, self._give_up)

    def resumeProducing(self) -> None:
        self._stop_waiting()
        self.full = False
        self._on_room()

    def stopProducing(self) -> None:
        """The connection is gone."""
        self._stop_waiting()
        self.full = True

    def _stop_waiting(self) -> None:
        if self._giving_up:
            self._giving_up.cancel()
            self._giving_up = None

    def _give_up(self) -> None:
        log.info("Closing a socket whose client has read nothing for %s s.", settings.STUCK_CLIENT_SECONDS)
        self._giving_up = None
        self._transport.abortConnection()
