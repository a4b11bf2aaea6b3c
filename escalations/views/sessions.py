"""The sessions: list and start, the conversation, escalate and resolve."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from escalations import ledger, search, suggestions
from escalations.actions import handoffs
from escalations.actions import sessions as actions
from escalations.forms import EscalateForm, MessageForm, ResolveForm, StartForm
from escalations.models import AISession
from escalations.views import session_page, uploads
from escalations.views.session_page import find, page, removed, wrong
from resolutionflow.accounts.requests import MemberRequest

PAGE_SIZE = 25


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: MemberRequest) -> HttpResponse:
    """My desk, the account's sessions or those that have the words of `?q=`, and the form that starts one."""
    form = StartForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        session = actions.start(request.account, by=request.user, **form.cleaned_data)
        return redirect("escalations:session", session.pk)
    sessions = AISession.objects.for_account(request.account)
    state = request.GET.get("state", "")
    listed = sessions.filter(state=state) if state in AISession.State.values else sessions
    question = search.clean(request.GET.get("q", ""))
    asked = search.read(question) if question else None
    keys = search.find(listed, request.account, asked) if asked else []
    shown = Paginator(keys if question else listed.for_list(), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "desk": sessions.of(request.user).for_list(),
        "page": shown,
        "question": question,
        "found": search.show(sessions.for_list(), keys[max(shown.start_index() - 1, 0) : shown.end_index()], asked)
        if asked
        else [],
        "has_more": len(keys) == search.MOST_FOUND,
        "states": AISession.State.choices,
        "state": state,
    }
    return render(request, "escalations/sessions.html", context, status=422 if form.errors else 200)


@never_cache
@require_safe
def show(request: MemberRequest, session_id: UUID) -> HttpResponse:
    session = find(request, session_id)
    return removed(request, session) if session.pruned_at else page(request, session)


@require_POST
def post(request: MemberRequest, session_id: UUID) -> HttpResponse:
    session = find(request, session_id)
    taken, refused = uploads.take(request, session)  # without scripts they come along with the text
    files = [*uploads.named(request), *(attachment.pk for attachment in taken)]
    form = MessageForm(request.POST, has_files=bool(files))
    if refused or not form.is_valid():
        told = {"message_form": form, "file_errors": [str(each) for each in refused]}
        return wrong(request, session, "escalations/_composer.html", "#composer", **told)
    body, step = form.cleaned_data["body"], _suggested(session, form)
    message = actions.post(session, by=request.user, body=body, step=step, files=files, from_draft=True)
    if request.htmx:
        return render(
            request, "escalations/_message.html", {"session": session, "message": ledger.with_record(message)}
        )
    return redirect(reverse("escalations:session", args=[session.pk]) + f"#message-{message.pk}")


@require_POST
def show_suggestions(request: MemberRequest, session_id: UUID) -> HttpResponse:
    """Put the chips away for this session, or bring them back."""
    session = find(request, session_id)
    session_page.show_suggestions(request, session, shown=request.POST.get("shown") == "yes")
    if request.htmx:
        told = session_page.suggested(request, session, list(session.messages.all()), ledger.steps_of(session))
        return render(request, "escalations/_chips.html", told)
    return redirect("escalations:session", session.pk)


@require_POST
def escalate(request: MemberRequest, session_id: UUID) -> HttpResponse:
    session = find(request, session_id)
    form = EscalateForm(request.POST)
    if not form.is_valid():
        return page(request, session, escalate_form=form, status=422)
    handoffs.escalate(session, by=request.user, from_draft=True, **form.cleaned_data)
    return redirect("escalations:session", session.pk)


@require_POST
def resolve(request: MemberRequest, session_id: UUID) -> HttpResponse:
    session = find(request, session_id)
    form = ResolveForm(request.POST)
    if not form.is_valid():
        return page(request, session, resolve_form=form, status=422)
    actions.resolve(session, by=request.user, from_draft=True, **form.cleaned_data)
    return redirect("escalations:session", session.pk)


def _suggested(session: AISession, form: MessageForm) -> actions.SuggestedStep | None:
    """The suggested step that the message started from, if it names one of this session's."""
    index, handoff_id = form.cleaned_data["step_index"], form.cleaned_data["step_handoff"]
    handoff = session.handoffs.select_related("assessment").filter(pk=handoff_id).first() if handoff_id else None
    if handoff is None or index is None:
        return None
    step = suggestions.of_handoff(handoff, index)
    return actions.SuggestedStep(handoff, index, step.text) if step else None
