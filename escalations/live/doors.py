"""Who is in, and whether they may stay: sockets and streams follow the account, not only their handshake.

Everything open in this process is looked at again within each heartbeat, in one set of queries, and one person's at
once when `people.rights_changed` says so. Whoever may not stay is turned out; nothing reaches them after that.
"""

import asyncio
import json
import logging
from collections.abc import Coroutine
from typing import Any, Protocol
from uuid import UUID

from escalations.live import groups
from escalations.live.hub import HEARTBEAT_SECONDS, Mailbox, hub, read
from resolutionflow.accounts.admission import Admission, Standing, look_again

log = logging.getLogger(__name__)

LOOK_EVERY = HEARTBEAT_SECONDS * 2 / 3  # so that with the queries it is done within a heartbeat


class Guest(Protocol):
    """An open socket or stream."""

    async def turn_out(self, standing: Standing) -> None:
        """Deliver nothing any more, and close."""


class Doorbell(Mailbox):
    """Hears in the hub whose rights have changed."""

    def put(self, text: str, *, cursor: int | None) -> None:
        doors.look_again_at(UUID(json.loads(text)["user"]))


class Doors:
    """The guests of this process. All methods belong to one event loop."""

    def __init__(self) -> None:
        self._guests: dict[Guest, Admission] = {}
        self._bell = Doorbell()
        self._watch: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()  # the loop itself holds its tasks only weakly

    def enter(self, guest: Guest, admission: Admission) -> None:
        self._guests[guest] = admission
        if self._watch is None or self._watch.done() or self._watch.get_loop() is not asyncio.get_running_loop():
            self._watch = asyncio.create_task(self._keep_looking())

    def leave(self, guest: Guest) -> None:
        self._guests.pop(guest, None)

    def look_again_at(self, user_id: UUID) -> None:
        theirs = {guest: admission for guest, admission in self._guests.items() if admission.user_id == user_id}
        self._spawn(self._look_again(theirs))

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
