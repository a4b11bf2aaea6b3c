"""Ask for an assessment and store what came of it. An escalation never waits for one.

`pending → ready | timed_out | failed | disabled`; a late result still lands: timed out and failed may become ready.
Every write is conditional, so a slow worker, a second worker and a retried job cannot overwrite each other.

A handoff has one attempt at a time: the row says which one of which run is due (`run` counts up with each "Try again",
`attempt` within it), and a job for any other ends without a word. `trying_until` is the claim of the worker that is at
it; a claim outlives its worker by seconds only.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from escalations.actions import feed, jobs
from escalations.actions.conversation import change, lock
from escalations.actions.refusals import Conflict, require_engineer
from escalations.actions.transaction import in_transaction
from escalations.assessor import providers
from escalations.live import announce
from escalations.models import Assessment, FeedEvent, Handoff
from resolutionflow.accounts.models import User

# Seconds for the tries after the first, whose budget is ASSESSMENT_BUDGET_SECONDS.
LATER_BUDGETS = (20, 60)
LAST_ATTEMPT = len(LATER_BUDGETS)
MARGIN = timedelta(seconds=5)  # for falling back and storing, after the budget has run out
SWITCHED_OFF = "AI is switched off for your team."


@dataclass(frozen=True)
class Attempt:
    """One try that a worker has claimed, and the seconds that it may take as a whole."""

    handoff: Handoff
    run: int
    number: int
    budget: float

    @property
    def is_last(self) -> bool:
        return self.number >= LAST_ATTEMPT


def budget_of(attempt: int) -> float:
    """Seconds that this attempt (0 is the first) may take as a whole."""
    return float((settings.ASSESSMENT_BUDGET_SECONDS, *LATER_BUDGETS)[min(attempt, LAST_ATTEMPT)])


def request(handoff: Handoff) -> Assessment:
    """Begin a new handoff's assessment, within the escalation's own transaction."""
    if not providers.is_on(handoff.account):
        return Assessment.objects.create(handoff=handoff, state=Assessment.State.DISABLED, deadline=timezone.now())
    _defer(handoff, run=0, attempt=0)
    return Assessment.objects.create(handoff=handoff, deadline=_deadline(attempt=0))


@in_transaction
def begin(handoff_id: str | UUID, *, run: int, attempt: int) -> Attempt | None:
    """Claim an attempt for the worker that calls. None if it is not due: stale, done, or another worker is at it."""
    handoff = Handoff.objects.for_context().filter(pk=handoff_id).first()
    if handoff is None:
        return None
    if not providers.is_on(handoff.account):
        _finish(handoff, Q(state__in=Assessment.MAY_BECOME_READY), state=Assessment.State.DISABLED, reason=SWITCHED_OFF)
        return None
    budget = budget_of(attempt)
    due = Assessment.objects.filter(handoff=handoff, run=run, attempt=attempt, state__in=Assessment.MAY_BECOME_READY)
    until = timezone.now() + timedelta(seconds=budget) + MARGIN
    if due.filter(Q(trying_until=None) | Q(trying_until__lte=timezone.now())).update(trying_until=until):
        return Attempt(handoff, run, attempt, budget)
    if claimed := due.first():  # by a worker that may be dead: see to it when its claim has ended
        _defer(handoff, run=run, attempt=attempt, after=_left_of(claimed))
    return None


@in_transaction
def try_again(handoff: Handoff, *, by: User) -> None:
    """Begin anew where the assessment is unavailable. Raises Conflict where it is not, or AI is switched off.

    A try in the background that is under way is the new one: there is never a second beside it.
    """
    require_engineer(by)
    if not providers.is_on(handoff.account):
        raise Conflict(SWITCHED_OFF)
    _lock(handoff)
    assessment = handoff.assessment
    if assessment.current_state not in {Assessment.State.TIMED_OUT, Assessment.State.FAILED}:
        raise Conflict("There is nothing to try again: the assessment is here or on its way.")
    pending: dict[str, Any] = {"state": Assessment.State.PENDING, "reason": "", "finished_at": None}
    if assessment.trying_until and assessment.trying_until > timezone.now():
        pending["deadline"] = assessment.trying_until
    else:
        pending |= {"run": assessment.run + 1, "attempt": 0, "deadline": _deadline(attempt=0), "trying_until": None}
        _defer(handoff, run=assessment.run + 1, attempt=0)
    Assessment.objects.filter(handoff=handoff).update(**pending)
    _tell(handoff, by=by)


@in_transaction
def store(handoff: Handoff, *, data: dict[str, Any], made_by: str, reason: str = "") -> bool:
    """Store a result; False if one was there already. `reason` says why it is the playbook's, not the model's."""
    return _finish(
        handoff,
        Q(state__in=Assessment.MAY_BECOME_READY),
        state=Assessment.State.READY,
        data=data,
        assessor=made_by,
        reason=reason,
    )


@in_transaction
def give_up(handoff: Handoff, *, state: Assessment.State, reason: str, attempt: int, run: int | None = None) -> bool:
    """Store why there is none yet (timed out, failed), and try once more later with a longer budget.

    True if that is news. An attempt that is not due any more says nothing and asks for nothing.
    """
    this_run = Q(run=run) if run is not None else Q()
    _lock(handoff)
    is_news = handoff.assessment.state == Assessment.State.PENDING
    still_due = Assessment.objects.filter(
        this_run, handoff=handoff, attempt__lte=attempt, state__in=Assessment.MAY_BECOME_READY
    )
    news: dict[str, Any] = {"state": state, "reason": reason, "finished_at": Now()} if is_news else {}
    if not still_due.update(attempt=attempt + 1, trying_until=None, **news):
        return False
    if attempt < LAST_ATTEMPT:
        _defer(handoff, run=handoff.assessment.run, attempt=attempt + 1)
    handoff.refresh_from_db(fields=["assessment"])
    if is_news:
        _tell(handoff, by=None)
    return is_news


def _finish(handoff: Handoff, condition: Q, **changes: Any) -> bool:
    _lock(handoff)
    found = Assessment.objects.filter(condition, handoff=handoff)
    changed = found.update(finished_at=Now(), trying_until=None, **changes)
    handoff.refresh_from_db(fields=["assessment"])
    if changed:
        _tell(handoff, by=None)
    return bool(changed)


def _tell(handoff: Handoff, *, by: User | None) -> None:
    lock(handoff.session)
    change(handoff.session, lambda version: announce.assessed(handoff.pk, version))
    feed.append(FeedEvent.Kind.ASSESSED, handoff, by=by)


def _lock(handoff: Handoff) -> None:
    fresh = Handoff.objects.select_for_update(no_key=True, of=("self",)).select_related("session", "assessment")
    handoff.__dict__.update(fresh.get(pk=handoff.pk).__dict__)


def _defer(handoff: Handoff, *, run: int, attempt: int, after: timedelta | None = None) -> None:
    jobs.defer(jobs.ASSESS, after=after, first=attempt == 0, handoff_id=str(handoff.pk), run=run, attempt=attempt)


def _left_of(claimed: Assessment) -> timedelta:
    left = (claimed.trying_until or timezone.now()) - timezone.now()
    return max(left, timedelta()) + timedelta(seconds=1)


def _deadline(*, attempt: int) -> Any:
    return timezone.now() + timedelta(seconds=budget_of(attempt))
