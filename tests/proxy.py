"""A TCP proxy before a server, with the habits of bad networks."""

import asyncio
import random
import threading

from tests.serving import free_port


class Proxy:
    """Passes everything on from `url` to the server at `port`, unless told otherwise.

    `cut_after=(1, 3)` cuts each connection after 1 to 3 s. `swallow()` lets connections stand, but nothing gets
    through any more. `refuse_upgrades` answers every WebSocket's handshake with 403.
    """

    def __init__(self, port: int, *, cut_after: tuple[float, float] | None = None, refuse_upgrades: bool = False):
        self.target = port
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.ws_url = f"ws://127.0.0.1:{self.port}"
        self.cut_after = cut_after
        self.refuse_upgrades = refuse_upgrades
        self.swallowing = False
        self.cuts = 0
        self._dead: set[asyncio.StreamWriter] = set()
        self._open: set[asyncio.StreamWriter] = set()
        self._websockets: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "Proxy":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(self, *error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def swallow(self) -> None:
        """From now on nothing gets through, in either direction; nobody is told."""
        self._dead |= self._open
        self.swallowing = True

    def pass_on(self) -> None:
        """New connections work again. WebSockets that were swallowed stay as dead as they were; of plain connections
        the browser is told that they are gone, as it is when it uses one that the network has forgotten."""
        self.swallowing = False
        for writer in self._dead & self._open - self._websockets:
            self._loop.call_soon_threadsafe(writer.transport.abort)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _close(self) -> None:
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        if tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(tasks, timeout=5)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        upstream = None
        try:
            first = await reader.read(65536)
            if is_websocket := b"upgrade: websocket" in first.lower():
                self._websockets.add(writer)
            if is_websocket and self.refuse_upgrades:
                writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                await writer.drain()
                return
            if self.swallowing:
                self._dead.add(writer)
            back, upstream = await asyncio.open_connection("127.0.0.1", self.target)
            if writer not in self._dead:
                upstream.write(first)
            if self.cut_after:
                self._loop.call_later(random.uniform(*self.cut_after), self._cut, writer, upstream)
            await asyncio.wait(
                [
                    asyncio.ensure_future(self._pump(reader, upstream, writer)),
                    asyncio.ensure_future(self._pump(back, writer, writer)),
                ],
                return_when=asyncio.FIRST_COMPLETED,
            )
        except OSError:
            pass
        finally:
            self._open.discard(writer)
            for end in filter(None, (writer, upstream)):
                end.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: asyncio.StreamWriter
    ) -> None:
        try:
            while data := await reader.read(65536):
                if key not in self._dead:
                    writer.write(data)
                    await writer.drain()
        except OSError:
            pass

    def _cut(self, *ends: asyncio.StreamWriter) -> None:
        if ends[0] in self._open:
            self.cuts += 1
            for end in ends:
                end.transport.abort()
