"""A rehearsal: for some minutes the demo's people escalate by the clock, and a rival races whoever is at the browser.

Everything goes through the product's own verbs, so cards arrive, races are decided and figures count as in earnest.
`running` starts and stops one, `score` tells what came of it. A session that a rehearsal has made is known by its
`external_id`; nothing here touches any other.
"""

import contextlib
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

from django.db import transaction

from escalations.actions import handoffs, sessions
from escalations.actions.refusals import Refusal
from escalations.models import AISession, Handoff
from resolutionflow.accounts.models import Account, User
from resolutionflow.demo import cases
from resolutionflow.demo.cases import Case
from resolutionflow.demo.rival import Rival

MARK = "rehearsal"
FIRST_AFTER = 1.0  # seconds
JITTER = 0.4  # of the time between two
LEADS = 3  # times as often as engineers: whoever plays against them can pick these up
TICKETS = (50_000, 99_000)


@dataclass(frozen=True)
class Plan:
    """What was asked for. `every`: seconds between two escalations; `haste` makes the rival so many times faster."""

    id: str
    account: str
    until: float
    every: float = 20.0
    rival: bool = True
    seed: int = 0
    haste: float = 1.0

    @property
    def mark(self) -> str:
        """What the `external_id` of its sessions begins with."""
        return f"{MARK} {self.id} "


class Play:
    """One rehearsal under way. `clock` gives seconds; `tick` does what is due by it, one thing after the other."""

    def __init__(self, plan: Plan, account: Account, rival: Rival | None, *, clock: Callable[[], float]) -> None:
        self.plan, self.account, self.rival, self.clock = plan, account, rival, clock
        self.chance = random.Random(f"{plan.seed} arrivals")  # noqa: S311 nothing here is a secret
        self.number = AISession.objects.for_account(account).filter(external_id__startswith=plan.mark).count()
        self.material = self._material()
        self.people = _who_escalates(account, rival)
        self.next_at = clock() + FIRST_AFTER
        self.busy = threading.Lock()  # a tick that is under way when somebody stops it ends first

    @classmethod
    def of(cls, plan: Plan, *, clock: Callable[[], float]) -> Self:
        account = Account.objects.get(slug=plan.account)
        _settle_earlier(account, plan)
        rival = Rival.of(account, seed=plan.seed, haste=plan.haste, clock=clock) if plan.rival else None
        return cls(plan, account, rival, clock=clock)

    @property
    def is_over(self) -> bool:
        return self.clock() >= self.plan.until

    def tick(self) -> None:
        with self.busy:
            if self.is_over:
                return
            if self.clock() >= self.next_at:
                self.next_at = self.clock() + self.plan.every * self.chance.uniform(1 - JITTER, 1 + JITTER)
                self._next_escalation()
            if self.rival:
                self.rival.act()

    def end(self) -> None:
        """The rival finishes what it has in hand. What waits goes on waiting: somebody may be about to take it."""
        with self.busy:
            if self.rival:
                self.rival.finish(of_rehearsal(self.account, self.plan.mark))

    def _next_escalation(self) -> None:
        case = next(self.material)
        handoff = escalate(
            case,
            by=self.chance.choices(self.people, [_weight(person) for person in self.people])[0],
            ticket_ref=f"#{self.chance.randint(*TICKETS)}",
            mark=f"{self.plan.mark}{self.number + 1}",
        )
        self.number += 1
        if self.rival:
            self.rival.notice(handoff, case)

    def _material(self) -> Iterator[Case]:
        """The team's cases that were escalated once, which come back now; in an order of this rehearsal's own."""
        known = [case for case in cases.resolved(self.account.slug) if case.escalation]
        self.chance.shuffle(known)
        while True:
            yield from known


def of_rehearsal(account: Account, mark: str) -> list[Handoff]:
    """The handoffs of the rehearsal with this mark (of all, if it is only their beginning), oldest first."""
    found = Handoff.objects.for_account(account).filter(session__external_id__startswith=mark)
    return list(found.select_related("session", "account", "created_by", "picked_up_by").order_by("created_at", "id"))


def _settle_earlier(account: Account, plan: Plan) -> None:
    """What still waits of earlier rehearsals ends with what fixed it once, so that the queue does not fill up."""
    fixed = {case.title: case.resolution for case in cases.resolved(account.slug)}
    for handoff in of_rehearsal(account, f"{MARK} "):
        is_earlier = not (handoff.session.external_id or "").startswith(plan.mark)
        if is_earlier and handoff.is_waiting and handoff.session.title in fixed:
            with contextlib.suppress(Refusal):  # somebody has just picked it up
                sessions.resolve(handoff.session, by=handoff.created_by, resolution=fixed[handoff.session.title])


def _who_escalates(account: Account, rival: Rival | None) -> list[User]:
    people = [person for person in User.objects.for_account(account).order_by("email") if person.may_work]
    return [person for person in people if rival is None or person.pk != rival.person.pk]


def _weight(person: User) -> int:
    return 1 if person.role == User.Role.ENGINEER else LEADS


@transaction.atomic
def escalate(case: Case, *, by: User, ticket_ref: str, mark: str) -> Handoff:
    """Tell a case up to its escalation, all of it or nothing."""
    assert by.account is not None, "the demo's people belong to accounts"
    assert case.escalation is not None, "only such cases are chosen"
    before, rest = _up_to_the_first_answer(case)
    problem = "\n\n".join([case.problem, *before])
    session = sessions.start(
        by.account, by=by, title=case.title, client_name=case.client_name, ticket_ref=ticket_ref, problem=problem
    )
    AISession.objects.filter(pk=session.pk).update(external_id=mark)
    asked = None
    for author, body in rest:
        if author == "copilot":
            sessions.answer(session, to=asked, body=body, sources=[])
        else:
            asked = sessions.post(session, by=by, body=body).pk
    for step in case.steps[: case.escalation.after_steps]:
        sessions.record_step(session, by=by, description=step.description, outcome=step.outcome, note=step.note)
    return handoffs.escalate(session, by=by, reason=case.escalation.reason, priority=case.escalation.priority)


def _up_to_the_first_answer(case: Case) -> tuple[list[str], list[tuple[str, str]]]:
    """What was said before FlowPilot's first answer, and the conversation from there on."""
    first = next((index for index, (author, _) in enumerate(case.messages) if author == "copilot"), len(case.messages))
    return [body for _, body in case.messages[:first]], list(case.messages[first:])
