"""Hand to: whoever has a handoff offers it to a named colleague, who accepts or declines.

The handoff's row is locked first, so an offer ends once: with the colleague's answer, or with the pick-up.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Exists
from django.db.models.functions import Now

from escalations.actions import feed
from escalations.actions.conversation import add_message, change, lock
from escalations.actions.holding import FORGOTTEN, give, in_words, note, reread, still_working, taken_by, watch
from escalations.actions.refusals import Conflict, NotAllowed, require_engineer
from escalations.actions.secrets import hide
from escalations.actions.transaction import in_transaction
from escalations.live import announce
from escalations.models import AISession, FeedEvent, Handoff, Message, Offer
from escalations.models.offer import NOTE_LENGTH
from resolutionflow.accounts.models import OwnedQuerySet, User


def colleagues(handoff: Handoff, *, by: User) -> OwnedQuerySet[User]:
    """Whom it can be offered to: everybody who may work, but whoever escalated it."""
    others = User.objects.for_account(by.account).filter(is_active=True).exclude(role=User.Role.VIEWER)
    return others.exclude(pk__in=[by.pk, handoff.created_by_id]).order_by("name", "pk")


@in_transaction
def hand_to(handoff: Handoff, *, by: User, to: User | None, note: str = "") -> Offer:
    """Offer it to a colleague; it stays with `by` until they accept.

    Raises NotAllowed for anybody but its picker, Conflict if there is an offer already or nobody such to offer it to.
    """
    require_engineer(by)
    _lock(handoff)
    _require_picker(handoff, by)
    if to is None or not colleagues(handoff, by=by).filter(pk=to.pk).exists():
        raise Conflict("Choose a colleague who may work on it: not the one who escalated it.")
    if pending := _pending(handoff):
        raise Conflict(f"It is offered to {pending.to} already. Withdraw that first.")
    lock(handoff.session)
    offer = Offer.objects.create(
        account_id=handoff.account_id,
        handoff=handoff,
        to=to,
        by=by,
        note=hide(handoff.session, note, length=NOTE_LENGTH),
    )
    _tell(offer, handoff, f"{by.name} offers it to {to.name}.", author=by)
    _note("offered", handoff, by, to)
    return offer


@in_transaction
def accept(handoff: Handoff, *, by: User) -> Handoff:
    """Take over what a colleague offers: released and picked up in one go, with nobody in between.

    Whoever has accepted may ask again. Raises NotAllowed for anybody but who was asked, Conflict without an offer.
    """
    require_engineer(by)
    _lock(handoff)
    if handoff.state == Handoff.State.PICKED_UP and handoff.picked_up_by == by and not _pending(handoff):
        return handoff
    offer = _require_offer(handoff, to=by)
    taken = Handoff.objects.filter(Exists(still_working(by)), pk=handoff.pk).exclude(created_by=by)
    if not taken.update(**taken_by(by), **FORGOTTEN):
        raise NotAllowed("You may not work on sessions any more.")
    _end(offer, Offer.Outcome.ACCEPTED)
    reread(handoff)
    give(handoff.session, to=by, state=AISession.State.ACTIVE)
    _tell(offer, handoff, f"{by.name} took it over from {offer.by.name}.", author=by)
    watch(handoff)
    feed.append(FeedEvent.Kind.RELEASED, handoff, by=offer.by, data={"handed_to": str(by.pk)})
    feed.append(FeedEvent.Kind.PICKED_UP, handoff, by=by, data={"handed_from": str(offer.by_id)})
    note("picked_up", handoff, by, handed_from=str(offer.by_id))
    return handoff


@in_transaction
def decline(handoff: Handoff, *, by: User) -> Offer:
    """It stays where it is. Raises NotAllowed for anybody but who was asked, Conflict without an offer."""
    require_engineer(by)
    _lock(handoff)
    offer = _require_offer(handoff, to=by)
    lock(handoff.session)
    _end(offer, Offer.Outcome.DECLINED)
    _tell(offer, handoff, f"{by.name} cannot take it. {offer.by.name} still has it.", author=by)
    _note("offer_declined", handoff, by, offer.by)
    return offer


@in_transaction
def withdraw(handoff: Handoff, *, by: User) -> Offer:
    """Raises NotAllowed for anybody but its picker, Conflict without an offer."""
    require_engineer(by)
    _lock(handoff)
    _require_picker(handoff, by)
    offer = _require_offer(handoff)
    lock(handoff.session)
    _end(offer, Offer.Outcome.WITHDRAWN)
    _tell(offer, handoff, f"{by.name} keeps it: no longer offered to {offer.to.name}.", author=by)
    _note("offer_withdrawn", handoff, by, offer.to)
    return offer


def read(offers: Iterable[UUID], *, by: User) -> None:
    """These were on the list of this person's bell: that they are asked, or what they were answered."""
    theirs = Offer.objects.for_account(by.account).filter(pk__in=list(offers))
    theirs.made_to(by).update(read_by_asked=True)
    theirs.answered_to(by).update(read_by_asker=True)


def end(handoff: Handoff) -> None:
    """The pick-up is over, and so is what was offered of it. The caller has changed the handoff's row."""
    if offer := _pending(handoff):
        _end(offer, Offer.Outcome.WITHDRAWN)
        announce.offers_changed(offer)


def _lock(handoff: Handoff) -> None:
    Handoff.objects.select_for_update(no_key=True).only("pk").get(pk=handoff.pk)
    reread(handoff)


def _pending(handoff: Handoff) -> Offer | None:
    return Offer.objects.pending().with_people().filter(handoff=handoff).first()


def _require_picker(handoff: Handoff, by: User) -> None:
    if handoff.state != Handoff.State.PICKED_UP:
        raise Conflict(f"It is {in_words(handoff)}; only who has picked it up can hand it to somebody.")
    if handoff.picked_up_by != by:
        raise NotAllowed(f"{handoff.picked_up_by} has it; only they can hand it to somebody.")


def _require_offer(handoff: Handoff, *, to: User | None = None) -> Offer:
    offer = _pending(handoff)
    if offer is None:
        raise Conflict("It is not offered to anybody any more.")
    if to and offer.to != to:
        raise NotAllowed(f"It is offered to {offer.to}; only they can answer.")
    return offer


def _end(offer: Offer, outcome: Offer.Outcome) -> None:
    Offer.objects.filter(pk=offer.pk).update(outcome=outcome, ended_at=Now())
    offer.refresh_from_db(fields=["outcome", "ended_at"])


def _tell(offer: Offer, handoff: Handoff, did: str, *, author: User) -> None:
    """In the session, whose pages look anew, and to who is asked."""
    add_message(handoff.session, Message.Kind.SYSTEM, did, author=author)
    change(handoff.session)
    announce.offers_changed(offer)


def _note(kind: str, handoff: Handoff, by: User, person: User) -> None:
    note(kind, handoff, by, person=str(person.pk))
