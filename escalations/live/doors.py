"""Who is in, and whether they may stay: sockets and streams follow the account, not only their handshake.

Everything open in this process is looked at again within each heartbeat, in one set of queries, and one person's at
once when `people.rights_changed` says so. Whoever may not stay is turned out; nothing reaches them after that.
"""

import asyncio
import json
import logging
import random
from collections import Counter
from collections.abc import Coroutine
from contextvars import Context
from typing import Any, Protocol
from uuid import UUID

from escalations.live import groups
from escalations.live.counted import counted
from escalations.live.hub import HEARTBEAT_SECONDS, Mailbox, hub, read
from resolutionflow.accounts.admission import Admission, Standing, look_again

log = logging.getLogger(__name__)

SLOWEST_GOODBYE = 2.0  # seconds, of one that is stuck
LOOK_EVERY = HEARTBEAT_SECONDS * 2 / 3  # so that with the queries it is done within a heartbeat


class Guest(Protocol):
    """An open socket or stream. `kind` is queue, session or stream."""

    kind: str

    async def turn_out(self, standing: Standing) -> None:
        """Deliver nothing any more, and close."""

    async def send_home(self) -> None:
        """Close in a way after which the client comes back, to whichever process is there then."""


class Doorbell(Mailbox):
    """Hears in the hub whose rights have changed."""

    def put(self, text: str, *, cursor: int | None) -> None:
        told = json.loads(text)
        if told["type"] == "rights_changed":
            doors.look_again_at(UUID(told["user"]))


class Doors:
    """The guests of this process. All methods belong to one event loop."""

    def __init__(self) -> None:
        self._guests: dict[Guest, Admission] = {}
        self._bell = Doorbell()
        self._watch: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()  # the loop itself holds its tasks only weakly
        self._closing = False

    def enter(self, guest: Guest, admission: Admission) -> None:
        self._guests[guest] = admission
        if self._closing:
            self._spawn(self._send_home(guest, after=0))
        if self._watch is None or self._watch.done() or self._watch.get_loop() is not asyncio.get_running_loop():
            self._watch = asyncio.create_task(self._keep_looking(), context=Context())

    def leave(self, guest: Guest) -> None:
        self._guests.pop(guest, None)

    def look_again_at(self, user_id: UUID) -> None:
        theirs = {guest: admission for guest, admission in self._guests.items() if admission.user_id == user_id}
        self._spawn(self._look_again(theirs))

    def open_of_each_kind(self) -> Counter[str]:
        """How many sockets and streams are open, by kind. For any thread."""
        return Counter(guest.kind for guest in tuple(self._guests))

    async def close(self, *, over: float) -> None:
        """The process stops: send everybody home, each after a random part of `over` seconds so that they do not come
        back all at once, and whoever still comes at the door. Returns when that is done."""
        self._closing = True
        going = [self._send_home(guest, after=random.uniform(0, over)) for guest in self._guests]  # noqa: S311 no secret
        await asyncio.gather(*going)

    async def _send_home(self, guest: Guest, *, after: float) -> None:
        await asyncio.sleep(after)
        if guest not in self._guests:
            return
        self.leave(guest)
        counted.sent_home += 1
        try:
            async with asyncio.timeout(SLOWEST_GOODBYE):
                await guest.send_home()
        except Exception:
            log.warning("A connection could not be told to come back elsewhere.", exc_info=True)

    async def _keep_looking(self) -> None:
        while True:
            await hub.join(groups.PEOPLE, self._bell)
            await asyncio.sleep(LOOK_EVERY)
            await self._look_again(dict(self._guests))

    async def _look_again(self, guests: dict[Guest, Admission]) -> None:
        if not guests:
            return
        try:
            standings = await read(look_again, set(guests.values()))
        except Exception:
            log.warning("Could not look again who may stay; the next look will tell.", exc_info=True)
            return
        for guest, admission in guests.items():
            if standings[admission] is not Standing.HOLDS and guest in self._guests:
                self.leave(guest)
                self._spawn(guest.turn_out(standings[admission]))  # each by itself: one may be stuck

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


doors = Doors()
