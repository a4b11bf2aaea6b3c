"""Somebody who races you in a rehearsal: sees a card some seconds after it came, reaches for it, and works on it.

One thing at a time, as people do. Whoever is quicker in between wins, and the rival is refused like anybody else.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from django.contrib.auth.hashers import make_password

from escalations.actions import handoffs, sessions
from escalations.actions.refusals import Refusal
from escalations.models import Handoff
from resolutionflow.accounts.models import Account, User
from resolutionflow.demo.cases import Case
from resolutionflow.demo.plot import OPENERS, RELEASES

NAME, LOGIN = "Rita Rival", "rita"
# Seconds, at least and at most.
SEES = (4.0, 20.0)
REACHES = (0.4, 1.5)
WRITES = (3.0, 8.0)
TRIES = (5.0, 10.0)
ENDS = (6.0, 14.0)
RESOLVES = 0.75  # of what it picked up; the rest goes back into the queue
FIXED = "It works again since the change; the client confirmed it."


@dataclass
class Work:
    """What the rival is doing to a handoff next, and when."""

    handoff: Handoff
    case: Case
    next: Callable[["Work"], None]
    due: float


class Rival:
    def __init__(self, person: User, *, chance: random.Random, haste: float, clock: Callable[[], float]) -> None:
        self.person, self.chance, self.haste, self.clock = person, chance, haste, clock
        self.noticed: dict[UUID, tuple[float, Case]] = {}  # when it has seen it
        self.work: Work | None = None

    @classmethod
    def of(cls, account: Account, *, seed: int, haste: float, clock: Callable[[], float]) -> Self:
        """The account's rival, made at the first time. Nobody signs in as it: it has no password."""
        domain = User.objects.for_account(account).order_by("created_at", "email")[0].email.partition("@")[2]
        made = {"account": account, "name": NAME, "role": User.Role.ENGINEER, "password": make_password(None)}
        person, _ = User.objects.get_or_create(email=f"{LOGIN}@{domain}", defaults=made)
        return cls(person, chance=random.Random(f"{seed} rival"), haste=haste, clock=clock)  # noqa: S311 no secret

    def notice(self, handoff: Handoff, case: Case) -> None:
        self.noticed[handoff.pk] = self._in(SEES), case

    def act(self) -> None:
        """Do what is due, if anything is."""
        if self.work is None:
            self.work = self._reach()
        elif self.clock() >= self.work.due:
            try:
                self.work.next(self.work)
            except Refusal:  # somebody was quicker, or took it away
                self.work = None

    def finish(self, made: Iterable[Handoff]) -> None:
        """Resolve whatever of these it still has in hand."""
        for handoff in made:
            if handoff.state == Handoff.State.PICKED_UP and handoff.picked_up_by_id == self.person.pk:
                known = self.noticed.get(handoff.pk)
                fixed = known[1].resolution if known else FIXED
                try:
                    sessions.resolve(handoff.session, by=self.person, resolution=fixed)
                except Refusal:
                    continue
        self.work = None

    def _reach(self) -> Work | None:
        """For the oldest that it has seen and that waits."""
        seen = [pk for pk, (at, _) in self.noticed.items() if self.clock() >= at]
        if not seen:
            return None
        waiting = Handoff.objects.for_account(self.person.account).waiting().filter(pk__in=seen)
        handoff = waiting.exclude(created_by=self.person).select_related("session", "account", "created_by").first()
        if handoff is None:
            return None
        return Work(handoff, self.noticed[handoff.pk][1], self._pick_up, self._in(REACHES))

    def _pick_up(self, work: Work) -> None:
        handoffs.pick_up(work.handoff, by=self.person)
        work.next, work.due = self._write, self._in(WRITES)

    def _write(self, work: Work) -> None:
        sessions.post(work.handoff.session, by=self.person, body=self.chance.choice(OPENERS))
        work.next, work.due = self._try, self._in(TRIES)

    def _try(self, work: Work) -> None:
        tried = work.case.escalation.after_steps if work.case.escalation else 0
        for step in work.case.steps[tried : tried + 1]:
            sessions.record_step(
                work.handoff.session,
                by=self.person,
                description=step.description,
                outcome=step.outcome,
                note=step.note,
            )
        work.next, work.due = self._end, self._in(ENDS)

    def _end(self, work: Work) -> None:
        if self.chance.random() < RESOLVES:
            sessions.resolve(work.handoff.session, by=self.person, resolution=work.case.resolution or FIXED)
        else:
            del self.noticed[work.handoff.pk]
            handoffs.release(work.handoff, by=self.person, reason=self.chance.choice(RELEASES))
        self.work = None

    def _in(self, seconds: tuple[float, float]) -> float:
        return self.clock() + self.chance.uniform(*seconds) / self.haste
