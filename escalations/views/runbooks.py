"""A page of the runbook, for whoever wants to see what a suggestion rests on."""

from contextlib import suppress
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from escalations.assessor import runbook
from escalations.models import Runbook
from resolutionflow.accounts.requests import MemberRequest


@require_safe
def show(request: MemberRequest, key: str) -> HttpResponse:
    """A page of the account's own runbook (by its id), or of the built-in one (by its name)."""
    page = _own(request, key) or next((page for page in runbook.PAGES if page.id == key), None)
    if page is None:
        raise Http404
    return render(request, "escalations/runbook.html", {"page": page})


def _own(request: MemberRequest, key: str) -> Runbook | None:
    with suppress(ValueError):
        return Runbook.objects.for_account(request.user.account).filter(pk=UUID(key)).first()
    return None
