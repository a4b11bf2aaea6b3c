"""Every request has an id: the one that a proxy or a program gave it, else a new one.

It stands in the answer's `X-Request-ID`, in what is logged meanwhile, and on the page that says that something failed.
"""

import logging
import re
import time
import uuid
from typing import Any

from resolutionflow import logs

log = logging.getLogger("resolutionflow.requests")

HEADER = b"x-request-id"
SANE = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class RequestIds:
    """Around all that is served. A socket lasts: nothing is wrapped there that it would keep in memory."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            send = Named(scope, send, _begin(scope)).send
        elif scope["type"] == "websocket":
            _begin(scope)
        await self.application(scope, receive, send)


def _begin(scope: Any) -> bytes:
    """The id that was sent along, if it can be one and nothing else."""
    told = next((value for name, value in scope["headers"] if name == HEADER), b"")
    named: bytes = told if SANE.fullmatch(told) else uuid.uuid4().hex.encode()
    logs.begin(request=named.decode())
    return named


class Named:
    """Gives the id along with the answer, and notes how the request went."""

    def __init__(self, scope: Any, send: Any, name: bytes) -> None:
        self.scope = scope
        self._send = send
        self._name = name
        self._began = time.monotonic()
        self._status = 0

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            message = {**message, "headers": [*message.get("headers", ()), (HEADER, self._name)]}
        elif message["type"] == "http.response.body" and not message.get("more_body"):
            took = (time.monotonic() - self._began) * 1000
            log.info("%s %s %s, %.0f ms", self.scope["method"], self.scope["path"], self._status, took)
        await self._send(message)
