"""The sessions: list and start, the conversation, escalate and resolve."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import reswap, retarget

from escalations import snapshot
from escalations.actions import handoffs
from escalations.actions import sessions as actions
from escalations.forms import EscalateForm, MessageForm, ResolveForm, StartForm, StepForm
from escalations.models import AISession, Handoff, Message, TriedStep
from escalations.models.session import STEP_LENGTH
from resolutionflow.accounts.requests import MemberRequest

PAGE_SIZE = 25


def _find(request: MemberRequest, session_id: UUID) -> AISession:
    sessions = AISession.objects.for_account(request.account)
    return get_object_or_404(sessions.select_related("holder", "started_by", "account"), pk=session_id)


@never_cache
@require_http_methods(["GET", "POST"])
def index(request: MemberRequest) -> HttpResponse:
    """My desk, the account's sessions, and the form that starts one."""
    form = StartForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        session = actions.start(request.account, by=request.user, **form.cleaned_data)
        return redirect("escalations:session", session.pk)
    sessions = AISession.objects.for_account(request.account)
    state = request.GET.get("state", "")
    listed = sessions.filter(state=state) if state in AISession.State.values else sessions
    context = {
        "form": form,
        "desk": sessions.of(request.user).for_list(),
        "page": Paginator(listed.for_list(), PAGE_SIZE).get_page(request.GET.get("page")),
        "states": AISession.State.choices,
        "state": state,
    }
    return render(request, "escalations/sessions.html", context, status=422 if form.errors else 200)


@never_cache
@require_GET
def show(request: MemberRequest, session_id: UUID) -> HttpResponse:
    return _page(request, _find(request, session_id))


@require_POST
def post(request: MemberRequest, session_id: UUID) -> HttpResponse:
    session = _find(request, session_id)
    form = MessageForm(request.POST)
    if not form.is_valid():
        return _wrong(request, session, "escalations/_composer.html", "#composer", message_form=form)
    message = actions.post(session, by=request.user, body=form.cleaned_data["body"], step=_suggested(session, form))
    if request.htmx:
        return render(request, "escalations/_message.html", {"session": session, "message": message})
    return redirect(reverse("escalations:session", args=[session.pk]) + f"#message-{message.pk}")


@require_POST
def record_step(request: MemberRequest, session_id: UUID) -> HttpResponse:
    """What was typed into the form, or with one press what a message of FlowPilot's suggested."""
    session = _find(request, session_id)
    if "of_message" in request.POST:
        step = _record_of_message(request, session)
    else:
        form = StepForm(request.POST)
        if not form.is_valid():
            return _wrong(request, session, "escalations/_step_form.html", "#step-form", step_form=form)
        step = actions.record_step(session, by=request.user, **form.cleaned_data)
    if request.htmx:
        return render(request, "escalations/_step.html", {"session": session, "step": step})
    return redirect(reverse("escalations:session", args=[session.pk]) + f"#step-{step.pk}")


@require_POST
def escalate(request: MemberRequest, session_id: UUID) -> HttpResponse:
    session = _find(request, session_id)
    form = EscalateForm(request.POST)
    if not form.is_valid():
        return _page(request, session, escalate_form=form, status=422)
    handoffs.escalate(session, by=request.user, **form.cleaned_data)
    return redirect("escalations:session", session.pk)


@require_POST
def resolve(request: MemberRequest, session_id: UUID) -> HttpResponse:
    session = _find(request, session_id)
    form = ResolveForm(request.POST)
    if not form.is_valid():
        return _page(request, session, resolve_form=form, status=422)
    actions.resolve(session, by=request.user, **form.cleaned_data)
    return redirect("escalations:session", session.pk)


def _record_of_message(request: MemberRequest, session: AISession) -> TriedStep:
    message_id, _, outcome = request.POST["of_message"].partition(":")
    if outcome not in TriedStep.Outcome.values or not _is_uuid(message_id):
        raise Http404
    message = get_object_or_404(session.messages, pk=message_id)
    return actions.record_step(
        session, by=request.user, description=_first_paragraph(message), outcome=outcome, source_message=message
    )


def _wrong(request: MemberRequest, session: AISession, template: str, place: str, **form: Any) -> HttpResponse:
    """The form again with what is wrong in it, in place or on the whole page; the text is kept."""
    if not request.htmx:
        return _page(request, session, status=422, **form)
    answer = render(request, template, {"session": session, "may_post": True, **form}, status=422)
    return reswap(retarget(answer, place), "outerHTML")


def _page(request: MemberRequest, session: AISession, *, status: int = 200, **forms: Any) -> HttpResponse:
    """The session's page, with a form that had errors as it was typed.

    The version is read before the messages, for the same reason as the queue's cursor.
    """
    handoff = _open_handoff(session)
    context = {
        "session": session,
        "version": session.version,
        "handoff": handoff,
        "messages_": session.messages.select_related("author", "session"),
        "steps": session.steps.select_related("by", "session"),
        "chips": _chips(session, handoff),
        "missing": snapshot.missing_from(session),
        "step_missing": snapshot.A_STEP,
        "may_post": session.is_open and session.holder_id == request.user.pk and request.user.may_work,
        "message_form": MessageForm(),
        "step_form": StepForm(),
        "escalate_form": EscalateForm(),
        "resolve_form": ResolveForm(),
        **forms,
    }
    return render(request, "escalations/session.html", context, status=status)


def _open_handoff(session: AISession) -> Handoff | None:
    return session.handoffs.open().for_context().first() or session.handoffs.for_context().first()


def _chips(session: AISession, handoff: Handoff | None) -> list[dict[str, Any]]:
    """The suggested steps, each with whether a message used it already."""
    if handoff is None or handoff.assessment.data is None:
        return []
    used = set(session.messages.filter(step_handoff=handoff).values_list("step_index", flat=True))
    steps = handoff.assessment.data["suggested_steps"]
    return [{**step, "index": i, "number": i + 1, "used": i in used} for i, step in enumerate(steps)]


def _suggested(session: AISession, form: MessageForm) -> actions.SuggestedStep | None:
    """The suggested step that the message started from, if it names one of this session's."""
    index, handoff_id = form.cleaned_data["step_index"], form.cleaned_data["step_handoff"]
    handoff = session.handoffs.select_related("assessment").filter(pk=handoff_id).first() if handoff_id else None
    if handoff is None or index is None or handoff.assessment.data is None:
        return None
    steps = handoff.assessment.data["suggested_steps"]
    return actions.SuggestedStep(handoff, index, steps[index]["text"]) if index < len(steps) else None


def _first_paragraph(message: Message) -> str:
    return message.body.split("\n\n")[0][:STEP_LENGTH]


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
