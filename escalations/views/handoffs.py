"""The handoff-context screen, and what can be done with a handoff."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from escalations import context as handoff_context
from escalations.actions import assessments, feedback
from escalations.actions import handoffs as actions
from escalations.actions.refusals import AlreadyPickedUp, Conflict
from escalations.forms import FeedbackForm, ReleaseForm
from escalations.models import Handoff
from escalations.views.session_page import removed
from resolutionflow.accounts.requests import MemberRequest


def find(request: MemberRequest, handoff_id: UUID) -> Handoff:
    return get_object_or_404(Handoff.objects.for_account(request.account).for_context(), pk=handoff_id)


@never_cache
@require_safe
def context(request: MemberRequest, handoff_id: UUID) -> HttpResponse:
    """Four sections: Problem summary, What's been tried, AI assessment, Start here."""
    handoff = find(request, handoff_id)
    if handoff.session.pruned_at:
        return removed(request, handoff.session)
    return render(request, "escalations/handoff.html", handoff_context.of(handoff, viewer=request.user))


@require_POST
def pick_up(request: MemberRequest, handoff_id: UUID) -> HttpResponse:
    handoff = find(request, handoff_id)
    try:
        actions.pick_up(handoff, by=request.user)
    except (AlreadyPickedUp, Conflict) as refusal:
        return _lost(request, handoff, refusal)
    return go(request, reverse("escalations:handoff", args=[handoff.pk]))


@require_POST
def release(request: MemberRequest, handoff_id: UUID) -> HttpResponse:
    handoff = find(request, handoff_id)
    form = ReleaseForm(request.POST)
    if not form.is_valid():
        template = "_notice.html" if request.htmx else "error.html"
        said = f"Reason: {form.errors['reason'][0]}"
        return render(request, template, {"title": "That did not work", "said": said}, status=422)
    actions.release(handoff, by=request.user, reason=form.cleaned_data["reason"])
    return go(request, reverse("escalations:queue"))


@require_POST
def undo(request: MemberRequest, handoff_id: UUID) -> HttpResponse:
    actions.undo(find(request, handoff_id), by=request.user)
    return go(request, reverse("escalations:queue"))


@require_POST
def take_back(request: MemberRequest, handoff_id: UUID) -> HttpResponse:
    handoff = actions.take_back(find(request, handoff_id), by=request.user)
    return go(request, reverse("escalations:session", args=[handoff.session_id]))


@require_POST
def assess_again(request: MemberRequest, handoff_id: UUID) -> HttpResponse:
    handoff = find(request, handoff_id)
    assessments.try_again(handoff, by=request.user)
    return go(request, reverse("escalations:handoff", args=[handoff.pk]) + "#assessment")


@require_POST
def judge(request: MemberRequest, handoff_id: UUID) -> HttpResponse:
    """Whether the assessment helped, and why."""
    handoff = find(request, handoff_id)
    form = FeedbackForm(request.POST)
    if form.is_valid():
        feedback.judge(handoff, by=request.user, **form.cleaned_data)
        if not request.htmx:
            return redirect(reverse("escalations:handoff", args=[handoff.pk]) + "#feedback")
    status = 200 if form.is_valid() else 422
    typed = {} if form.is_valid() else {"feedback_form": form, "why": form.data.get("why", "")}
    if request.htmx:
        told = handoff_context.judgement(handoff, viewer=request.user)
        return render(request, "escalations/_feedback.html", told | typed, status=status)
    return render(
        request, "escalations/handoff.html", handoff_context.of(handoff, viewer=request.user) | typed, status=status
    )


def _lost(request: MemberRequest, handoff: Handoff, refusal: Conflict) -> HttpResponse:
    """Who won, and the next one that waits."""
    waiting = Handoff.objects.for_account(request.account).waiting().for_card().defer("snapshot")
    offer = waiting.exclude(created_by=request.user).first()
    template = "escalations/_lost.html" if request.htmx else "escalations/lost.html"
    return render(
        request, template, {"handoff": handoff, "said": str(refusal), "refusal": refusal, "offer": offer}, status=409
    )


def go(request: MemberRequest, address: str) -> HttpResponse:
    """On to the next page; HTMX is told to leave the one it stands on."""
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)
