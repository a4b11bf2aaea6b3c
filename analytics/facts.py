"""Keeps the facts level with the feed. Whoever reads figures calls `catch_up` first."""

from collections.abc import Iterator
from uuid import UUID

from django.db import connection, transaction

from analytics.derivation import derive, differences
from analytics.models import HandoffFact, Mark, PickupFact
from escalations.models import FeedEvent, Handoff
from resolutionflow.accounts.models import Account

EVENTS_AT_ONCE = 10_000
HANDOFFS_AT_ONCE = 5_000

# Another reader of the same account may be deriving; each step of theirs takes a second at most.
PATIENCE = "SET LOCAL lock_timeout = '15s'"

# A new escalation changes what is known about the session's earlier ones.
TOUCHED = """
    SELECT handoff.id FROM escalations_handoff AS handoff
    WHERE handoff.session_id IN (
        SELECT session_id FROM feed_event WHERE account_id = %(account)s AND seq > %(after)s AND seq <= %(upto)s
    )
"""


def catch_up(account: Account) -> None:
    """Derive what happened since the last time, in steps of 10,000 events, each a transaction of its own.

    The feed names what changed, but for messages and tried steps: those count only while somebody holds the handoff,
    so the held ones are derived anew each time. Whatever is closed can change no more without an event.
    """
    while _step(account):
        pass


def _step(account: Account) -> bool:
    """One step; True if there may be more."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(PATIENCE)
        Mark.objects.bulk_create([Mark(account=account)], ignore_conflicts=True)
        mark = Mark.objects.select_for_update(no_key=True).get(account=account)
        upto = _last_of(account, mark.seq)
        held = HandoffFact.objects.filter(account=account, state=Handoff.State.PICKED_UP)
        touched = set(held.values_list("handoff_id", flat=True))
        if upto > mark.seq:
            cursor.execute(TOUCHED, {"account": account.pk, "after": mark.seq, "upto": upto})
            touched.update(handoff for (handoff,) in cursor.fetchall())
            Mark.objects.filter(account=account).update(seq=upto)
        if touched:
            cursor.execute(derive(), {"handoffs": list(touched)})
    return upto == mark.seq + EVENTS_AT_ONCE


def _last_of(account: Account, after: int) -> int:
    """Where the next step ends. The feed has no holes, so that this is a number and no search."""
    last = FeedEvent.objects.filter(account=account).order_by("-seq").values_list("seq", flat=True).first() or 0
    return min(last, after + EVENTS_AT_ONCE)


def rebuild(account: Account) -> None:
    """Throw the account's facts away and derive them again; readers see the old ones until the new are there."""
    with transaction.atomic():
        Mark.objects.filter(account=account).delete()
        PickupFact.objects.filter(account=account).delete()
        HandoffFact.objects.filter(account=account).delete()
        catch_up(account)


def wrong(account: Account) -> list[UUID]:
    """The handoffs whose facts are not what the feed says, after catching up."""
    catch_up(account)
    found: set[UUID] = set()
    for handoffs in _in_portions(account):
        with connection.cursor() as cursor:
            cursor.execute(differences(), {"handoffs": handoffs})
            found.update(handoff for (handoff,) in cursor.fetchall())
    return sorted(found)


def _in_portions(account: Account) -> Iterator[list[UUID]]:
    ids = list(Handoff.objects.for_account(account).order_by("created_at", "id").values_list("id", flat=True))
    for start in range(0, len(ids), HANDOFFS_AT_ONCE):
        yield ids[start : start + HANDOFFS_AT_ONCE]
