"""One hub per process: a single membership per group, however many sockets watch it.

The usual pattern lets every socket join the group; then every message walks every member and is encoded anew for each
(at 500 sockets 27 times slower than the limit). Here the process joins once, takes each frame once, and puts the same
text into the mailbox of each of its sockets.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any, TypeVar

from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connection

from escalations.live import cursors, groups
from escalations.live.counted import counted
from escalations.live.frames import UNAVAILABLE, heartbeat, ready
from escalations.live.wire import Frame, Wire

log = logging.getLogger(__name__)
R = TypeVar("R")

MAILBOX_SIZE = 64  # frames
HEARTBEAT_SECONDS: float = settings.LIVE_HEARTBEAT_SECONDS
ANSWER_SECONDS = 3.0  # a database that takes longer to say where the feeds are does not answer
AWAY_SECONDS = 2.0  # between two questions to a database that does not answer
HOLD_SECONDS = 0.05  # two commits may be announced in the wrong order
REJOIN_SECONDS = 3600.0  # memberships end after 24 h
AT_A_STRETCH = 32_000  # characters to each socket; a socket asks for a pause at 64 KiB
READERS = 4  # threads, each with a connection while it asks

_readers = ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="live-reads")


async def read(question: Callable[..., R], *args: Any) -> R:
    """Ask the database in a thread of the hub's own: the one that all consumers share may be busy for seconds.

    The question says itself whose rows it is about (`walls`): nothing is said in that thread.
    """

    def ask() -> R:
        try:
            return question(*args)
        finally:
            connection.close()

    return await asyncio.get_running_loop().run_in_executor(_readers, ask)


class Mailbox:
    """The frames that one socket has not been sent yet. `put` never waits.

    A socket that cannot keep up loses its frames, never one in the middle: the overflow empties the box, and what its
    reader gets next is one `ready`, upon which the page fetches the list.
    """

    def __init__(self) -> None:
        self._frames: list[tuple[int | None, str]] = []  # short, and a tenth of a deque while it is empty
        self._filled: asyncio.Event | None = None  # only where somebody waits
        self._wire: Wire | None = None
        self._covered = -1  # up to here `ready` has told it all

    def put(self, text: str, *, cursor: int | None) -> None:
        if cursor is not None and cursor <= self._covered:
            return
        if len(self._frames) >= MAILBOX_SIZE:
            if cursor is None:
                return  # a piece of an answer; the whole follows
            self._frames.clear()
            text = ready(cursor)
            counted.overflows += 1
            counted.readys += 1
        self._frames.append((cursor, text))
        if self._wire:
            self.flow()
        elif self._filled:
            self._filled.set()

    def flow_into(self, wire: Wire) -> None:
        """From now on frames go straight onto `wire`, and stay here only while it is full."""
        self._wire = wire
        self.flow()

    def flow(self) -> None:
        while self._wire and self._frames and not self._wire.full:
            counted.frames += 1
            self._wire.write(self._frames.pop(0)[1])

    def beat(self, text: str, *, cursor: int) -> None:
        """A heartbeat; one that is behind `ready` tells of a restored backup, after which the feed counts anew."""
        self._covered = min(self._covered, cursor - 1)
        self.put(text, cursor=cursor)

    def close(self) -> None:
        """Nothing that is still here is sent any more."""
        self._wire = None
        self._frames.clear()

    def skip_to(self, cursor: int) -> None:
        """Leave out what `ready` at this cursor already covers, whether it is here or announced later."""
        self._covered = cursor
        self._frames = [frame for frame in self._frames if frame[0] is None or frame[0] > cursor]

    async def get(self) -> str:
        self._filled = self._filled or asyncio.Event()
        while not self._frames:
            self._filled.clear()
            await self._filled.wait()
        return self._frames.pop(0)[1]


@dataclass(eq=False)
class Topic:
    """One group with sockets in this process. `last` is the newest cursor that was handed on."""

    group: str
    sockets: set[Mailbox] = field(default_factory=set)
    joined: "asyncio.Task[bool] | None" = None
    last: int | None = None
    held: dict[int, str] = field(default_factory=dict)
    release: asyncio.TimerHandle | None = None

    def deliver(self, cursor: int | None, text: str) -> None:
        """Hand on a frame in its turn; one that is ahead waits briefly for its predecessor."""
        if cursor is None:
            self.broadcast(text, None)
        elif self.last is None or cursor <= self.last + 1:
            self.broadcast(text, cursor)
            self.last = max(cursor, self.last or 0)
            self._hand_on_successors()
        else:
            self.held[cursor] = text
            if self.release is None:
                self.release = asyncio.get_running_loop().call_later(HOLD_SECONDS, self._stop_waiting)

    def broadcast(self, text: str, cursor: int | None) -> None:
        frame = Frame(text)  # so that it is encoded once for all of them
        for socket in self.sockets:
            socket.put(frame, cursor=cursor)

    def beat(self, cursor: int) -> None:
        frame = Frame(heartbeat(cursor))
        for socket in self.sockets:
            socket.beat(frame, cursor=cursor)

    def _hand_on_successors(self) -> None:
        while self.last is not None and (text := self.held.pop(self.last + 1, None)) is not None:
            self.last += 1
            self.broadcast(text, self.last)
        if not self.held and self.release:
            self.release.cancel()
            self.release = None

    def _stop_waiting(self) -> None:
        """The predecessor is lost: hand on what there is, in order. Pages see the gap and fetch the list."""
        self.release = None
        for cursor in sorted(self.held):
            self.broadcast(self.held[cursor], cursor)
            self.last = cursor
        self.held.clear()


class Hub:
    """Topics of this process. All methods belong to one event loop."""

    def __init__(self) -> None:
        self._topics: dict[str, Topic] = {}
        self._channel = ""
        self._naming = asyncio.Lock()
        self._turns: dict[str, asyncio.Lock] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def join(self, group: str, mailbox: Mailbox) -> None:
        """Let `mailbox` get the group's frames from now on; whatever commits after this returns reaches it."""
        self._start()
        topic = self._topics.setdefault(group, Topic(group))
        topic.sockets.add(mailbox)
        if topic.joined is None:
            topic.joined = asyncio.create_task(self._join_layer(group))
        await asyncio.shield(topic.joined)

    def leave(self, group: str, mailbox: Mailbox) -> None:
        topic = self._topics.get(group)
        if topic is None:
            return
        topic.sockets.discard(mailbox)
        if not topic.sockets:
            del self._topics[group]
            self._spawn(self._leave_layer(group))

    def hand_on(self, group: str, text: str) -> None:
        """Something of this process's own, to the group's sockets here, in no order with its frames."""
        if topic := self._topics.get(group):
            topic.broadcast(text, None)

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        if self._tasks and self._tasks[0].get_loop() is loop and not any(task.done() for task in self._tasks):
            return
        self._channel = ""
        self._naming = asyncio.Lock()
        self._topics.clear()
        self._turns.clear()
        self._tasks = [
            # In a context of their own: what they log is not about the request that happened to come first.
            loop.create_task(self._receive(), context=Context()),
            loop.create_task(self._beat(), context=Context()),
            loop.create_task(self._rejoin(), context=Context()),
        ]

    async def _channel_name(self) -> str:
        """The one channel of this process: with two, one would be in the groups and the other be listened to."""
        async with self._naming:
            if not self._channel:
                self._channel = await get_channel_layer().new_channel("hub")
            return self._channel

    async def _join_layer(self, group: str) -> bool:
        """Join in the channel layer. Without it (Redis is away) sockets live by heartbeats until the next try."""
        try:
            async with asyncio.timeout(5), self._turn_of(group):
                await get_channel_layer().group_add(group, await self._channel_name())
            return True
        except Exception:
            log.warning("Could not join %s; heartbeats carry its pages until that works.", group, exc_info=True)
            return False

    async def _leave_layer(self, group: str) -> None:
        try:
            async with asyncio.timeout(5), self._turn_of(group):
                if group in self._topics:
                    return  # somebody came meanwhile
                await get_channel_layer().group_discard(group, await self._channel_name())
                if group not in self._topics:
                    self._turns.pop(group, None)
        except Exception:
            log.warning("Could not leave %s.", group, exc_info=True)

    def _turn_of(self, group: str) -> asyncio.Lock:
        """One after the other: who joins while the last one leaves would be taken out with it."""
        return self._turns.setdefault(group, asyncio.Lock())

    # The hub's three loops

    async def _receive(self) -> None:
        handed_on = 0
        while True:
            try:
                message = await get_channel_layer().receive(await self._channel_name())
            except Exception:
                log.warning("The channel layer failed; trying again.", exc_info=True)
                await asyncio.sleep(1)
                continue
            if topic := self._topics.get(message["group"]):
                topic.deliver(message["cursor"], message["text"])
            handed_on += len(message["text"])
            if handed_on > AT_A_STRETCH:  # in a burst, let the sockets be written before their boxes overflow
                handed_on = 0
                await asyncio.sleep(0)

    async def _beat(self) -> None:
        pause = HEARTBEAT_SECONDS
        while True:
            await asyncio.sleep(pause)
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    now_at = await read(cursors.of_groups, list(self._topics))
            except Exception as error:
                log.warning("No heartbeat: the database does not answer (%r).", error)
                for group in filter(groups.is_watched, self._topics):
                    self._topics[group].broadcast(UNAVAILABLE, None)
                pause = AWAY_SECONDS
                continue
            pause = HEARTBEAT_SECONDS
            for group, cursor in now_at.items():
                if topic := self._topics.get(group):
                    topic.beat(cursor)
            for topic in self._topics.values():
                if topic.joined and topic.joined.done() and not topic.joined.result():
                    topic.joined = asyncio.create_task(self._join_layer(topic.group))

    async def _rejoin(self) -> None:
        while True:
            await asyncio.sleep(REJOIN_SECONDS)
            for topic in list(self._topics.values()):
                topic.joined = asyncio.create_task(self._join_layer(topic.group))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        _background.add(task)
        task.add_done_callback(_background.discard)


_background: set[asyncio.Task[None]] = set()  # the loop itself holds its tasks only weakly
hub = Hub()
