"""A proxy before several web processes that sends each connection to one which says that it takes requests.

It stands in for Caddy, HAProxy and the like: it asks `/readyz?only=process` of each a few times a second, sends new
connections round robin to those that are ready, and tries the next one where nobody listens.
"""

import asyncio
import threading
from contextlib import suppress

import httpx

from tests.serving import Server, free_port

ASK_EVERY = 0.2  # seconds


class Balancer:
    """`with Balancer(servers) as balancer:` listens at `balancer.url`."""

    def __init__(self, servers: list[Server]) -> None:
        self.servers = servers
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.ready = {server.port: True for server in servers}
        self.turned_away = 0  # connections for which nobody was there
        self._turn = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "Balancer":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._begin(), self._loop).result(10)
        return self

    def __exit__(self, *error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _begin(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self._asking = [asyncio.create_task(self._ask(server)) for server in self.servers]

    async def _end(self) -> None:
        self._server.close()
        for task in self._asking:
            task.cancel()
        for writer in list(self._open):
            writer.transport.abort()
        if tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(tasks, timeout=5)

    async def _ask(self, server: Server) -> None:
        async with httpx.AsyncClient(timeout=2) as http:
            while True:
                try:
                    answer = await http.get(f"{server.url}/readyz?only=process")
                    self.ready[server.port] = answer.status_code == 200
                except httpx.TransportError:
                    self.ready[server.port] = False
                await asyncio.sleep(ASK_EVERY)

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        self._turn += 1
        ports = [server.port for server in self.servers]
        ports = ports[self._turn % len(ports) :] + ports[: self._turn % len(ports)]
        for port in sorted(ports, key=lambda port: not self.ready[port]):  # whoever is not ready only if nobody is
            with suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", port)
        return None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind = await self._reach()
        if behind is None:
            self.turned_away += 1
            writer.transport.abort()
            return
        back, onward = behind
        self._open.add(writer)
        ways = [asyncio.create_task(pump(reader, onward)), asyncio.create_task(pump(back, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._open.discard(writer)
            writer.close()
            onward.close()
            await asyncio.wait(ways, timeout=2)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
