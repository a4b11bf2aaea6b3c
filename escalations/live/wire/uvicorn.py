"""The wire below uvicorn: asyncio's own transport, which asks its protocol for pauses."""

import asyncio
import logging
import socket
import struct
from collections.abc import Callable
from typing import Any

from django.conf import settings

from escalations.live.wire.frame import bytes_of

log = logging.getLogger(__name__)

WANTED_OF_PROTOCOL = ("transport", "conn", "writable", "handshake_complete", "close_sent", "disconnected")
WANTED_OF_TRANSPORT = ("write", "abort", "get_extra_info")
AT_ONCE = struct.pack("ii", 1, 0)


def hold(send: Any, on_room: Callable[[], None]) -> "UvicornWire | None":
    """The wire, if `send` is the method of a protocol that looks like uvicorn's, without compression."""
    protocol: Any = getattr(send, "__self__", None)
    if not all(hasattr(protocol, name) for name in WANTED_OF_PROTOCOL):
        return None
    if not all(hasattr(protocol.transport, name) for name in WANTED_OF_TRANSPORT):
        return None
    if getattr(protocol.conn, "extensions", None) != []:
        return None
    return UvicornWire(protocol, on_room)


class UvicornWire:
    """One WebSocket under uvicorn, whose `writable` is unset while 64 KiB wait to be sent."""

    __slots__ = ("_on_room", "_protocol", "_waiting")

    def __init__(self, protocol: Any, on_room: Callable[[], None]) -> None:
        self._protocol = protocol
        self._on_room = on_room
        self._waiting: asyncio.Task[None] | None = None

    @property
    def full(self) -> bool:
        return not self._protocol.writable.is_set()

    def write(self, text: str) -> None:
        protocol = self._protocol
        if protocol.close_sent or protocol.disconnected or not protocol.handshake_complete:
            return
        protocol.transport.write(bytes_of(text))
        if self.full and self._waiting is None:
            self._waiting = asyncio.get_running_loop().create_task(self._until_room())

    async def _until_room(self) -> None:
        try:
            async with asyncio.timeout(settings.STUCK_CLIENT_SECONDS):
                await self._protocol.writable.wait()
        except TimeoutError:
            log.info("Closing a socket whose client has read nothing for %s s.", settings.STUCK_CLIENT_SECONDS)
            self._give_up()
        else:
            self._waiting = None
            self._on_room()

    def _give_up(self) -> None:
        """Reset the connection: merely closed, it would leave what nobody reads to the system for minutes."""
        transport = self._protocol.transport
        if connection := transport.get_extra_info("socket"):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        transport.abort()
