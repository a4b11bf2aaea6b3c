"""Hand to: a handoff is offered to a colleague, who answers on the queue's page or on the context screen."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from escalations.actions import offers as actions
from escalations.forms import HandToForm
from escalations.models import Offer
from escalations.views.handoffs import find, go
from resolutionflow.accounts.models import User
from resolutionflow.accounts.requests import MemberRequest


@never_cache
@require_safe
def show(request: MemberRequest) -> HttpResponse:
    """What this person is asked to take over, as a fragment of the queue's page."""
    return render(request, "escalations/_offers.html", {"offers": Offer.objects.waiting_for(request.user)})


@require_POST
def hand_to(request: MemberRequest, handoff_id: UUID) -> HttpResponse:
    handoff = find(request, handoff_id)
    form = HandToForm(request.POST)
    is_valid, colleagues = form.is_valid(), User.objects.for_account(request.account)
    to = colleagues.filter(pk=form.cleaned_data["to"]).first() if is_valid else None
    actions.hand_to(handoff, by=request.user, to=to, note=form.cleaned_data.get("note", ""))
    return go(request, reverse("escalations:handoff", args=[handoff.pk]))


@require_POST
def accept(request: MemberRequest, handoff_id: UUID) -> HttpResponse:
    handoff = actions.accept(find(request, handoff_id), by=request.user)
    return go(request, reverse("escalations:handoff", args=[handoff.pk]))


@require_POST
def decline(request: MemberRequest, handoff_id: UUID) -> HttpResponse:
    actions.decline(find(request, handoff_id), by=request.user)
    return go(request, reverse("escalations:queue"))


@require_POST
def withdraw(request: MemberRequest, handoff_id: UUID) -> HttpResponse:
    handoff = find(request, handoff_id)
    actions.withdraw(handoff, by=request.user)
    return go(request, reverse("escalations:handoff", args=[handoff.pk]))
