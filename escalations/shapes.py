"""What goes into the API and what comes out of it; the calls and the stream share these shapes.

What comes in is strict: no other fields, no other types, nothing that the database cannot hold. Text loses the white
space around it. What goes out are plain dictionaries, which OpenAPI describes from their types.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired
from uuid import UUID

from django.db.models import TextChoices
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from typing_extensions import TypedDict

from escalations.models import AISession, Assessment, Attachment, Feedback, Handoff, Message, Offer, TriedStep
from escalations.models.feedback import WHY_LENGTH
from escalations.models.handoff import REASON_LENGTH
from escalations.models.offer import NOTE_LENGTH
from escalations.models.session import (
    BODY_LENGTH,
    CLIENT_LENGTH,
    RESOLUTION_LENGTH,
    STEP_LENGTH,
    TICKET_LENGTH,
    TITLE_LENGTH,
)
from resolutionflow.accounts.models import User

# In

HIGHEST_OFFSET = 1_000_000


def _text(length: int, *, least: int = 1) -> StringConstraints:
    # PostgreSQL's text holds any character but NUL.
    return StringConstraints(strip_whitespace=True, min_length=least, max_length=length, pattern=r"^[^\x00]*$")


def _as_id(told: object) -> UUID:
    if not isinstance(told, str):
        raise ValueError("an id is a UUID as text")
    return UUID(told)


Id = Annotated[UUID, BeforeValidator(_as_id)]


class Told(BaseModel):
    """A request's body."""

    model_config = ConfigDict(extra="forbid", strict=True)


class NothingTold(Told):
    """No body, or an empty object."""


class SessionTold(Told):
    title: Annotated[str, _text(TITLE_LENGTH)]
    client_name: Annotated[str, _text(CLIENT_LENGTH, least=0)] | None = None
    ticket_ref: Annotated[str, _text(TICKET_LENGTH, least=0)] | None = None
    problem: Annotated[str, _text(BODY_LENGTH, least=0)] | None = None


class SuggestionTold(Told):
    """Which suggested step of a handoff, counted from 0."""

    handoff_id: Id
    index: Annotated[int, Field(ge=0, le=99)]


class MessageTold(Told):
    """`step`: the suggested step that the message started from."""

    body: Annotated[str, _text(BODY_LENGTH)]
    step: SuggestionTold | None = None


class StepTold(Told):
    """`message_id`: the message of this session whose outcome it is; that is recorded once."""

    description: Annotated[str, _text(STEP_LENGTH)]
    outcome: Literal["worked", "failed", "inconclusive", "not_run"]
    note: Annotated[str, _text(STEP_LENGTH, least=0)] | None = None
    message_id: Id | None = None


class FeedbackTold(Told):
    """Whether the assessment helped."""

    helpful: bool
    why: Annotated[str, _text(WHY_LENGTH, least=0)] | None = None


class RevealTold(Told):
    number: Annotated[int, Field(ge=1, le=1_000_000)]


class HandoffTold(Told):
    intent: Literal["escalate"]
    reason: Annotated[str, _text(REASON_LENGTH)]
    priority: Literal["low", "normal", "high", "urgent"] | None = None


class ResolutionTold(Told):
    resolution: Annotated[str, _text(RESOLUTION_LENGTH)]


class HandToTold(Told):
    """`to`: the id of a colleague who may work on it."""

    to: Id
    note: Annotated[str, _text(NOTE_LENGTH, least=0)] | None = None


class HandoffsAsked(BaseModel):
    """The query of the list."""

    state: Literal["waiting", "picked_up", "resolved", "taken_back"] | None = None
    limit: int = Field(50, ge=1, le=200)
    offset: int = Field(0, ge=0, le=HIGHEST_OFFSET)


# Out


def _one_of(choices: type[TextChoices]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": list(choices.values)})


MessageAuthor = Annotated[str, _one_of(Message.Kind)]
StepOutcome = Annotated[str, _one_of(TriedStep.Outcome)]
SessionState = Annotated[str, _one_of(AISession.State)]
HandoffIntent = Annotated[str, _one_of(Handoff.Intent)]
HandoffState = Annotated[str, _one_of(Handoff.State)]
HandoffPriority = Annotated[str, _one_of(Handoff.Priority)]
OfferOutcome = Annotated[str, _one_of(Offer.Outcome)]
AssessmentState = Annotated[str, _one_of(Assessment.State)]


class Person(TypedDict):
    id: UUID
    name: str


class AttachmentShape(TypedDict):
    """`url` is where the file is, for the same token."""

    id: UUID
    name: str
    content_type: str
    size: int
    sha256: str
    url: str


class MessageShape(TypedDict):
    id: UUID
    number: int
    author: MessageAuthor
    by: Person | None
    body: str
    sources: list[dict[str, Any]]
    attachments: list[AttachmentShape]
    created_at: datetime


class StepShape(TypedDict):
    id: UUID
    description: str
    outcome: StepOutcome
    note: str
    by: Person | None
    created_at: datetime


class RevealShape(TypedDict):
    """`number` is what the texts call it: `[hidden password 2]`."""

    number: int
    kind: str
    value: str


class SessionShape(TypedDict):
    id: UUID
    title: str
    client_name: str
    ticket_ref: str
    problem: str
    state: SessionState
    holder: Person | None
    started_by: Person | None
    created_at: datetime
    resolved_at: datetime | None
    resolution: str
    version: int
    messages: list[MessageShape]
    steps: list[StepShape]


HandoffShape = TypedDict(  # in this form because `from` is a word of Python's
    "HandoffShape",
    {
        "id": UUID,
        "session_id": UUID,
        "intent": HandoffIntent,
        "state": HandoffState,
        "priority": HandoffPriority,
        "reason": str,
        "from": Person,
        "created_at": datetime,
        "picked_up_by": Person | None,
        "picked_up_at": datetime | None,
        "resolved_at": datetime | None,
        "snapshot": dict[str, Any],
        "ai_assessment": str | None,
        "ai_assessment_data": dict[str, Any] | None,
        "assessment_state": AssessmentState,
        "cursor": int,
    },
)


class HandoffsShape(TypedDict):
    items: list[HandoffShape]
    count: int


class OfferShape(TypedDict):
    id: UUID
    handoff_id: UUID
    to: Person | None
    by: Person | None
    note: str
    outcome: OfferOutcome
    made_at: datetime
    ended_at: datetime | None


class FeedbackShape(TypedDict):
    helpful: bool
    why: str
    by: Person | None
    at: datetime


class Problem(TypedDict):
    """Why the answer is no, as a sentence."""

    detail: str


class LostRace(Problem):
    """Conflict; a lost race for a handoff also says who won it, and when."""

    picked_up_by: NotRequired[Person | None]
    picked_up_at: NotRequired[datetime | None]


class WrongField(TypedDict):
    field: str
    message: str


class NotUnderstood(Problem):
    errors: list[WrongField]


# What every call may answer beside its own, for `response=`.
REFUSALS: dict[int, Any] = {401: Problem, 403: Problem, 404: Problem, 422: NotUnderstood, 429: Problem}
REFUSED_CHANGES: dict[int, Any] = {**REFUSALS, 400: Problem, 409: LostRace, 413: Problem}


def person(user: User | None) -> Person | None:
    return {"id": user.pk, "name": user.name} if user else None


def message(message: Message) -> MessageShape:
    return {
        "id": message.pk,
        "number": message.number,
        "author": message.kind,
        "by": person(message.author),
        "body": message.body,
        "sources": message.sources,
        "attachments": [attachment(found) for found in message.attachments.all()],
        "created_at": message.created_at,
    }


def attachment(attachment: Attachment) -> AttachmentShape:
    return {
        "id": attachment.pk,
        "name": attachment.name,
        "content_type": attachment.content_type,
        "size": attachment.size,
        "sha256": attachment.sha256,
        "url": f"/api/sessions/{attachment.session_id}/attachments/{attachment.pk}",
    }


def step(step: TriedStep) -> StepShape:
    return {
        "id": step.pk,
        "description": step.description,
        "outcome": step.outcome,
        "note": step.note,
        "by": person(step.by),
        "created_at": step.created_at,
    }


def feedback(feedback: Feedback) -> FeedbackShape:
    return {"helpful": feedback.helpful, "why": feedback.why, "by": person(feedback.by), "at": feedback.at}


def offer(offer: Offer) -> OfferShape:
    return {
        "id": offer.pk,
        "handoff_id": offer.handoff_id,
        "to": person(offer.to),
        "by": person(offer.by),
        "note": offer.note,
        "outcome": offer.outcome,
        "made_at": offer.made_at,
        "ended_at": offer.ended_at,
    }


def session(session: AISession) -> SessionShape:
    """With all its messages and steps, which are read now: they may be newer than `version`, never older."""
    return {
        "id": session.pk,
        "title": session.title,
        "client_name": session.client_name,
        "ticket_ref": session.ticket_ref,
        "problem": session.problem,
        "state": session.state,
        "holder": person(session.holder),
        "started_by": person(session.started_by),
        "created_at": session.created_at,
        "resolved_at": session.resolved_at,
        "resolution": session.resolution,
        "version": session.version,
        "messages": [
            message(found) for found in session.messages.select_related("author").prefetch_related("attachments")
        ],
        "steps": [step(found) for found in session.steps.standing().select_related("by")],
    }


def handoff(handoff: Handoff) -> HandoffShape:
    """Without queries, if the handoff was read `for_context()`."""
    data = handoff.assessment.data
    return {
        "id": handoff.pk,
        "session_id": handoff.session_id,
        "intent": handoff.intent,
        "state": handoff.state,
        "priority": handoff.priority,
        "reason": handoff.reason,
        "from": {"id": handoff.created_by_id, "name": handoff.created_by.name},
        "created_at": handoff.created_at,
        "picked_up_by": person(handoff.picked_up_by),
        "picked_up_at": handoff.picked_up_at,
        "resolved_at": handoff.resolved_at,
        "snapshot": handoff.snapshot,
        "ai_assessment": data["summary_prose"] if data else None,
        "ai_assessment_data": data,
        "assessment_state": handoff.assessment.current_state,
        "cursor": handoff.version,
    }
