"""Straight onto the socket, where the server lets us: written once, and never more than the client takes.

Nothing here is needed: on any other server `of` finds no wire, and frames go through the plain `send`, one task for
each socket.
"""

from collections.abc import Callable
from typing import Any, Protocol

from escalations.live.wire import daphne, uvicorn
from escalations.live.wire.frame import Frame

__all__ = ["Frame", "Wire", "of"]


class Wire(Protocol):
    """One open WebSocket."""

    @property
    def full(self) -> bool:
        """The client has not read what it has; whoever writes now fills the server's memory."""

    def write(self, text: str) -> None:
        """Hand `text` to the server. Never waits; after the close it does nothing."""


def of(send: Any, *, on_room: Callable[[], None]) -> Wire | None:
    """The wire below the server's own `send`; None if this server has none that we know how to hold.

    `on_room` is called whenever a wire that was full takes frames again.
    """
    return daphne.hold(send, on_room) or uvicorn.hold(send, on_room)
