"""The files that come along with a form."""

from uuid import UUID

from django.http import Http404

from escalations.actions import attachments
from escalations.actions.attachments import Refused
from escalations.models import AISession, Attachment
from resolutionflow.accounts.requests import MemberRequest


def take(request: MemberRequest, session: AISession) -> tuple[list[Attachment], list[Refused]]:
    """Keep what can be kept of them; and why the others were not taken. Raises NotAllowed, Conflict for all of them."""
    taken, refused = [], []
    for upload in request.FILES.getlist("files"):
        told = {"name": upload.name or "", "size": upload.size or 0}
        try:
            taken.append(attachments.attach(session, by=request.user, file=upload.file, **told))  # type: ignore[arg-type]
        except Refused as error:
            refused.append(error)
    return taken, refused


def named(request: MemberRequest) -> list[UUID]:
    """The waiting files that a form names. Raises Http404 for what is no id."""
    try:
        return [UUID(told) for told in request.POST.getlist("attachment")]
    except ValueError as error:
        raise Http404 from error
