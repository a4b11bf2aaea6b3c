"""Pages without a browser: they follow the protocol as `static/js/live.js` does, and remember what they showed when."""

import asyncio
import json
import random
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

CARD = re.compile(r'id="handoff-([0-9a-f-]{36})"')
CURSOR = re.compile(r'data-(?:live-)?cursor="(\d+)"')
PATIENCE = 1.0
SILENCE = 20.0
LONGEST_FETCH = 8.0
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
POLL_AFTER_FAILURES, POLL_EVERY = 3, 5.0


class Reader:
    """One open queue page. `cards` is what it shows, from the top; `reached` when it got to each cursor."""

    def __init__(self, url: str, cookie: str) -> None:
        self.url = url
        self.cookie = cookie
        self.cards: list[str] = []
        self.cursor = self.base = 0
        self.reached: list[tuple[float, int]] = []
        self.sockets = self.fetches = self.frames = self.failures = 0
        self.resyncing: asyncio.Task[None] | None = None
        self.again = False
        self.trust = True
        self.polling: asyncio.Task[None] | None = None
        self.hurry = asyncio.Event()

    async def open(self, http: httpx.AsyncClient) -> None:
        self.http = http
        html = await self._get("/queue/")
        self._show(html)
        self.base = self.cursor

    async def live(self) -> None:
        """Until cancelled: a socket, and another one when it is gone."""
        while True:
            with suppress(OSError, WebSocketException, TimeoutError, EOFError):
                await self._listen()
            self.failures += 1
            if self.failures >= POLL_AFTER_FAILURES and self.polling is None:
                self.polling = asyncio.create_task(self._poll())
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (self.failures - 1)) * (0.5 + random.random() / 2)
            self.hurry.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.hurry.wait(), wait)

    async def _listen(self) -> None:
        address = f"{self.url.replace('http', 'ws', 1)}/ws/queue/"
        headers = {"Cookie": f"sessionid={self.cookie}"}
        async with connect(
            address, additional_headers=headers, open_timeout=8, close_timeout=0.1, ping_interval=None
        ) as s:
            self.sockets += 1
            self.trust = True
            while self.trust:
                await self._receive(json.loads(await asyncio.wait_for(s.recv(), SILENCE)))

    async def _receive(self, frame: dict) -> None:
        self.frames += 1
        if frame["type"] == "ready":
            self.failures = 0
            if self.polling:
                self.polling.cancel()
                self.polling = None
            if frame["cursor"] != self.cursor:
                self.resync()
        elif frame["type"] == "heartbeat":
            asyncio.get_running_loop().call_later(PATIENCE, self._doubt, frame["cursor"])
        elif frame["type"] == "unavailable":
            pass
        elif self.resyncing and not self.resyncing.done():
            self.again = self.again or frame["cursor"] > self.cursor
        elif frame["cursor"] > self.cursor + 1:
            self.resync()
        elif frame["cursor"] == self.cursor + 1:
            self._apply(frame)

    def _doubt(self, cursor: int) -> None:
        if cursor > self.cursor:
            self.resync()
            self.trust = False

    def _apply(self, frame: dict) -> None:
        handoff, html = frame["handoff"], frame["html"]
        if not html:
            self.cards = [card for card in self.cards if card != handoff]
        elif handoff not in self.cards:
            self.cards.insert(0, handoff)
        self._reach(frame["cursor"])

    def resync(self) -> None:
        if self.resyncing and not self.resyncing.done():
            self.again = True
        else:
            self.resyncing = asyncio.get_running_loop().create_task(self._resync())

    async def _resync(self) -> None:
        while True:
            self.again = False
            try:
                self._show(await self._get(f"/queue/cards/?base={self.base}"))
            except (httpx.HTTPError, TimeoutError):
                await asyncio.sleep(2)
                continue
            if not self.again:
                return

    async def _poll(self) -> None:
        """Every 5 s until a socket is ready; one is tried at once when the server answers after it did not."""
        reached = None
        while True:
            before = reached
            try:
                self._show(await self._get(f"/queue/cards/?base={self.base}"))
                reached = True
            except (httpx.HTTPError, TimeoutError):
                reached = False
            if reached and before is False:
                self.hurry.set()
            await asyncio.sleep(POLL_EVERY)

    async def _get(self, path: str) -> str:
        self.fetches += 1
        async with asyncio.timeout(LONGEST_FETCH):
            answer = await self.http.get(self.url + path, headers={"Cookie": f"sessionid={self.cookie}"})
        answer.raise_for_status()
        assert answer.url.path != "/login/", "signed out"
        return answer.text

    def _show(self, html: str) -> None:
        self.cards = CARD.findall(html)
        self._reach(int(CURSOR.findall(html)[-1]))

    def _reach(self, cursor: int) -> None:
        self.cursor = cursor
        self.reached.append((time.monotonic(), cursor))

    def lag(self, cursor: int, since: float) -> float:
        """Seconds from `since` until this page was at `cursor` or beyond."""
        return max(0.0, next((at for at, reached in self.reached if reached >= cursor), float("inf")) - since)


class Crowd:
    """Many readers, on an event loop in a thread of their own."""

    def __init__(self, places: list[tuple[str, str]], *, reader: Callable[[str, str], Reader] = Reader) -> None:
        """`places` are (url, session cookie), one for each reader."""
        self.readers = [reader(url, cookie) for url, cookie in places]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "Crowd":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(60)
        return self

    def __exit__(self, *error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _open(self) -> None:
        self._http = httpx.AsyncClient(
            timeout=10, limits=httpx.Limits(max_connections=None, max_keepalive_connections=0)
        )
        for reader in self.readers:
            await reader.open(self._http)
        self._tasks = [asyncio.create_task(reader.live()) for reader in self.readers]

    async def _close(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._http.aclose()

    def all_connected(self) -> bool:
        return all(reader.frames for reader in self.readers)

    def died(self) -> list[BaseException]:
        """Errors of readers that the protocol does not foresee."""
        return [task.exception() for task in self._tasks if task.done() and not task.cancelled()]
