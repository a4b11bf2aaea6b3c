"""The consumer on a server whose wire we cannot hold: frames go through the plain `send`, one after the other."""

import asyncio
import json

import pytest
from asgiref.sync import sync_to_async
from autobahn.exception import Disconnected
from channels.exceptions import StopConsumer
from channels.testing import WebsocketCommunicator

from escalations.live import groups
from escalations.live.consumers import QueueConsumer
from escalations.live.hub import MAILBOX_SIZE, hub
from tests.cookies import cookie_header
from tests.serving import cookie_of

pytestmark = pytest.mark.django_db(transaction=True)


async def connected(ann) -> WebsocketCommunicator:
    cookie = await sync_to_async(cookie_of)(ann)
    headers = [(b"cookie", cookie_header(cookie).encode())]
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


@pytest.mark.parametrize("error", [Disconnected("gone"), ConnectionResetError(), RuntimeError("broken")])
def test_a_client_that_left_before_it_was_let_in_leaves_nothing_behind(ann, error, settings):
    settings.SOCKETS_PER_USER = 1

    async def scene():
        cookie = await sync_to_async(cookie_of)(ann)
        consumer = QueueConsumer()
        consumer.scope = {"headers": [(b"cookie", cookie_header(cookie).encode())]}

        async def send(message):
            if message["type"] == "websocket.send":
                assert consumer.place
                assert consumer.mailbox in hub._topics[groups.queue_of(ann.account_id)].sockets
                raise error

        consumer.base_send = send
        with pytest.raises(RuntimeError if type(error) is RuntimeError else StopConsumer):
            await consumer.websocket_connect({"type": "websocket.connect"})
        assert consumer.place is None
        assert groups.queue_of(ann.account_id) not in hub._topics
        await (await connected(ann)).disconnect()

    asyncio.run(scene())
