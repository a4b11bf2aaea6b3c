"""The session's page, which several doors answer with: as it is, or with a form that had errors as it was typed."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django_htmx.http import reswap, retarget

from escalations import copilot, hold, ledger, snapshot, suggestions
from escalations.actions import attachments, drafts
from escalations.forms import EscalateForm, HandToForm, MessageForm, ResolveForm, StepForm
from escalations.models import AISession, Assessment, Draft, Handoff, Message, TriedStep
from resolutionflow.accounts.requests import MemberRequest

DISMISSED = "dismissed_suggestions"  # in the browser's session: the sessions whose chips this person put away
MOST_DISMISSED = 100


def find(request: MemberRequest, session_id: UUID) -> AISession:
    sessions = AISession.objects.for_account(request.account)
    return get_object_or_404(sessions.select_related("holder", "started_by", "account"), pk=session_id)


def removed(request: MemberRequest, session: AISession) -> HttpResponse:
    """What is left of a session whose texts are gone: who, when, and what became of it."""
    handoffs = session.handoffs.select_related("created_by", "picked_up_by").order_by("created_at")
    return render(request, "escalations/removed.html", {"session": session, "handoffs": handoffs})


def page(request: MemberRequest, session: AISession, *, status: int = 200, **forms: Any) -> HttpResponse:
    """The whole page. Its version is read before the messages, for the same reason as the queue's cursor."""
    messages, steps = (
        list(session.messages.select_related("author", "session").prefetch_related("attachments")),
        ledger.steps_of(session),
    )
    told, unsent = suggested(request, session, messages, steps), composing(request, session)
    kept = unsent["drafts"]
    context = {
        "version": session.version,
        "messages_": ledger.with_records(messages, steps),
        "steps": ledger.of(steps),
        "missing": snapshot.missing_from(session),
        "step_missing": snapshot.A_STEP,
        "message_form": MessageForm(initial=_written(request, told, kept[Draft.Field.MESSAGE])),
        "step_form": StepForm(),
        "escalate_form": EscalateForm(initial={"reason": kept[Draft.Field.REASON].text}),
        "resolve_form": ResolveForm(initial={"resolution": kept[Draft.Field.RESOLUTION].text}),
        "hold": hold.of(told["handoff"], viewer=request.user),
        "hand_to_form": HandToForm(),
        "is_searched": copilot.is_on(session.account),
        **told,
        **unsent,
        **forms,
    }
    return render(request, "escalations/session.html", context, status=status)


def suggested(
    request: MemberRequest, session: AISession, messages: list[Message], steps: list[TriedStep]
) -> dict[str, Any]:
    """What the chips and the list of suggested steps are made of."""
    handoff = _open_handoff(session)
    state = handoff.assessment.current_state if handoff else None
    return {
        "session": session,
        "handoff": handoff,
        "suggestions": suggestions.of(handoff, messages, steps),
        "suggestions_shown": str(session.pk) not in request.session.get(DISMISSED, []),
        "suggestions_expected": state in Assessment.MAY_BECOME_READY,
        "may_post": session.is_open and session.holder_id == request.user.pk and request.user.may_work,
    }


def composing(request: MemberRequest, session: AISession) -> dict[str, Any]:
    """What this person has not sent yet, and what may be attached."""
    return {
        "drafts": drafts.of(session, by=request.user),
        "pending": attachments.unsent(session, by=request.user),
        "max_mb": settings.ATTACHMENT_MAX_MB,
    }


def _written(request: MemberRequest, told: dict[str, Any], draft: drafts.Kept) -> dict[str, Any]:
    """The composer's text and where it comes from: the draft, with the chip that was pressed in a browser without
    scripts behind it."""
    for chip in told["suggestions"]:
        if str(chip.index) == request.GET.get("step"):
            body = f"{draft.text.rstrip()} {chip.step.text}".lstrip()
            return {"body": body, "step_handoff": told["handoff"].pk, "step_index": chip.index}
    return {"body": draft.text, "step_handoff": draft.step_handoff, "step_index": draft.step_index}


def show_suggestions(request: MemberRequest, session: AISession, *, shown: bool) -> None:
    """Remember, as long as this person is signed in, whether this session shows its chips."""
    others = [key for key in request.session.get(DISMISSED, []) if key != str(session.pk)]
    request.session[DISMISSED] = others if shown else [*others, str(session.pk)][-MOST_DISMISSED:]


def wrong(request: MemberRequest, session: AISession, template: str, place: str, **form: Any) -> HttpResponse:
    """The form again with what is wrong in it, in place or on the whole page; the text is kept."""
    if not request.htmx:
        return page(request, session, status=422, **form)
    answer = render(
        request, template, {"session": session, "may_post": True, **composing(request, session), **form}, status=422
    )
    return reswap(retarget(answer, place), "outerHTML")


def _open_handoff(session: AISession) -> Handoff | None:
    return session.handoffs.open().for_context().first() or session.handoffs.for_context().first()
