"""Who has a handoff: what the verbs that begin and end a pick-up share."""

from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Now

from escalations.actions import jobs
from escalations.actions.conversation import change, lock
from escalations.models import AISession, FeedEvent, Handoff, Message
from resolutionflow.accounts.models import User
from resolutionflow.trail import record

LET_GO: dict[str, Any] = {"picked_up_by": None, "picked_up_at": None, "lease_ends_at": None, "lease_warned_at": None}
FORGOTTEN: dict[str, Any] = {"returned_from": None, "returned_at": None}  # whom it was returned from


def taken_by(person: User) -> dict[str, Any]:
    """The columns of a pick-up that begins now, with its lease."""
    lease = person.account.lease if person.account else None
    ends = Now() + lease if lease else None
    taken = {"picked_up_by": person, "picked_up_at": Now(), "lease_ends_at": ends, "lease_warned_at": None}
    return {"state": Handoff.State.PICKED_UP, **taken}


def still_working(by: User) -> QuerySet[User]:
    """The person's row, locked: whoever is being switched off picks nothing up behind the back of that."""
    return User.objects.filter(pk=by.pk, is_active=True).exclude(role=User.Role.VIEWER).select_for_update(no_key=True)


def watch(handoff: Handoff) -> None:
    """Let the worker look after the lease when the picker is to be warned, and when it ends."""
    if handoff.picked_up_at and handoff.lease_warns_at and handoff.lease_ends_at:
        for moment in (handoff.lease_warns_at, handoff.lease_ends_at):
            jobs.defer(jobs.LEASE, after=moment - handoff.picked_up_at + jobs.MARGIN, handoff_id=str(handoff.pk))


def give(session: AISession, *, to: User, state: AISession.State) -> None:
    """Lock the session and put it on somebody's desk."""
    lock(session)
    change(session, holder=to, held_since=Now(), state=state)


def has_acted(handoff: Handoff, by: User) -> bool:
    """Whether its picker has done what counts as an action since they picked it up."""
    since = handoff.events.filter(kind=FeedEvent.Kind.PICKED_UP).latest("seq").at
    said = handoff.session.messages.filter(author=by, kind=Message.Kind.ENGINEER, created_at__gte=since)
    return said.exists() or handoff.session.steps.filter(by=by, created_at__gte=since).exists()


def reread(handoff: Handoff) -> None:
    fresh = Handoff.objects.for_context().get(pk=handoff.pk)
    handoff.__dict__.update(fresh.__dict__)


def note(kind: str, handoff: Handoff, by: User | None, **more: str | bool) -> None:
    """In the trail of the handoff's account, also what the operator does."""
    account = (by and by.account) or handoff.account
    record(kind, account=account, by=by, about=f"handoff {handoff.pk}", session=str(handoff.session_id), **more)


def in_words(handoff: Handoff) -> str:
    """`waiting`, `picked up`, …"""
    return str(handoff.get_state_display()).lower()
