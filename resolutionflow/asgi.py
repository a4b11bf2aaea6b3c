"""Web and sockets of one process, for any ASGI server."""

import asyncio
import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resolutionflow.settings")
django.setup()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 after django.setup()
from channels.security.websocket import WebsocketDenier  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.urls import re_path  # noqa: E402

from escalations.live import hub, routing, transport  # noqa: E402
from resolutionflow import metrics, origins, postgres, walls  # noqa: E402
from resolutionflow.limits.gate import Gate  # noqa: E402
from resolutionflow.probes import PROBES  # noqa: E402
from resolutionflow.request_ids import RequestIds  # noqa: E402
from resolutionflow.stopping import AtHand  # noqa: E402

walls.serve()
if settings.EMBEDDED_POSTGRES:
    postgres.start(settings.EMBEDDED_POSTGRES)


class OwnPagesOnly:
    """Refuse sockets that another site's page opens. A browser always names the origin; programs have none."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await (WebsocketDenier() if _is_foreign(scope) else self.application)(scope, receive, send)


def _is_foreign(scope: Any) -> bool:
    """Apart from the call that lasts as long as the socket, which would keep all this in memory."""
    headers = dict(scope["headers"])
    origin = headers.get(b"origin")
    if origin is None:
        return False
    return not origins.is_own(origin.decode("latin1"), headers, sites=settings.SITES, plain=not settings.HTTPS)


class AtMost:
    """So many requests at a time; the others wait here, where they cost neither a thread nor a connection.

    Five hundred pages that come back at once would otherwise be five hundred threads in front of one pool.
    """

    def __init__(self, application: Any, count: int) -> None:
        self.application = application
        self.room = asyncio.Semaphore(count)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] in PROBES:  # who asks how a busy process is does not want to wait for its turn
            await self.application(scope, receive, send)
            return
        async with self.room:
            await self.application(scope, receive, send)


# The hub's readers ask the database whatever the pages do.
room = max(1, settings.DATABASE_POOL_SIZE - hub.READERS)
pages: Any = AtHand(AtMost(get_asgi_application(), room), count=metrics.count_request)
protocols = RequestIds(
    ProtocolTypeRouter(
        {
            "http": Gate(URLRouter([*routing.http_urlpatterns, re_path(r"", pages)])),
            "websocket": OwnPagesOnly(URLRouter(routing.websocket_urlpatterns)),
        }
    )
)


async def application(scope: Any, receive: Any, send: Any) -> None:
    transport.serve_from(asyncio.get_running_loop())
    scope["server_send"] = send  # before middleware wraps it: see live/wire/
    await protocols(scope, receive, send)
