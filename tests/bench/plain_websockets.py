"""What Python can do at best: `websockets.broadcast`, without sign-in, Django or a database.

`python -m tests.bench.plain_websockets PORT`. The path names the group: /<group>.
"""

import asyncio
import http
import json
import sys
from collections import defaultdict
from typing import Any

from websockets.asyncio.server import Request, Response, ServerConnection, broadcast, serve

from tests.bench import trigger

groups: dict[str, set[ServerConnection]] = defaultdict(set)


async def main() -> None:
    loop = asyncio.get_running_loop()

    def publish(group: str, frame: dict[str, Any]) -> None:
        loop.call_soon_threadsafe(lambda: broadcast(groups[group], json.dumps(frame)))

    trigger.listen(publish)
    async with serve(attend, "127.0.0.1", int(sys.argv[1]), process_request=health, compression=None) as server:
        await server.serve_forever()


async def attend(socket: ServerConnection) -> None:
    group = groups[socket.request.path.strip("/")]
    group.add(socket)
    try:
        await socket.send(json.dumps({"type": "ready", "cursor": 0}))
        await socket.wait_closed()
    finally:
        group.discard(socket)


def health(socket: ServerConnection, request: Request) -> Response | None:
    return socket.respond(http.HTTPStatus.OK, "ok") if request.path == "/healthz" else None


if __name__ == "__main__":
    try:
        import uvloop

        uvloop.run(main())
    except ImportError:
        asyncio.run(main())
