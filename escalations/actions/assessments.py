"""Ask for an assessment and store what came of it. An escalation never waits for one.

`pending → ready | timed_out | failed | disabled`; a late result still lands: timed out and failed may become ready.
Every write is conditional, so a slow worker, a second worker and a retried job cannot overwrite each other.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
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


def budget_of(attempt: int) -> float:
    """Seconds that this attempt (0 is the first) may take as a whole."""
    return float((settings.ASSESSMENT_BUDGET_SECONDS, *LATER_BUDGETS)[attempt])


def request(handoff: Handoff) -> Assessment:
    """Begin a new handoff's assessment, within the escalation's own transaction."""
    if not providers.is_on():
        return Assessment.objects.create(handoff=handoff, state=Assessment.State.DISABLED, deadline=timezone.now())
    jobs.defer(jobs.ASSESS, handoff_id=str(handoff.pk), attempt=0)
    return Assessment.objects.create(handoff=handoff, deadline=_deadline(attempt=0))


@in_transaction
def try_again(handoff: Handoff, *, by: User) -> None:
    """Begin anew where the assessment is unavailable. Raises Conflict where it is not."""
    require_engineer(by)
    _lock(handoff)
    if handoff.assessment.current_state not in {Assessment.State.TIMED_OUT, Assessment.State.FAILED}:
        raise Conflict("There is nothing to try again: the assessment is here or on its way.")
    Assessment.objects.filter(handoff=handoff).update(
        state=Assessment.State.PENDING, attempt=0, reason="", deadline=_deadline(attempt=0), finished_at=None
    )
    jobs.defer(jobs.ASSESS, handoff_id=str(handoff.pk), attempt=0)
    _tell(handoff, by=by)


@in_transaction
def store(handoff: Handoff, *, data: dict[str, Any], made_by: str) -> bool:
    """Store a result; False if one was there already."""
    return _finish(
        handoff,
        from_states=Assessment.MAY_BECOME_READY,
        state=Assessment.State.READY,
        data=data,
        assessor=made_by,
        reason="",
    )


@in_transaction
def give_up(handoff: Handoff, *, state: Assessment.State, reason: str, attempt: int) -> bool:
    """Store why there is none yet (timed out, failed), and try once more later with a longer budget."""
    stored = _finish(handoff, from_states=(Assessment.State.PENDING,), state=state, reason=reason, attempt=attempt + 1)
    if attempt < len(LATER_BUDGETS) and handoff.assessment.state != Assessment.State.READY:
        jobs.defer(jobs.ASSESS, handoff_id=str(handoff.pk), attempt=attempt + 1)
    return stored


def _finish(handoff: Handoff, *, from_states: tuple[Assessment.State, ...], **changes: Any) -> bool:
    _lock(handoff)
    changed = Assessment.objects.filter(handoff=handoff, state__in=from_states).update(finished_at=Now(), **changes)
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


def _deadline(*, attempt: int) -> Any:
    return timezone.now() + timedelta(seconds=budget_of(attempt))
