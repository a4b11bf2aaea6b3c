"""The consumer on a server whose wire we cannot hold: frames go through the plain `send`, one after the other."""

import asyncio
import json

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings

from escalations.live import groups
from escalations.live.consumers import QueueConsumer
from escalations.live.hub import MAILBOX_SIZE, hub
from tests.serving import cookie_of

pytestmark = pytest.mark.django_db(transaction=True)


async def connected(ann) -> WebsocketCommunicator:
    cookie = await sync_to_async(cookie_of)(ann)
    headers = [(b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode())]
    socket = WebsocketCommunicator(QueueConsumer.as_asgi(), "/ws/queue/", headers)
    assert (await socket.connect())[0]
    assert json.loads(await socket.receive_from()) == {"type": "ready", "cursor": 0}
    return socket


def test_frames_arrive_in_order_without_a_wire(ann):
    async def scene():
        socket = await connected(ann)
        topic = hub._topics[groups.queue_of(ann.account_id)]
        for cursor in range(1, 6):
            topic.deliver(cursor, f"frame {cursor}")
        assert [await socket.receive_from() for _ in range(5)] == [f"frame {cursor}" for cursor in range(1, 6)]
        await socket.disconnect()

    asyncio.run(scene())


def test_a_flood_becomes_one_ready_without_a_wire(ann):
    async def scene():
        socket = await connected(ann)
        topic = hub._topics[groups.queue_of(ann.account_id)]
        for cursor in range(1, MAILBOX_SIZE + 2):
            topic.deliver(cursor, f"frame {cursor}")
        assert json.loads(await socket.receive_from()) == {"type": "ready", "cursor": MAILBOX_SIZE + 1}
        assert await socket.receive_nothing()
        await socket.disconnect()

    asyncio.run(scene())
