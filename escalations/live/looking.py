"""Who has the context screen of an escalation open: "2 looking" on its card, names on the screen itself.

Nothing of it is kept anywhere. A page says that it looks whenever it is asked; each process tells all of them who looks
in it, when that changes and every few seconds again; and who says nothing for a while is gone, be it a page or a
process. What comes of it goes to the sockets without a cursor: a frame that is lost is followed by another.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable
from contextvars import Context
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple, TypeVar
from uuid import UUID, uuid4

from escalations.live import groups, transport
from escalations.live.hub import Hub, Mailbox, hub
from escalations.live.wire import Frame

log = logging.getLogger(__name__)
K = TypeVar("K")

TICK_SECONDS = 1.0  # no group gets more than one frame in it
AGAIN_TICKS = 3  # so often pages are asked, and processes and sockets told again
SILENT_SECONDS = 10.0  # with ticks and ways, whoever is gone is seen nowhere after 15
GRACE_SECONDS = 3.0  # a page that leaves may only be loaded anew
MOST_NAMES = 12  # of those who look at one handoff; the others are counted

ASK = Frame(json.dumps({"type": "still_looking"}))  # the page answers ANSWER if it is
ANSWER = "looking"
NOBODY = json.dumps({"type": "looking", "handoffs": {}, "names": [], "count": 0})


class Look(NamedTuple):
    """One person at one handoff, in however many tabs."""

    account: UUID
    session: UUID
    handoff: UUID
    user: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Seen:
    """Who was seen looking, and how long that holds, by the loop's clock."""

    looks: frozenset[Look]
    until: float


class Ear(Mailbox):
    """Hears in the hub who looks in which process."""

    def __init__(self, hear: Callable[[str, frozenset[Look]], None]) -> None:
        super().__init__()
        self._hear = hear

    def put(self, text: str, *, cursor: int | None) -> None:
        told = json.loads(text)
        if told["type"] == "lookers":
            looks = frozenset(Look._make([*map(UUID, ids), name]) for *ids, name in told["looks"])
            self._hear(told["process"], looks)


class Looking:
    """The lookers that this process knows of. All methods belong to one event loop."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._task: asyncio.Task[None] | None = None
        self._forget_all()

    def _forget_all(self) -> None:
        self._process = uuid4().hex
        self._ear = Ear(self.hear)
        self._open: dict[Mailbox, Look] = {}  # pages that may be asked
        self._asked: set[Mailbox] = set()
        self._pages: dict[Mailbox, Seen] = {}  # that answered
        self._processes: dict[str, Seen] = {}
        self._frames: dict[str, str] = {}  # by group, what its sockets were told
        self._shown: frozenset[Look] = frozenset()

    # What sockets say

    def watch(self) -> None:
        """A socket is there: from now on this process listens, and tells."""
        if self._task is None or self._task.done() or self._task.get_loop() is not asyncio.get_running_loop():
            self._forget_all()
            self._task = asyncio.create_task(self._keep_ticking(), context=Context())

    def enter(self, page: Mailbox, look: Look) -> None:
        """A context screen is open; once it says so, its person looks."""
        self._open[page] = look
        self._ask(page)

    def answer(self, page: Mailbox) -> bool:
        """The page says that it is looked at. False if nobody asked it."""
        if page not in self._asked:
            return False
        self._asked.discard(page)
        self._pages[page] = Seen(frozenset([self._open[page]]), _now() + SILENT_SECONDS)
        return True

    def leave(self, page: Mailbox) -> None:
        """The page is closed, or loaded anew."""
        self._open.pop(page, None)
        self._asked.discard(page)
        if seen := self._pages.get(page):
            self._pages[page] = Seen(seen.looks, min(seen.until, _now() + GRACE_SECONDS))

    def turn_out(self, page: Mailbox) -> None:
        """Its person may not look any more."""
        self.leave(page)
        self._pages.pop(page, None)

    def hear(self, process: str, looks: frozenset[Look]) -> None:
        """All who look in one process, which says so every few seconds."""
        if process != self._process:
            self._processes[process] = Seen(looks, _now() + SILENT_SECONDS)

    def frame_of(self, group: str) -> str | None:
        """What a socket that is new in the group has to be told; None if nobody looks."""
        return self._frames.get(group)

    # What they are told

    async def _keep_ticking(self) -> None:
        ticks = 0
        while True:
            await self._hub.join(groups.LOOKING, self._ear)
            try:
                self._tick(again=ticks % AGAIN_TICKS == 0)
            except Exception:
                log.exception("Who is looking could not be told.")
            ticks += 1
            await asyncio.sleep(TICK_SECONDS)

    def _tick(self, *, again: bool) -> None:
        self._pages, self._processes = _still(self._pages), _still(self._processes)
        here = _all(self._pages.values())
        told = self._processes.get(self._process)
        if here != (told.looks if told else frozenset()) or (here and again):
            self._processes[self._process] = Seen(here, _now() + SILENT_SECONDS)
            looks = [[*map(str, look[:-1]), look.name] for look in here]
            transport.publish(groups.LOOKING, {"type": "lookers", "process": self._process, "looks": looks})
        if again:
            for page in self._open:
                self._ask(page)
        self._show(_all(self._processes.values()), again=again)

    def _ask(self, page: Mailbox) -> None:
        self._asked.add(page)
        page.put(ASK, cursor=None)

    def _show(self, looks: frozenset[Look], *, again: bool) -> None:
        """Tell the sockets of this process what has changed, or all of it again."""
        if looks == self._shown and not (looks and again):
            return
        frames = frames_of(looks)
        for group in frames.keys() | self._frames.keys():
            text = frames.get(group, NOBODY)
            if again or text != self._frames.get(group):
                self._hub.hand_on(group, text)
        self._shown, self._frames = looks, frames


def frames_of(looks: Iterable[Look]) -> dict[str, str]:
    """By group: to the queue how many look at each handoff, to the session who."""
    frames = {}
    for account, of_account in groupby(sorted(looks), key=lambda look: look.account):
        lookers: dict[str, set[UUID]] = {}
        for session, of_session in groupby(of_account, key=lambda look: look.session):
            people: dict[UUID, str] = {}
            for look in sorted(of_session, key=lambda look: (look.name, look.user)):
                lookers.setdefault(str(look.handoff), set()).add(look.user)
                people[look.user] = look.name
            names = [{"id": str(user), "name": name} for user, name in people.items()][:MOST_NAMES]
            frames[groups.session(session)] = json.dumps({"type": "looking", "names": names, "count": len(people)})
        numbers = {handoff: len(users) for handoff, users in lookers.items()}
        frames[groups.queue_of(account)] = json.dumps({"type": "looking", "handoffs": numbers})
    return frames


def _still(seen: dict[K, Seen]) -> dict[K, Seen]:
    now = _now()
    return {who: each for who, each in seen.items() if each.until > now}


def _all(seen: Iterable[Seen]) -> frozenset[Look]:
    return frozenset().union(*(each.looks for each in seen))


def _now() -> float:
    return asyncio.get_running_loop().time()


looking = Looking(hub)
