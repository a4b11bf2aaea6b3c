"""The product's web with the queue's socket as the Channels tutorial has it: every consumer joins the group.

`python -m tests.faults.usual_pattern`, for the comparison in docs/faults.md.
"""

import os
from typing import Any


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resolutionflow.settings")
    import django

    django.setup()
    from channels.generic.websocket import AsyncWebsocketConsumer
    from django.core.management import call_command

    from escalations.live import consumers, groups
    from escalations.live.hub import read
    from resolutionflow.accounts.admission import signed_in

    class QueueConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
        async def connect(self) -> None:
            cookies: bytes = dict(self.scope["headers"])[b"cookie"]
            user, _ = await read(signed_in, cookies.decode())
            self.group = groups.queue_of(user.account_id)
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
