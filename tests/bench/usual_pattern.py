"""The pattern of the Channels tutorial on Daphne, as a baseline: every consumer joins the group and encodes for itself.

`python -m tests.bench.usual_pattern PORT`: the same database, sign-in and frames as the product.
"""

import asyncio
import os
import sys
from typing import Any


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resolutionflow.settings")
    from daphne.server import Server  # before django.setup(), because it makes its loop when imported

    Server(
        application=application(), endpoints=[f"tcp:port={sys.argv[1]}:interface=127.0.0.1"], ready_callable=listen
    ).run()


def application() -> Any:
    import django

    django.setup()
    from channels.auth import AuthMiddlewareStack
    from channels.generic.websocket import AsyncJsonWebsocketConsumer
    from channels.routing import ProtocolTypeRouter, URLRouter
    from django.core.asgi import get_asgi_application
    from django.urls import path

    from escalations.live import groups

    class QueueConsumer(AsyncJsonWebsocketConsumer):
        async def connect(self) -> None:
            self.group = groups.queue_of(self.scope["user"].account_id)  # the benchmark's sockets are signed in
            await self.channel_layer.group_add(self.group, self.channel_name)
            await self.accept()
            await self.send_json({"type": "ready", "cursor": 0})

        async def disconnect(self, code: int) -> None:
            await self.channel_layer.group_discard(self.group, self.channel_name)

        async def queue_event(self, event: dict[str, Any]) -> None:
            await self.send_json(event["frame"])

    sockets = AuthMiddlewareStack(URLRouter([path("ws/queue/", QueueConsumer.as_asgi())]))
    return ProtocolTypeRouter({"http": get_asgi_application(), "websocket": sockets})


def listen() -> None:
    from channels.layers import get_channel_layer

    from tests.bench import trigger
    from tests.bench.serve_with_trigger import sleep_in_the_database

    loop = asyncio.get_event_loop()

    def publish(group: str, frame: dict[str, Any]) -> None:
        sending = get_channel_layer().group_send(group, {"type": "queue.event", "frame": frame})
        asyncio.run_coroutine_threadsafe(sending, loop).result()

    trigger.listen(publish, lambda order: sleep_in_the_database(loop, **order))


if __name__ == "__main__":
    main()
