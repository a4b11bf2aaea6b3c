"""Append to the account's feed, and tell everyone after the commit."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from escalations.actions import deliveries
from escalations.live import announce
from escalations.models import FeedEvent, Handoff
from resolutionflow.accounts.models import User

# The counter's lock lasts from here to the commit, so this is the last statement of its transaction, and one.
# (Bumping the counter first, with 10 ms of work after it, let one account write 67 events/s; last, over 650.)
APPEND = """
    WITH counter AS (
        INSERT INTO feed_counter (account_id, seq) VALUES (%(account)s, 1)
        ON CONFLICT (account_id) DO UPDATE SET seq = feed_counter.seq + 1
        RETURNING seq
    ), stamped AS (
        UPDATE escalations_handoff
        SET version = counter.seq,
            queued_seq = CASE WHEN %(enters_the_queue)s THEN counter.seq ELSE queued_seq END
        FROM counter WHERE id = %(handoff)s
    )
    INSERT INTO feed_event (account_id, seq, kind, handoff_id, session_id, actor_id, data, at)
    SELECT %(account)s, counter.seq, %(kind)s, %(handoff)s, %(session)s, %(actor)s, %(data)s, clock_timestamp()
    FROM counter
    RETURNING seq
"""


class OutsideTransaction(RuntimeError):
    """An event must commit together with the change that it tells of."""


@dataclass(frozen=True)
class Appended:
    """An event as it was written: its account, its cursor, its kind, its handoff and its data."""

    account_id: UUID
    seq: int
    kind: str
    handoff_id: UUID
    data: dict[str, Any] = field(default_factory=dict)


def append(kind: FeedEvent.Kind, handoff: Handoff, *, by: User | None, data: dict[str, Any] | None = None) -> Appended:
    """Write one event as the last statement of the transaction; it is announced after the commit.

    Stamps `handoff.version` with the event's position. Raises OutsideTransaction.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction("feed.append belongs inside the transaction of the change that it tells of")
    deliveries.tell_later(handoff, kind)
    enters_the_queue = kind in FeedEvent.ENTERS_THE_QUEUE
    data = data or {}
    told: dict[str, Any] = {
        "account": handoff.account_id,
        "handoff": handoff.pk,
        "session": handoff.session_id,
        "kind": kind.value,
        "actor": by.pk if by else None,
        "data": Jsonb(data),
        "enters_the_queue": enters_the_queue,
    }
    with connection.cursor() as cursor:
        cursor.execute(APPEND, told)
        (seq,) = cursor.fetchone()
    handoff.version = seq
    if enters_the_queue:
        handoff.queued_seq = seq
    event = Appended(handoff.account_id, seq, kind.value, handoff.pk, data)
    transaction.on_commit(lambda: announce.handoff(event), robust=True)
    return event
