"""Escalate, pick up, release, undo, take back. Every race has exactly one winner, and the database names it."""

import contextlib
from datetime import timedelta

from django.db import DatabaseError, transaction
from django.db.models import Exists
from django.db.models.functions import Now

from escalations import snapshot
from escalations.actions import assessments, drafts, feed, offers
from escalations.actions.conversation import add_message, change, lock_as_holder
from escalations.actions.holding import (
    FORGOTTEN,
    LET_GO,
    give,
    has_acted,
    in_words,
    note,
    reread,
    still_working,
    taken_by,
    watch,
)
from escalations.actions.refusals import AlreadyPickedUp, Conflict, NotAllowed, Refusal, require_engineer
from escalations.actions.secrets import hide
from escalations.actions.transaction import in_transaction
from escalations.models import AISession, Draft, FeedEvent, Handoff, Message, RefusedPickup
from resolutionflow.accounts.models import User

UNDO = timedelta(seconds=30)  # in which a pick-up can be taken back as if it had not been


@in_transaction
def escalate(
    session: AISession,
    *,
    by: User,
    reason: str,
    priority: str = Handoff.Priority.NORMAL.value,
    from_draft: bool = False,
) -> Handoff:
    """Freeze the session's context and put it into the queue; the worker assesses it afterwards.

    Raises NotAllowed for anybody but the holder, Conflict if a handoff of this session is open or it is closed.
    """
    require_engineer(by)
    opened = Handoff.objects.open().filter(session=session).select_for_update(no_key=True).first()
    lock_as_holder(session, by=by)
    if opened or session.state != AISession.State.ACTIVE:
        raise Conflict(_why_not_escalated(opened, by))
    reason = hide(session, reason)
    handoff = Handoff.objects.create(
        account_id=session.account_id,
        session=session,
        created_by=by,
        reason=reason,
        priority=priority,
        snapshot=snapshot.of(session),
    )
    change(session, state=AISession.State.ESCALATED)
    add_message(session, Message.Kind.SYSTEM, f"{by.name} escalated: {reason}", author=by)
    if from_draft:
        drafts.was_sent(session, by=by, field=Draft.Field.REASON)
    assessments.request(handoff)
    feed.append(FeedEvent.Kind.CREATED, handoff, by=by, data={"snapshot_sha256": snapshot.digest(handoff.snapshot)})
    return handoff


def pick_up(handoff: Handoff, *, by: User) -> Handoff:
    """Take a waiting handoff and its session. The winner may ask again and gets the same answer.

    Raises AlreadyPickedUp with the winner, NotAllowed for one's own escalation, Conflict if it no longer waits. That
    somebody came too late is noted in a transaction of its own: the refusal rolls back only what was tried.
    """
    try:
        return _pick_up(handoff, by=by)
    except AlreadyPickedUp as refusal:
        _note(refusal, by=by)
        raise


@in_transaction
def _pick_up(handoff: Handoff, *, by: User) -> Handoff:
    require_engineer(by)
    won = (
        Handoff.objects.for_account(by.account)
        .filter(Exists(still_working(by)), pk=handoff.pk, state=Handoff.State.WAITING)
        .exclude(created_by=by)
        .update(**taken_by(by))
    )
    reread(handoff)
    if not won:
        if handoff.state == Handoff.State.PICKED_UP and handoff.picked_up_by == by:
            return handoff
        raise _why_not_picked_up(handoff, by)
    give(handoff.session, to=by, state=AISession.State.ACTIVE)
    add_message(handoff.session, Message.Kind.SYSTEM, f"{by.name} picked it up.", author=by)
    watch(handoff)
    feed.append(FeedEvent.Kind.PICKED_UP, handoff, by=by)
    note("picked_up", handoff, by)
    return handoff


def _note(refusal: AlreadyPickedUp, *, by: User) -> None:
    """The loser learns who won, whether or not this can be written."""
    lost = refusal.handoff
    assert lost.picked_up_by is not None, "that is what the refusal says"
    with contextlib.suppress(DatabaseError), transaction.atomic():
        RefusedPickup.objects.create(account_id=lost.account_id, handoff=lost, by=by, held_by=lost.picked_up_by)


@in_transaction
def release(handoff: Handoff, *, by: User, reason: str = "", on_behalf_of: User | None = None) -> Handoff:
    """Put it back into the queue at its original age; the session goes back to who escalated it.

    Whoever manages people may do so for its picker, who need not be able to any more; the feed then names the one who
    did. Raises NotAllowed for anybody but the picker, Conflict if it is not picked up.
    """
    _require(by, on_behalf_of)
    picker = on_behalf_of or by
    released = (
        Handoff.objects.for_account(picker.account)
        .filter(pk=handoff.pk, state=Handoff.State.PICKED_UP, picked_up_by=picker)
        .update(state=Handoff.State.WAITING, **LET_GO, **FORGOTTEN)
    )
    reread(handoff)
    if not released:
        if handoff.state == Handoff.State.PICKED_UP:
            raise NotAllowed(f"{handoff.picked_up_by} has it; only they can put it back.")
        raise Conflict(f"It is {in_words(handoff)}, so there is nothing to put back.")
    give(handoff.session, to=handoff.created_by, state=AISession.State.ESCALATED)
    reason = hide(handoff.session, reason)
    why = f": {reason}" if reason else "."
    did = f"{by.name} put it back into the queue{_for(on_behalf_of)}{why}"
    add_message(handoff.session, Message.Kind.SYSTEM, did, author=by)
    offers.end(handoff)
    feed.append(FeedEvent.Kind.RELEASED, handoff, by=by, data={"reason": reason, **_told(on_behalf_of)})
    note("released", handoff, by, **_told(on_behalf_of))
    return handoff


@in_transaction
def undo(handoff: Handoff, *, by: User) -> Handoff:
    """Take a pick-up back within 30 seconds: it waits as before, and the figures count the pick-up as nothing.

    Raises NotAllowed for anybody but the picker, Conflict if it is too late or they have done something with it.
    """
    require_engineer(by)
    undone = (
        Handoff.objects.for_account(by.account)
        .filter(pk=handoff.pk, state=Handoff.State.PICKED_UP, picked_up_by=by, picked_up_at__gt=Now() - UNDO)
        .update(state=Handoff.State.WAITING, **LET_GO)
    )
    reread(handoff)
    if not undone:
        raise _why_not_undone(handoff, by)
    give(handoff.session, to=handoff.created_by, state=AISession.State.ESCALATED)
    if has_acted(handoff, by):
        raise Conflict("You have begun to work on it. You can put it back into the queue.")
    add_message(handoff.session, Message.Kind.SYSTEM, f"{by.name} undid the pick-up.", author=by)
    offers.end(handoff)
    feed.append(FeedEvent.Kind.RELEASED, handoff, by=by, data={"undone": True})
    note("pickup_undone", handoff, by)
    return handoff


def _why_not_undone(handoff: Handoff, by: User) -> Refusal:
    if handoff.state != Handoff.State.PICKED_UP:
        return Conflict(f"It is {in_words(handoff)}, so there is no pick-up to undo.")
    if handoff.picked_up_by != by:
        return NotAllowed(f"{handoff.picked_up_by} has it; only they can undo that.")
    return Conflict(f"That is possible for {UNDO.seconds} seconds. You can put it back into the queue.")


@in_transaction
def take_back(handoff: Handoff, *, by: User, on_behalf_of: User | None = None) -> Handoff:
    """Recall one's own escalation while it waits; whoever manages people may do so for its escalator.

    Raises NotAllowed for anybody but the escalator, AlreadyPickedUp or Conflict if it no longer waits.
    """
    _require(by, on_behalf_of)
    escalator = on_behalf_of or by
    taken = (
        Handoff.objects.for_account(escalator.account)
        .filter(pk=handoff.pk, state=Handoff.State.WAITING, created_by=escalator)
        .update(state=Handoff.State.TAKEN_BACK, taken_back_at=Now())
    )
    reread(handoff)
    if not taken:
        if handoff.created_by != escalator:
            raise NotAllowed(f"{handoff.created_by} escalated it; only they can take it back.")
        if handoff.state == Handoff.State.PICKED_UP:
            raise AlreadyPickedUp(handoff)
        raise Conflict(f"It is {in_words(handoff)} already.")
    give(handoff.session, to=escalator, state=AISession.State.ACTIVE)
    did = f"{by.name} took the escalation back{_for(on_behalf_of)}."
    add_message(handoff.session, Message.Kind.SYSTEM, did, author=by)
    feed.append(FeedEvent.Kind.TAKEN_BACK, handoff, by=by, data=_told(on_behalf_of))
    note("taken_back", handoff, by, **_told(on_behalf_of))
    return handoff


def _require(by: User, on_behalf_of: User | None) -> None:
    """Raises NotAllowed unless `by` may work, or may act for that person."""
    if on_behalf_of is None:
        require_engineer(by)
    elif not (by.is_superuser or (by.may_manage_people and by.account_id == on_behalf_of.account_id)):
        raise NotAllowed("Only an owner or admin of the account may do that for somebody else.")


def _for(person: User | None) -> str:
    return f" for {person.name}" if person else ""


def _told(person: User | None) -> dict[str, str]:
    return {"on_behalf_of": str(person.pk)} if person else {}


def _why_not_escalated(opened: Handoff | None, by: User) -> str:
    if opened and opened.picked_up_by == by:
        return "You picked this session up. Put it back into the queue, or resolve it."
    return "This session is escalated already."


def _why_not_picked_up(handoff: Handoff, by: User) -> Refusal:
    if handoff.state == Handoff.State.PICKED_UP:
        return AlreadyPickedUp(handoff)
    if handoff.created_by == by:
        return NotAllowed("You escalated this yourself; a colleague has to pick it up. You can take it back.")
    if handoff.state == Handoff.State.WAITING:
        return NotAllowed("You may not work on sessions any more.")
    return Conflict(f"It is {in_words(handoff)} already.")
