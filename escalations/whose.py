"""The account of what a job is about: jobs carry an id and no account."""

from uuid import UUID

from escalations.models import AISession, Handoff
from resolutionflow import walls


@walls.everywhere()
def handoff(handoff_id: UUID | str) -> UUID | None:
    """The handoff's account; None if it is gone, and then nothing is to be seen either."""
    return Handoff.objects.filter(pk=handoff_id).values_list("account_id", flat=True).first()


@walls.everywhere()
def session(session_id: UUID | str) -> UUID | None:
    """The session's account, likewise."""
    return AISession.objects.filter(pk=session_id).values_list("account_id", flat=True).first()
