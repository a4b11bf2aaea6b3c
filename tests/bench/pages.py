"""Many clients that fetch one page, as light as Python can; used in the crowd's process."""

import asyncio
import time
from typing import Any

from tests.cookies import cookie_header


async def fetch(*, port: int, path: str, cookies: list[str], clients: int, each: int = 1) -> dict[str, Any]:
    """Let `clients` keep-alive connections fetch `path` so many times each, all at once; how long the whole took.

    A client that is answered with a 503 asks again, as a page would; `refused` counts those answers.
    """
    opened = [await asyncio.open_connection("127.0.0.1", port, limit=2**20) for _ in range(clients)]
    began = time.perf_counter()
    told = await asyncio.gather(
        *[
            _client(reader, writer, _request(path, cookies[number % len(cookies)]), each)
            for number, (reader, writer) in enumerate(opened)
        ]
    )
    seconds = time.perf_counter() - began
    for _, writer in opened:
        writer.close()
    return {"seconds": seconds, "refused": sum(told)}


async def _client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, each: int) -> int:
    """Fetch until there were `each` good answers; how many were not."""
    good = refused = 0
    while good < each:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 503")), head
        size = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        await reader.readexactly(size)
        good += head.startswith(b"HTTP/1.1 200")
        refused += not head.startswith(b"HTTP/1.1 200")
    return refused


def _request(path: str, cookie: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie_header(cookie)}\r\n\r\n".encode()
