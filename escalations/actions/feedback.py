"""Say whether an assessment helped."""

from django.utils import timezone

from escalations.actions.refusals import Conflict, NotAllowed, require_engineer
from escalations.actions.transaction import in_transaction
from escalations.masking import mask
from escalations.models import Assessment, Feedback, Handoff
from escalations.models.feedback import WHY_LENGTH
from resolutionflow.accounts.models import User


@in_transaction
def judge(handoff: Handoff, *, by: User, helpful: bool, why: str = "") -> Feedback:
    """One vote per picker; voting again replaces the vote, its reason included.

    Raises NotAllowed for anybody who never picked this handoff up, Conflict while there is no assessment.
    """
    require_engineer(by)
    if not handoff.was_picked_up_by(by):
        raise NotAllowed("Only who picked it up can say whether the assessment helped.")
    if handoff.assessment.state != Assessment.State.READY:
        raise Conflict("There is no assessment to judge yet.")
    vote = {"helpful": helpful, "why": mask(why)[:WHY_LENGTH], "at": timezone.now()}
    return Feedback.objects.update_or_create(assessment=handoff.assessment, by=by, defaults=vote)[0]
