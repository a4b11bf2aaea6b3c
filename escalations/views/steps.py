"""The ledger of tried steps, as a browser uses it: record, merge, keep apart."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from escalations import ledger, suggestions
from escalations.actions import steps as actions
from escalations.actions.suggestions import SuggestedStep
from escalations.forms import StepForm
from escalations.models import AISession, Message, TriedStep
from escalations.models.session import STEP_LENGTH
from escalations.views.session_page import find, wrong
from resolutionflow.accounts.requests import MemberRequest


@require_POST
def record(request: MemberRequest, session_id: UUID) -> HttpResponse:
    """What was typed into the form; or with one press a message, or a suggested step, with how it went."""
    session = find(request, session_id)
    if "of_message" in request.POST:
        step = _record_message(request, session)
    elif "of_step" in request.POST:
        step = _record_suggestion(request, session)
    else:
        form = StepForm(request.POST)
        if not form.is_valid():
            return wrong(request, session, "escalations/_step_form.html", "#step-form", step_form=form)
        step = actions.record_step(session, by=request.user, **form.cleaned_data)
    if request.htmx:
        return render(request, "escalations/_step.html", {"session": session, "step": ledger.entry(step)})
    return redirect(_place(session, step))


@require_POST
def merge(request: MemberRequest, session_id: UUID, step_id: UUID, other_id: UUID) -> HttpResponse:
    session = find(request, session_id)
    step = actions.merge(_find_step(session, step_id), _find_step(session, other_id), by=request.user)
    return _ledger(request, session, step)


@require_POST
def keep_apart(request: MemberRequest, session_id: UUID, step_id: UUID) -> HttpResponse:
    session = find(request, session_id)
    step = _find_step(session, step_id)
    actions.keep_apart(step, by=request.user)
    return _ledger(request, session, step)


def _record_message(request: MemberRequest, session: AISession) -> TriedStep:
    message_id, _, outcome = request.POST["of_message"].partition(":")
    message = get_object_or_404(session.messages.select_related("step_handoff"), pk=_uuid(message_id))
    return actions.record_step(
        session,
        by=request.user,
        description=_first_paragraph(message),
        outcome=_outcome(outcome),
        source_message=message,
    )


def _record_suggestion(request: MemberRequest, session: AISession) -> TriedStep:
    """`<handoff>:<index>:<outcome>`"""
    handoff_id, _, rest = request.POST["of_step"].partition(":")
    index, _, outcome = rest.partition(":")
    handoff = get_object_or_404(session.handoffs.select_related("assessment"), pk=_uuid(handoff_id))
    step = suggestions.of_handoff(handoff, int(index)) if index in set("0123456789") else None
    if step is None:
        raise Http404
    suggestion = SuggestedStep(handoff, int(index), step.text)
    return actions.record_step(
        session, by=request.user, description=step.text, outcome=_outcome(outcome), suggestion=suggestion
    )


def _ledger(request: MemberRequest, session: AISession, step: TriedStep) -> HttpResponse:
    """The whole ledger, with the focus on the step that was decided about."""
    if request.htmx:
        told = {"session": session, "steps": ledger.of(ledger.steps_of(session)), "focused": step}
        return render(request, "escalations/_ledger.html", told)
    return redirect(_place(session, step))


def _place(session: AISession, step: TriedStep) -> str:
    return reverse("escalations:session", args=[session.pk]) + f"#step-{step.pk}"


def _find_step(session: AISession, step_id: UUID) -> TriedStep:
    return get_object_or_404(session.steps.select_related("session"), pk=step_id)


def _first_paragraph(message: Message) -> str:
    return message.body.split("\n\n")[0][:STEP_LENGTH]


def _outcome(text: str) -> str:
    if text not in TriedStep.Outcome.values:
        raise Http404
    return text


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error
