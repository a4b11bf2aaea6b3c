"""From the thread that committed to the hub of every web process."""

import asyncio
import json
import logging
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import InMemoryChannelLayer, get_channel_layer

log = logging.getLogger(__name__)

LONGEST_SEND = 2.0  # seconds
_serving_loop: asyncio.AbstractEventLoop | None = None


def serve_from(loop: asyncio.AbstractEventLoop) -> None:
    """Name the event loop that serves this process's sockets; frames are sent from it."""
    global _serving_loop
    _serving_loop = loop


def publish(group: str, frame: dict[str, Any]) -> None:
    """Send one frame, encoded once, to everybody in `group`. Never raises, and in a web process never waits."""
    message = {"type": "frame", "group": group, "cursor": frame.get("cursor"), "text": json.dumps(frame)}
    if _serving_loop and _serving_loop.is_running():
        asyncio.run_coroutine_threadsafe(_send(group, message), _serving_loop)
    elif not isinstance(get_channel_layer(), InMemoryChannelLayer):  # a worker or command apart from the web
        async_to_sync(_send)(group, message)


async def _send(group: str, message: dict[str, Any]) -> None:
    layer = get_channel_layer()
    try:
        async with asyncio.timeout(LONGEST_SEND):
            await layer.group_send(group, message)
    except Exception:
        log.warning("A frame for %s was not sent; heartbeats mend it.", group, exc_info=True)
