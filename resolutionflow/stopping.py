"""Whether this process is on its way down, and how many requests it still has at hand."""

import asyncio
import time
from typing import Any


class Stopping:
    """Of this process. `begin` may come from any thread; the rest belongs to the event loop."""

    def __init__(self) -> None:
        self.has_begun = False
        self.requests = 0

    def begin(self) -> None:
        """From now on /readyz says so, and every answer asks the client to come back on another connection."""
        self.has_begun = True

    async def requests_end(self, *, within: float) -> bool:
        """Wait until no request is at hand any more; False if some still are after so many seconds."""
        until = time.monotonic() + within
        while self.requests and time.monotonic() < until:
            await asyncio.sleep(0.05)
        return not self.requests


stopping = Stopping()


class AtHand:
    """ASGI: counts the requests that are being answered. While the process stops, each answer ends its connection."""

    def __init__(self, application: Any, *, count: Any) -> None:
        """`count(path, status, seconds)` hears of every answer that has ended."""
        self.application = application
        self.count = count

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        began = time.perf_counter()
        status = 0  # the client left before there was an answer

        async def note(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if stopping.has_begun:
                    message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        stopping.requests += 1
        try:
            await self.application(scope, receive, note)
        finally:
            stopping.requests -= 1
            self.count(scope["path"], status, time.perf_counter() - began)
