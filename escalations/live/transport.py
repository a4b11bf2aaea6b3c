"""From the thread that committed to the hub of every web process."""

import asyncio
import atexit
import concurrent.futures
import json
import logging
import threading
from collections.abc import Coroutine
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer

log = logging.getLogger(__name__)

LONGEST_SEND = 2.0  # seconds
_serving_loop: asyncio.AbstractEventLoop | None = None


def serve_from(loop: asyncio.AbstractEventLoop) -> None:
    """Name the event loop that serves this process's sockets; frames are sent from it."""
    global _serving_loop
    _serving_loop = loop


def publish(group: str, frame: dict[str, Any]) -> None:
    """Send one frame, encoded once, to everybody in `group`. Never raises and never waits."""
    message = {"type": "frame", "group": group, "cursor": frame.get("cursor"), "text": json.dumps(frame)}
    if _serving_loop and _serving_loop.is_running():
        asyncio.run_coroutine_threadsafe(_send(group, message), _serving_loop)
    elif not isinstance(get_channel_layer(), InMemoryChannelLayer):  # a worker or command apart from the web
        _outbox.put(_send(group, message))


async def _send(group: str, message: dict[str, Any]) -> None:
    layer = get_channel_layer()
    try:
        async with asyncio.timeout(LONGEST_SEND):
            await layer.group_send(group, message)
    except Exception as error:
        log.warning("A frame for %s was not sent (%r); heartbeats mend it.", group, error)


class Outbox:
    """An event loop in a thread of its own, which keeps the connection to Redis: what a worker or a command has to
    say goes out from there, in order, and no job waits for it. The process's end waits for the last of it."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting = threading.Lock()
        self._unsent: set[concurrent.futures.Future[None]] = set()

    def put(self, sending: Coroutine[Any, Any, None]) -> None:
        future = asyncio.run_coroutine_threadsafe(sending, self._running_loop())
        self._unsent.add(future)
        future.add_done_callback(self._unsent.discard)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="live-outbox", daemon=True).start()
                atexit.register(self._close, self._loop)
            return self._loop

    def _close(self, loop: asyncio.AbstractEventLoop) -> None:
        concurrent.futures.wait(set(self._unsent), timeout=LONGEST_SEND)
        closing = asyncio.run_coroutine_threadsafe(get_channel_layer().flush(), loop)
        concurrent.futures.wait([closing], timeout=LONGEST_SEND)
        loop.call_soon_threadsafe(loop.stop)


_outbox = Outbox()
