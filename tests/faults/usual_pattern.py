"""The product's web with the queue's socket as the Channels tutorial has it: every consumer joins the group.

`python -m tests.faults.usual_pattern`, for the comparison in docs/faults.md.
"""

import os
from typing import Any


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resolutionflow.settings")
    import django

    django.setup()
    from channels.auth import AuthMiddlewareStack
    from channels.generic.websocket import AsyncWebsocketConsumer
    from django.core.management import call_command

    from escalations.live import consumers, groups

    class QueueConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
        @classmethod
        def as_asgi(cls) -> Any:
            return AuthMiddlewareStack(super().as_asgi())

        async def connect(self) -> None:
            self.group = groups.queue_of(self.scope["user"].account_id)
            await self.channel_layer.group_add(self.group, self.channel_name)
            await self.accept()

        async def disconnect(self, code: int) -> None:
            await self.channel_layer.group_discard(self.group, self.channel_name)

        async def frame(self, event: dict[str, Any]) -> None:
            await self.send(text_data=event["text"])

    consumers.QueueConsumer = QueueConsumer  # type: ignore[misc, assignment] before the routing takes it
    call_command("serve", "--no-worker")


if __name__ == "__main__":
    main()
