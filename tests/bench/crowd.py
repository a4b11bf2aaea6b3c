"""Many sockets in a process of their own, as light as Python can: `python -m tests.bench.crowd`.

It obeys JSON lines: `open` sockets and wait until each is ready, `collect` so many frames from each, `close`. Every
frame is compared with the one that the others got at the same place; strangers (another account) must get none.
"""

import asyncio
import json
import os
import sys
import time
from functools import partial
from typing import Any

from tests.bench import pages
from tests.cookies import cookie_header

AT_ONCE = 50
OWN_FRAMES = (b'{"type": "heartbeat"', b'{"type": "ready"')


class Crowd:
    """The sockets that are compared, and what they got since the last `collect`."""

    def __init__(self) -> None:
        self.members: list[Member] = []
        self.strangers: list[Member] = []
        self.reference: list[bytes] = []
        self.arrivals: list[list[float]] = []
        self.wrong = 0
        self.overflows = 0
        self.missing = 0
        self.complete = asyncio.Event()

    def arrived(self, place: int, payload: bytes, at: float) -> None:
        if place == len(self.reference):
            self.reference.append(payload)
            self.arrivals.append([])
        if self.reference[place] != payload:
            self.wrong += 1
        self.arrivals[place].append(at)
        self.missing -= 1
        if not self.missing:
            self.complete.set()

    async def open(self, *, port: int, path: str, cookies: list[str], count: int, stranger: bool = False) -> int:
        loop = asyncio.get_running_loop()
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(number: int) -> Member:
            async with limit:
                cookie = cookies[number % len(cookies)]
                make = partial(Member, self, path, cookie, stranger)
                _, member = await loop.create_connection(make, "127.0.0.1", port)
                await asyncio.wait_for(member.ready, 60)
                return member

        opened = await asyncio.gather(*[one(number) for number in range(count)])
        (self.strangers if stranger else self.members).extend(opened)
        return len(opened)

    async def collect(self, *, frames: int, seconds: float) -> dict[str, Any]:
        """Wait until every member has `frames` frames; tell what they were and when each arrived at each."""
        self.missing += frames * len(self.members)
        self.complete.clear()
        if self.missing:
            await asyncio.wait_for(self.complete.wait(), seconds)
        told = {
            "frames": [payload.decode() for payload in self.reference],
            "arrivals": self.arrivals,
            "wrong": self.wrong,
            "overflows": self.overflows,
            "lost": sum(member.lost for member in self.members),
            "strangers_got": sum(member.place for member in self.strangers),
        }
        self.reference, self.arrivals = [], []
        for member in self.members:
            member.place = 0
        return told

    async def fetch(self, **arguments: Any) -> dict[str, Any]:
        return await pages.fetch(**arguments)

    async def close(self) -> int:
        for member in self.members + self.strangers:
            member.transport.abort()
        self.members, self.strangers = [], []
        self.missing = 0
        await asyncio.sleep(0.2)
        return 0


class Member(asyncio.Protocol):
    """One socket: handshake, frames, an answer to every ping."""

    __slots__ = ("buffer", "cookie", "crowd", "lost", "path", "place", "ready", "stranger", "transport", "upgraded")

    def __init__(self, crowd: Crowd, path: str, cookie: str, stranger: bool) -> None:
        self.crowd, self.path, self.cookie, self.stranger = crowd, path, cookie, stranger
        self.buffer = b""
        self.place = 0
        self.upgraded = self.lost = False
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(handshake(self.path, self.cookie))

    def connection_lost(self, problem: Exception | None) -> None:
        self.lost = True
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(f"refused: {self.buffer[:200]!r}"))

    def data_received(self, data: bytes) -> None:
        at = time.perf_counter()
        self.buffer = self.buffer + data if self.buffer else data
        if not self.upgraded:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found or not head.startswith(b"HTTP/1.1 101"):
                return
            self.upgraded, self.buffer = True, rest
        self._read_frames(at)

    def _read_frames(self, at: float) -> None:
        buffer, start = self.buffer, 0
        while (parsed := parse(buffer, start)) is not None:
            opcode, payload, start = parsed
            if opcode == 1:
                self._frame(payload, at)
            elif opcode == 9:
                self.transport.write(bytes((0x8A, 0x80 | len(payload), 0, 0, 0, 0)) + payload)
        self.buffer = buffer[start:]

    def _frame(self, payload: bytes, at: float) -> None:
        if payload.startswith(OWN_FRAMES):
            if not self.ready.done():
                self.ready.set_result(None)
            elif payload.startswith(OWN_FRAMES[1]):
                self.crowd.overflows += 1
            return
        self.place += 1
        if not self.stranger:
            self.crowd.arrived(self.place - 1, payload, at)


def handshake(path: str, cookie: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Cookie: {cookie_header(cookie)}\r\n\r\n"
    ).encode()


def parse(buffer: bytes, start: int) -> tuple[int, bytes, int] | None:
    """The frame at `start` as opcode, payload and where the next one begins; None while it is not all there."""
    if len(buffer) < start + 2:
        return None
    size, head = buffer[start + 1] & 0x7F, 2
    if size > 125:
        head += 2 if size == 126 else 8
        if len(buffer) < start + head:
            return None
        size = int.from_bytes(buffer[start + 2 : start + head], "big")
    end = start + head + size
    return (buffer[start] & 0x0F, buffer[start + head : end], end) if len(buffer) >= end else None


async def main() -> None:
    crowd = Crowd()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        ((order, arguments),) = json.loads(line).items()
        try:
            answer = await getattr(crowd, order)(**arguments)
        except Exception as problem:
            answer = {"problem": f"{order}: {problem!r}, {crowd.missing} frames missing"}
        print(json.dumps({"answer": answer}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
