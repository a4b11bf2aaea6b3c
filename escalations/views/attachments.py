"""Files in a conversation: attach, look at, take out again."""

from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from escalations import downloads
from escalations.actions import attachments as actions
from escalations.models import Attachment
from escalations.views import uploads
from escalations.views.session_page import find, page
from resolutionflow.accounts.requests import MemberRequest


@require_POST
def attach(request: MemberRequest, session_id: UUID) -> HttpResponse:
    """Files for the next message. A script sends one at a time and gets its line, or why it was not taken."""
    session = find(request, session_id)
    actions.require_room(session, by=request.user, size=0)
    taken, refused = uploads.take(request, session)
    if not taken and not refused:
        refused = [actions.Refused("Choose a file first.")]
    if refused and not request.htmx:
        return page(request, session, status=422, file_errors=[str(each) for each in refused])
    if refused:
        raise refused[0]
    if not request.htmx:
        return redirect(_composer(session_id))
    told = {"session": session, "pending": taken}
    return render(request, "escalations/_pending.html", told, status=201)


@require_safe
def show(request: MemberRequest, session_id: UUID, attachment_id: UUID) -> StreamingHttpResponse:
    return downloads.answer(request, get_object_or_404(_seen_by(request, session_id), pk=attachment_id))


@require_POST
def remove(request: MemberRequest, session_id: UUID, attachment_id: UUID) -> HttpResponse:
    found = Attachment.objects.filter(session=session_id, session__account=request.account)
    actions.remove(get_object_or_404(found, pk=attachment_id), by=request.user)
    return HttpResponse() if request.htmx else redirect(_composer(session_id))


def _seen_by(request: MemberRequest, session_id: UUID) -> QuerySet[Attachment]:
    """What was sent is for the account; what waits to be sent for who uploaded it."""
    of_session = Attachment.objects.filter(session=session_id, session__account=request.account)
    return of_session.filter(Q(message__isnull=False) | Q(uploaded_by=request.user))


def _composer(session_id: UUID) -> str:
    return reverse("escalations:session", args=[session_id]) + "#composer"
