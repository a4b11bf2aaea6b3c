"""Read what was hidden in a session."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from escalations.actions import secrets
from escalations.forms import RevealForm
from escalations.models import Secret
from resolutionflow.accounts.requests import MemberRequest


@never_cache
@require_POST
def reveal(request: MemberRequest, session_id: UUID) -> HttpResponse:
    """The secret in its place, or without JavaScript on a page of its own. Who read it stands in the session."""
    form = RevealForm(request.POST)
    number = form.cleaned_data["number"] if form.is_valid() else 0
    found = Secret.objects.select_related("session").filter(session__account=request.account, session=session_id)
    secret = get_object_or_404(found, number=number)
    shown = {"secret": secret, "session": secret.session, "value": secrets.reveal(secret, by=request.user)}
    return render(request, "escalations/_revealed.html" if request.htmx else "escalations/revealed.html", shown)
