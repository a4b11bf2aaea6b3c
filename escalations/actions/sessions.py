"""Start a session, post to it, record what was tried (`steps.py`), resolve it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from django.db.models.functions import Now
from django.utils import timezone

from escalations import copilot, knowledge
from escalations.actions import attachments, drafts, feed, jobs, learning, leases, lessons, offers
from escalations.actions.conversation import add_message, change, lock, lock_as_holder
from escalations.actions.refusals import Conflict, require_engineer
from escalations.actions.secrets import Hiding, hide
from escalations.actions.steps import record_step
from escalations.actions.suggestions import SuggestedStep, provenance
from escalations.actions.transaction import in_transaction
from escalations.models import AISession, Draft, FeedEvent, Handoff, Message
from escalations.models.session import CLIENT_LENGTH, TICKET_LENGTH, TITLE_LENGTH
from resolutionflow.accounts.models import Account, User
from resolutionflow.trail import record

__all__ = ["SuggestedStep", "answer", "post", "record_step", "resolve", "start", "tell"]


@in_transaction
def start(
    account: Account, *, by: User, title: str, client_name: str = "", ticket_ref: str = "", problem: str = ""
) -> AISession:
    """Open a session on the desk of `by`. FlowPilot answers to the problem, if one is told."""
    require_engineer(by)
    session = AISession(account=account, started_by=by, holder=by, held_since=timezone.now())
    hiding = Hiding(session, is_new=True)
    session.title = hiding.hide(title, length=TITLE_LENGTH)
    session.client_name = hiding.hide(client_name, length=CLIENT_LENGTH)
    session.ticket_ref = hiding.hide(ticket_ref, length=TICKET_LENGTH)
    session.problem = hiding.hide(problem)
    session.save(force_insert=True)
    hiding.keep()
    if problem:
        _ask_flowpilot(session)
    return session


@in_transaction
def post(
    session: AISession,
    *,
    by: User,
    body: str,
    step: SuggestedStep | None = None,
    files: Sequence[UUID] = (),
    from_draft: bool = False,
) -> Message:
    """Write a message as the session's holder; FlowPilot answers in the background.

    `files` are attachments that wait to be sent; with `from_draft` the page's draft goes. Raises NotAllowed for anybody
    but the holder, Conflict once the session is closed or if one of the files is not there any more.
    """
    require_engineer(by)
    leases.keep(session, by=by)
    lock_as_holder(session, by=by)
    hidden = hide(session, body)
    message = add_message(session, Message.Kind.ENGINEER, hidden, author=by, **provenance(body, step))
    attachments.send(message, by=by, attachment_ids=files)
    if from_draft:
        drafts.was_sent(session, by=by, field=Draft.Field.MESSAGE)
    _ask_flowpilot(session, message)
    return message


def answer_id(session: AISession, *, to: UUID | None) -> UUID:
    """The id that the answer to a message, or with None to the problem, has or will have: so there can be only one."""
    return uuid5(to or session.pk, "answer")


def is_answered(session: AISession, *, to: UUID | None) -> bool:
    return session.messages.filter(pk=answer_id(session, to=to)).exists()


@in_transaction
def answer(
    session: AISession,
    *,
    to: UUID | None,
    body: str,
    sources: list[dict[str, str]],
    unsupported: bool = False,
    why: str = "",
) -> Message | None:
    """FlowPilot's answer to a message, or with None to the problem; `why` is a line before it, by the system.

    None if it is answered already, or the session closed meanwhile.
    """
    lock(session)
    if not session.is_open or is_answered(session, to=to):
        return None
    if why:
        add_message(session, Message.Kind.SYSTEM, why)
    own_id = answer_id(session, to=to)
    return add_message(session, Message.Kind.COPILOT, body, id=own_id, sources=sources, unsupported=unsupported)


@in_transaction
def excuse(session: AISession, *, to: UUID | None, body: str) -> Message | None:
    """Why FlowPilot could not answer, in the answer's place. None if it is answered, or the session closed."""
    lock(session)
    if not session.is_open or is_answered(session, to=to):
        return None
    return add_message(session, Message.Kind.SYSTEM, body, id=answer_id(session, to=to))


@in_transaction
def tell(session: AISession, *, body: str) -> Message | None:
    """A line by the system. None if the session closed meanwhile."""
    lock(session)
    if not session.is_open:
        return None
    return add_message(session, Message.Kind.SYSTEM, body)


@in_transaction
def resolve(session: AISession, *, by: User, resolution: str, from_draft: bool = False) -> AISession:
    """Close the session with what fixed it; its open handoff closes with it.

    A handoff that still waits is taken back, because nobody needs to come any more. Of a resolve and a pick-up at
    the same moment one wins. Raises NotAllowed for anybody but the holder, Conflict once the session is closed.
    """
    require_engineer(by)
    leases.keep(session, by=by)
    handoff = Handoff.objects.open().filter(session=session).select_for_update(no_key=True).first()
    lock_as_holder(session, by=by)
    if handoff is None and Handoff.objects.open().filter(session=session).exists():
        raise Conflict("This session was escalated at the same moment. Please look, and try again.")
    add_message(session, Message.Kind.SYSTEM, f"{by.name} resolved the session.", author=by)
    if session.state == AISession.State.ESCALATED:
        change(session, state=AISession.State.ACTIVE)
    hidden = hide(session, resolution)
    change(session, state=AISession.State.RESOLVED, resolved_at=Now(), resolved_by=by, resolution=hidden)
    knowledge.learn(session)
    learning.later(session)
    lock(session)
    if from_draft:
        drafts.was_sent(session, by=by, field=Draft.Field.RESOLUTION)
    if handoff and handoff.is_waiting:
        _close(handoff, state=Handoff.State.TAKEN_BACK, taken_back_at=Now())
        feed.append(FeedEvent.Kind.TAKEN_BACK, handoff, by=by)
    elif handoff:
        offers.end(handoff)
        _close(handoff, state=Handoff.State.RESOLVED, resolved_at=Now())
        lessons.tell(handoff)
        feed.append(FeedEvent.Kind.RESOLVED, handoff, by=by)
    closed = str(handoff.pk) if handoff else None
    record("resolved", account=by.account, by=by, about=f"session {session.pk}", handoff=closed)
    return session


def _ask_flowpilot(session: AISession, message: Message | None = None) -> None:
    if copilot.is_on(session.account):
        jobs.defer(jobs.ANSWER, session_id=str(session.pk), message_id=str(message.pk) if message else None)


def _close(handoff: Handoff, **changes: Any) -> None:
    Handoff.objects.filter(pk=handoff.pk).update(**changes)
