"""Tell whoever escalated what fixed it, and let them say that they know."""

from uuid import UUID

from django.db.models.functions import Now

from escalations import lessons
from escalations.actions import jobs
from escalations.actions.refusals import Conflict, NotAllowed
from escalations.actions.transaction import in_transaction
from escalations.models import Handoff, Lesson
from resolutionflow.accounts.models import User


def tell(handoff: Handoff) -> None:
    """Part of the transaction that resolves it. Which of the steps was closest is the worker's to find out."""
    Lesson.objects.create(handoff=handoff, account_id=handoff.account_id, learner_id=handoff.created_by_id)
    jobs.defer(jobs.COMPARE, first=False, handoff_id=str(handoff.pk))


def compare(handoff_id: UUID) -> None:
    """Note the learner's step that was closest to what fixed it, once. Reading takes some 100 ms of a core."""
    waiting = Lesson.objects.filter(handoff=handoff_id, compared_at=None)
    for lesson in waiting.select_related("handoff__session", "account"):
        waiting.update(closest=lessons.closest_step(lesson), compared_at=Now())


@in_transaction
def got_it(handoff: Handoff, *, by: User) -> None:
    """Take it off the list of what was solved for `by`; a second time changes nothing.

    Raises NotAllowed for anybody but who escalated it, Conflict while it is not resolved.
    """
    if handoff.created_by_id != by.pk:
        raise NotAllowed(f"{handoff.created_by} escalated it; only they can say that they know what fixed it.")
    if handoff.state != Handoff.State.RESOLVED:
        raise Conflict("It is not resolved, so there is nothing to know yet.")
    Lesson.objects.filter(handoff=handoff, got_at=None).update(got_at=Now())
