"""What happened in an account, as plain rows: what the oracle reads, and what is written for the SQL to read."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any
from uuid import UUID

from escalations.models import (
    AISession,
    Assessment,
    FeedCounter,
    FeedEvent,
    Handoff,
    Message,
    RefusedPickup,
    TriedStep,
)
from resolutionflow.accounts.models import Account, User

BUDGET = timedelta(seconds=5)


@dataclass
class Event:
    seq: int
    kind: str
    handoff: UUID
    session: UUID
    actor: UUID | None
    at: datetime
    undone: bool = False  # it undoes the one before it


@dataclass
class Said:
    """A message; `step_of` is the handoff whose suggested step it is, `use` how it was sent."""

    id: UUID
    session: UUID
    author: UUID | None
    at: datetime
    kind: str = "engineer"
    step_of: UUID | None = None
    use: str = ""


@dataclass
class Tried:
    session: UUID
    by: UUID
    at: datetime
    outcome: str
    source: UUID | None = None


@dataclass
class Assessed:
    handoff: UUID
    requested_at: datetime
    deadline: datetime
    state: str = "pending"
    finished_at: datetime | None = None
    steps: int = 0


@dataclass
class Refused:
    handoff: UUID
    by: UUID
    held_by: UUID
    at: datetime


@dataclass
class History:
    """One account's. `people` are their ids; `gone` are switched off."""

    tz: tzinfo
    tz_name: str
    as_of: datetime
    first: Any  # the period's days, both in it
    last: Any
    people: list[UUID] = field(default_factory=list)
    gone: set[UUID] = field(default_factory=set)
    events: list[Event] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    assessed: dict[UUID, Assessed] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)


def write(history: History, name: str) -> Account:
    """The rows, as the product would have left them."""
    account = Account.objects.create(name=name, slug=name, time_zone=history.tz_name)
    User.objects.bulk_create(
        User(id=who, account=account, name=f"Person {n}", email=f"{who}@x.example", is_active=who not in history.gone)
        for n, who in enumerate(history.people)
    )
    sessions = {event.session for event in history.events} | {said.session for said in history.said}
    sessions |= {tried.session for tried in history.tried}
    began = min((event.at for event in history.events), default=history.as_of) - timedelta(days=400)
    AISession.objects.bulk_create(
        AISession(id=session, account=account, title="It loops", started_by_id=history.people[0], created_at=began)
        for session in sessions
    )
    Handoff.objects.bulk_create(_handoff(account, history, event) for event in created(history))
    FeedEvent.objects.bulk_create(
        FeedEvent(
            account=account,
            seq=event.seq,
            kind=event.kind,
            handoff_id=event.handoff,
            session_id=event.session,
            actor_id=event.actor,
            at=event.at,
            data={"undone": True} if event.undone else {},
        )
        for event in history.events
    )
    FeedCounter.objects.create(account=account, seq=len(history.events))
    _write_the_rest(account, history)
    return account


def created(history: History) -> list[Event]:
    return [event for event in history.events if event.kind == "handoff_created"]


def _handoff(account: Account, history: History, creation: Event) -> Handoff:
    """Its row as of its last event."""
    fields: dict[str, Any] = {"state": "waiting"}
    version = creation.seq
    for event in history.events:
        if event.handoff != creation.handoff:
            continue
        version = event.seq
        if event.kind == "handoff_picked_up":
            fields = {"state": "picked_up", "picked_up_by_id": event.actor, "picked_up_at": event.at}
        elif event.kind == "handoff_released":
            fields = {"state": "waiting"}
        elif event.kind == "handoff_taken_back":
            fields = {"state": "taken_back", "taken_back_at": event.at}
        elif event.kind == "handoff_resolved":
            fields |= {"state": "resolved", "resolved_at": event.at}
    return Handoff(
        id=creation.handoff,
        account=account,
        session_id=creation.session,
        created_by_id=creation.actor,
        created_at=creation.at,
        reason="Stuck.",
        snapshot={},
        version=version,
        **fields,
    )


def _write_the_rest(account: Account, history: History) -> None:
    Assessment.objects.bulk_create(
        Assessment(
            handoff_id=told.handoff,
            state=told.state,
            data={"suggested_steps": [{"text": "x"}] * told.steps} if told.state == "ready" else None,
            requested_at=told.requested_at,
            deadline=told.deadline,
            finished_at=told.finished_at,
        )
        for told in history.assessed.values()
    )
    Message.objects.bulk_create(
        Message(
            id=said.id,
            session_id=said.session,
            number=number,
            kind=said.kind,
            author_id=said.author,
            body="…",
            step_handoff_id=said.step_of,
            step_index=0 if said.step_of else None,
            step_use=said.use,
            created_at=said.at,
        )
        for number, said in enumerate(history.said, 1)
    )
    TriedStep.objects.bulk_create(
        TriedStep(
            session_id=tried.session,
            position=position,
            description="…",
            outcome=tried.outcome,
            by_id=tried.by,
            source_message_id=tried.source,
            created_at=tried.at,
        )
        for position, tried in enumerate(history.tried, 1)
    )
    RefusedPickup.objects.bulk_create(
        RefusedPickup(account=account, handoff_id=it.handoff, by_id=it.by, held_by_id=it.held_by, at=it.at)
        for it in history.refused
    )
