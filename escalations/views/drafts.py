"""Keep what somebody has written and not sent."""

from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from escalations.actions import drafts
from escalations.actions.refusals import require_engineer
from escalations.forms import DraftForm
from escalations.views.session_page import find
from resolutionflow.accounts.requests import MemberRequest


@require_POST
def keep(request: MemberRequest, session_id: UUID) -> HttpResponse:
    """204; 409 with the number of sendings if the page has missed one. `discard` comes from a button, not a script."""
    session = find(request, session_id)
    require_engineer(request.user)
    form = DraftForm(request.POST)
    if not form.is_valid():
        return HttpResponse("That draft cannot be kept.", status=422, content_type="text/plain")
    try:
        drafts.keep(session, by=request.user, **form.cleaned_data)
    except drafts.Late as late:
        return JsonResponse({"sent": late.sent}, status=409)
    return redirect("escalations:session", session.pk) if "discard" in request.POST else HttpResponse(status=204)
