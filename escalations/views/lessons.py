"""What was solved for somebody, on their queue page, and that they know it."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from escalations import lessons
from escalations.actions import lessons as actions
from escalations.models import Handoff
from resolutionflow.accounts.requests import MemberRequest


@never_cache
@require_safe
def show(request: MemberRequest) -> HttpResponse:
    """The list alone, as the queue page shows it."""
    return _list(request)


@require_POST
def got_it(request: MemberRequest, handoff_id: UUID) -> HttpResponse:
    handoffs = Handoff.objects.for_account(request.account).select_related("created_by")
    handoff = get_object_or_404(handoffs, pk=handoff_id)
    actions.got_it(handoff, by=request.user)
    if request.htmx:
        return _list(request, focused=True)
    if request.POST.get("from") == "handoff":
        return redirect(reverse("escalations:handoff", args=[handoff.pk]) + "#what-fixed-it")
    return redirect("escalations:queue")


def _list(request: MemberRequest, *, focused: bool = False) -> HttpResponse:
    solved = lessons.for_learner(request.user, request.account)
    return render(request, "escalations/_lessons.html", {"solved": solved, "focused": focused})
