"""The lease of a pick-up: whoever picks up and does nothing for so long gives it back to the queue.

`keep` ends it with the picker's first action. `see_to` warns them at 80 % and returns the handoff at the end, at its
original age. Both are conditional updates of the handoff's row, so that a message and a return at the same moment have
one winner. It is the message: where the return was faster, the message takes the handoff up again.
"""

from datetime import timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce, Now

from escalations.actions import feed, offers
from escalations.actions.conversation import add_message, change, lock
from escalations.actions.holding import LET_GO, give, note, reread
from escalations.actions.transaction import in_transaction
from escalations.models import AISession, FeedEvent, Handoff, Message
from resolutionflow.accounts.models import User

UNDER_WAY = timedelta(seconds=10)  # what was sent before a return may arrive so long after it


def keep(session: AISession, *, by: User) -> None:
    """An action of `by` begins: if they have the session's handoff on a lease, it is theirs from now on.

    One statement, and the transaction's first lock: handoff before session. A handoff that their lease has just
    returned is taken up again, if it still waits.
    """
    leased = Q(state=Handoff.State.PICKED_UP, picked_up_by=by, lease_ends_at__isnull=False)
    returned = Q(state=Handoff.State.WAITING, returned_from=by, returned_at__gt=Now() - UNDER_WAY)
    kept = Handoff.objects.filter(leased | returned, session=session).update(
        state=Handoff.State.PICKED_UP,
        picked_up_by=by,
        picked_up_at=Coalesce("picked_up_at", Now()),
        lease_ends_at=None,
        lease_warned_at=None,
    )
    if kept:
        lock(session)
        if session.holder_id != by.pk:
            _take_up_again(session, by)


def _take_up_again(session: AISession, by: User) -> None:
    handoff = Handoff.objects.for_context().get(session=session, state=Handoff.State.PICKED_UP)
    give(session, to=by, state=AISession.State.ACTIVE)
    add_message(session, Message.Kind.SYSTEM, f"{by.name} went on with it just then, and has it again.", author=by)
    feed.append(FeedEvent.Kind.PICKED_UP, handoff, by=by, data={"undone": True})
    note("picked_up", handoff, by, again=True)


def running() -> QuerySet[Handoff]:
    """What there may be something to do about: leases that are over, or nobody was warned of."""
    leased = Handoff.objects.filter(state=Handoff.State.PICKED_UP, lease_ends_at__isnull=False)
    return leased.filter(Q(lease_ends_at__lte=Now()) | Q(lease_warned_at=None))


@in_transaction
def see_to(handoff_id: str | UUID) -> None:
    """Warn the picker, or return the handoff to the queue: whichever is due now, if anything is.

    Everything is read from the row, so a job that comes late, twice, or from an earlier pick-up does no harm.
    """
    leased = Handoff.objects.filter(pk=handoff_id, state=Handoff.State.PICKED_UP, lease_ends_at__isnull=False)
    handoff = leased.select_related("session", "picked_up_by").first()
    if handoff is None or handoff.lease_warns_at is None or handoff.lease_ends_at is None:
        return
    leased = leased.filter(picked_up_by=handoff.picked_up_by, lease_ends_at=handoff.lease_ends_at)
    if leased.filter(lease_ends_at__lte=Now()).update(
        state=Handoff.State.WAITING, returned_from=handoff.picked_up_by, returned_at=Now(), **LET_GO
    ):
        _return(handoff)
        return
    warned_for = handoff.lease_ends_at - handoff.lease_warns_at
    if leased.filter(lease_warned_at=None, lease_ends_at__lte=Now() + warned_for).update(lease_warned_at=Now()):
        lock(handoff.session)
        change(handoff.session)


def _return(handoff: Handoff) -> None:
    """The rest of a return; `handoff` still says who had it, and how long."""
    picker, lease = handoff.picked_up_by, handoff.lease
    assert picker is not None, "that is what was returned"
    reread(handoff)
    give(handoff.session, to=handoff.created_by, state=AISession.State.ESCALATED)
    did = f"Returned to the queue: {picker.name} did nothing with it for {lease}."
    add_message(handoff.session, Message.Kind.SYSTEM, did, author=picker)
    offers.end(handoff)
    feed.append(FeedEvent.Kind.RELEASED, handoff, by=None, data={"returned_from": str(picker.pk), "lease": True})
    note("returned", handoff, None, returned_from=str(picker.pk))
