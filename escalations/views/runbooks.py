"""A page of the runbook, for whoever wants to see what a suggestion rests on."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from escalations.assessor import runbook
from resolutionflow.accounts.requests import MemberRequest


@require_GET
def show(request: MemberRequest, key: str) -> HttpResponse:
    page = next((page for page in runbook.PAGES if page.id == key), None)
    if page is None:
        raise Http404
    return render(request, "escalations/runbook.html", {"page": page})
