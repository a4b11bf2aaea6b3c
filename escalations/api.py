"""Doors for programs. Each finds within the account, calls one verb, and answers.

The path's object is found before the body is looked at: a stranger's answers 404 whatever was sent along.
"""

from typing import Annotated, Any
from uuid import UUID

from django.http import Http404, HttpResponse
from ninja import Query, Router, Status
from ninja.errors import ValidationError
from ninja.params.models import Path as InPath
from pydantic import PlainValidator, ValidationInfo, WithJsonSchema

from escalations import downloads, shapes, suggestions
from escalations.actions import feedback, handoffs, offers, secrets, sessions
from escalations.actions.suggestions import SuggestedStep
from escalations.idempotency import once
from escalations.models import AISession, Handoff, Message
from resolutionflow.accounts.models import Account, User
from resolutionflow.accounts.tokens import SignedRequest, account_of

router = Router()
READ, CHANGE = shapes.REFUSALS, shapes.REFUSED_CHANGES


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error


def _account(info: ValidationInfo) -> Account:
    return account_of((info.context or {})["request"])


def _find_session(id: str, info: ValidationInfo) -> AISession:
    found = AISession.objects.for_account(_account(info)).for_list().filter(pk=_uuid(id)).first()
    if found is None:
        raise Http404
    return found


def _find_handoff(id: str, info: ValidationInfo) -> Handoff:
    found = Handoff.objects.for_account(_account(info)).for_context().filter(pk=_uuid(id)).first()
    if found is None:
        raise Http404
    return found


_AS_ID = WithJsonSchema({"type": "string", "format": "uuid"})
SessionOfPath = Annotated[AISession, PlainValidator(_find_session), _AS_ID, InPath(..., alias="session_id")]
HandoffOfPath = Annotated[Handoff, PlainValidator(_find_handoff), _AS_ID, InPath(..., alias="handoff_id")]

# Sessions


@router.post(
    "/sessions", response={201: shapes.SessionShape, **CHANGE}, operation_id="start_session", tags=["Sessions"]
)
@once
def start_session(request: SignedRequest, told: shapes.SessionTold) -> Status[Any]:
    """Open a session on your desk. FlowPilot answers to the problem, if one is told."""
    given = told.model_dump(exclude_none=True)
    session = sessions.start(account_of(request), by=request.auth, **given)
    return Status(201, shapes.session(session))


@router.get(
    "/sessions/{session_id}", response={200: shapes.SessionShape, **READ}, operation_id="get_session", tags=["Sessions"]
)
def get_session(request: SignedRequest, session: SessionOfPath) -> Status[Any]:
    """A session with its messages and tried steps."""
    return Status(200, shapes.session(session))


@router.get(
    "/sessions/{session_id}/attachments/{attachment_id}",
    response={200: None, **READ},
    operation_id="get_attachment",
    tags=["Sessions"],
)
def get_attachment(request: SignedRequest, session: SessionOfPath, attachment_id: str) -> Any:
    """A file that was sent with a message, as it was uploaded. A session's messages name theirs."""
    found = session.attachments.filter(message__isnull=False, pk=_uuid(attachment_id)).first()
    if found is None:
        raise Http404
    return downloads.answer(request, found)


@router.post(
    "/sessions/{session_id}/messages",
    response={201: shapes.MessageShape, **CHANGE},
    operation_id="post_message",
    tags=["Sessions"],
)
@once
def post_message(request: SignedRequest, session: SessionOfPath, told: shapes.MessageTold) -> Status[Any]:
    """Write a message as the session's holder; FlowPilot answers in the background."""
    message = sessions.post(session, by=request.auth, body=told.body, step=_suggested(session, told.step))
    return Status(201, shapes.message(message))


@router.post(
    "/sessions/{session_id}/steps",
    response={201: shapes.StepShape, **CHANGE},
    operation_id="record_step",
    tags=["Sessions"],
)
@once
def record_step(request: SignedRequest, session: SessionOfPath, told: shapes.StepTold) -> Status[Any]:
    """Record what was tried, and how it went. 409 if that was recorded of the same message already."""
    given = told.model_dump(exclude_none=True, exclude={"message_id"})
    source = _message_of(session, told.message_id) if told.message_id else None
    step = sessions.record_step(session, by=request.auth, source_message=source, **given)
    return Status(201, shapes.step(step))


@router.post(
    "/sessions/{session_id}/handoffs",
    response={201: shapes.HandoffShape, **CHANGE},
    operation_id="escalate",
    tags=["Sessions"],
)
@once
def escalate(request: SignedRequest, session: SessionOfPath, told: shapes.HandoffTold) -> Status[Any]:
    """Freeze the session's context and put it into the queue. 409 if a handoff of it is open."""
    given = told.model_dump(exclude_none=True, exclude={"intent"})
    handoff = handoffs.escalate(session, by=request.auth, **given)
    return Status(201, shapes.handoff(handoff))


@router.post(
    "/sessions/{session_id}/resolve",
    response={200: shapes.SessionShape, **CHANGE},
    operation_id="resolve_session",
    tags=["Sessions"],
)
@once
def resolve_session(request: SignedRequest, session: SessionOfPath, told: shapes.ResolutionTold) -> Status[Any]:
    """Close the session with what fixed it; its open handoff closes with it."""
    sessions.resolve(session, by=request.auth, resolution=told.resolution)
    return Status(200, shapes.session(session))


@router.post(
    "/sessions/{session_id}/reveal",
    response={200: shapes.RevealShape, **CHANGE},
    operation_id="reveal_secret",
    tags=["Sessions"],
)
def reveal_secret(
    request: SignedRequest, response: HttpResponse, session: SessionOfPath, told: shapes.RevealTold
) -> Status[Any]:
    """A secret that was taken out of the session's texts, for its holder. Who read it stands in the session."""
    secret = session.secrets.select_related("session").filter(number=told.number).first()
    if secret is None:
        raise Http404
    value = secrets.reveal(secret, by=request.auth)
    response["Cache-Control"] = "no-store"
    return Status(200, {"number": secret.number, "kind": secret.kind, "value": value})


# Handoffs


@router.get("/handoffs", response={200: shapes.HandoffsShape, **READ}, operation_id="list_handoffs", tags=["Handoffs"])
def list_handoffs(request: SignedRequest, asked: Query[shapes.HandoffsAsked]) -> Status[Any]:
    """The account's handoffs, oldest first; `count` is how many there are beyond this page too."""
    _refuse_unknown_filters(request)
    found = Handoff.objects.for_account(account_of(request)).order_by("created_at", "id")
    if asked.state:
        found = found.filter(state=asked.state)
    page = found.for_context()[asked.offset : asked.offset + asked.limit]
    return Status(200, {"items": [shapes.handoff(handoff) for handoff in page], "count": found.count()})


@router.get(
    "/handoffs/{handoff_id}", response={200: shapes.HandoffShape, **READ}, operation_id="get_handoff", tags=["Handoffs"]
)
def get_handoff(request: SignedRequest, handoff: HandoffOfPath) -> Status[Any]:
    """A handoff with its frozen context and its assessment."""
    return Status(200, shapes.handoff(handoff))


@router.post(
    "/handoffs/{handoff_id}/pick-up",
    response={200: shapes.HandoffShape, **CHANGE},
    operation_id="pick_up_handoff",
    tags=["Handoffs"],
)
@once
def pick_up(request: SignedRequest, handoff: HandoffOfPath, told: shapes.NothingTold | None = None) -> Status[Any]:
    """Take a waiting handoff and its session. Of many who try, one wins; the others learn who (409)."""
    return Status(200, shapes.handoff(handoffs.pick_up(handoff, by=request.auth)))


@router.post(
    "/handoffs/{handoff_id}/release",
    response={200: shapes.HandoffShape, **CHANGE},
    operation_id="release_handoff",
    tags=["Handoffs"],
)
@once
def release(request: SignedRequest, handoff: HandoffOfPath, told: shapes.NothingTold | None = None) -> Status[Any]:
    """Put back into the queue what you picked up, at its original age."""
    return Status(200, shapes.handoff(handoffs.release(handoff, by=request.auth)))


@router.post(
    "/handoffs/{handoff_id}/undo",
    response={200: shapes.HandoffShape, **CHANGE},
    operation_id="undo_pick_up",
    tags=["Handoffs"],
)
@once
def undo(request: SignedRequest, handoff: HandoffOfPath, told: shapes.NothingTold | None = None) -> Status[Any]:
    """Undo your own pick-up within 30 seconds, if you have done nothing with it; no figure counts it."""
    return Status(200, shapes.handoff(handoffs.undo(handoff, by=request.auth)))


@router.post(
    "/handoffs/{handoff_id}/hand-to",
    response={201: shapes.OfferShape, **CHANGE},
    operation_id="hand_to",
    tags=["Handoffs"],
)
@once
def hand_to(request: SignedRequest, handoff: HandoffOfPath, told: shapes.HandToTold) -> Status[Any]:
    """Offer what you picked up to a colleague. It stays yours until they accept; 409 if it is offered already."""
    to = User.objects.for_account(account_of(request)).filter(pk=told.to).first()
    return Status(201, shapes.offer(offers.hand_to(handoff, by=request.auth, to=to, note=told.note or "")))


@router.post(
    "/handoffs/{handoff_id}/accept",
    response={200: shapes.HandoffShape, **CHANGE},
    operation_id="accept_offer",
    tags=["Handoffs"],
)
@once
def accept(request: SignedRequest, handoff: HandoffOfPath, told: shapes.NothingTold | None = None) -> Status[Any]:
    """Take over what a colleague offers you: released and picked up in one go."""
    return Status(200, shapes.handoff(offers.accept(handoff, by=request.auth)))


@router.post(
    "/handoffs/{handoff_id}/decline",
    response={200: shapes.OfferShape, **CHANGE},
    operation_id="decline_offer",
    tags=["Handoffs"],
)
@once
def decline(request: SignedRequest, handoff: HandoffOfPath, told: shapes.NothingTold | None = None) -> Status[Any]:
    """Say no to what a colleague offers you; it stays theirs."""
    return Status(200, shapes.offer(offers.decline(handoff, by=request.auth)))


@router.post(
    "/handoffs/{handoff_id}/withdraw",
    response={200: shapes.OfferShape, **CHANGE},
    operation_id="withdraw_offer",
    tags=["Handoffs"],
)
@once
def withdraw(request: SignedRequest, handoff: HandoffOfPath, told: shapes.NothingTold | None = None) -> Status[Any]:
    """Keep what you had offered to a colleague."""
    return Status(200, shapes.offer(offers.withdraw(handoff, by=request.auth)))


@router.post(
    "/handoffs/{handoff_id}/take-back",
    response={200: shapes.HandoffShape, **CHANGE},
    operation_id="take_back_handoff",
    tags=["Handoffs"],
)
@once
def take_back(request: SignedRequest, handoff: HandoffOfPath, told: shapes.NothingTold | None = None) -> Status[Any]:
    """Recall your own escalation while it waits."""
    return Status(200, shapes.handoff(handoffs.take_back(handoff, by=request.auth)))


@router.post(
    "/handoffs/{handoff_id}/feedback",
    response={200: shapes.FeedbackShape, **CHANGE},
    operation_id="judge_assessment",
    tags=["Handoffs"],
)
@once
def judge(request: SignedRequest, handoff: HandoffOfPath, told: shapes.FeedbackTold) -> Status[Any]:
    """Say whether the assessment helped. Whoever picked the handoff up has one vote, and the last one counts."""
    given = told.model_dump(exclude_none=True)
    return Status(200, shapes.feedback(feedback.judge(handoff, by=request.auth, **given)))


def _message_of(session: AISession, message_id: UUID) -> Message:
    found = session.messages.select_related("step_handoff").filter(pk=message_id).first()
    if found is None:
        raise Http404
    return found


def _suggested(session: AISession, told: shapes.SuggestionTold | None) -> SuggestedStep | None:
    """404 for a step that nobody suggested in this session."""
    if told is None:
        return None
    handoff = session.handoffs.select_related("assessment").filter(pk=told.handoff_id).first()
    step = suggestions.of_handoff(handoff, told.index) if handoff else None
    if handoff is None or step is None:
        raise Http404
    return SuggestedStep(handoff, told.index, step.text)


def _refuse_unknown_filters(request: SignedRequest) -> None:
    """A misspelt filter would otherwise answer with everything."""
    unknown = request.GET.keys() - shapes.HandoffsAsked.model_fields.keys()
    if unknown:
        raise ValidationError([{"loc": ("query", name), "type": "extra_forbidden", "msg": ""} for name in unknown])
