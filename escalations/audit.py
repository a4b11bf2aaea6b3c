"""Proof that the feed and the rows agree: the invariants of the feed as one SQL statement, judged as of one moment.

Every check is a SELECT of (account_id, finding). They share the tables of `SHARED`, which are worked out once: a
million events take some seconds.
"""

import json
from collections.abc import Iterator

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from escalations import snapshot
from resolutionflow.accounts.models import Account

SHARED = """
    scope AS (
        SELECT id, slug FROM accounts_account WHERE %(account)s::uuid IS NULL OR id = %(account)s::uuid
    ), event AS MATERIALIZED (
        SELECT account_id, seq, kind, handoff_id, session_id, actor_id, at,
            lag(seq) OVER feed AS seq_before, lag(at) OVER feed AS at_before
        FROM feed_event WHERE account_id IN (SELECT id FROM scope)
        WINDOW feed AS (PARTITION BY account_id ORDER BY seq)
    ), change AS MATERIALIZED (  -- what happened to a handoff, without its assessments
        SELECT account_id, seq, kind, handoff_id, actor_id,
            lag(kind) OVER story AS kind_before, lead(kind) OVER story IS NULL AS is_last
        FROM event WHERE kind <> 'handoff_assessed'
        WINDOW story AS (PARTITION BY account_id, handoff_id ORDER BY seq)
    ), told AS MATERIALIZED (  -- what the feed says about each handoff
        SELECT account_id, handoff_id, min(seq) AS first_seq, max(seq) AS last_seq,
            min(seq) FILTER (WHERE kind = 'handoff_created') AS created_seq,
            max(seq) FILTER (WHERE kind IN ('handoff_created', 'handoff_released')) AS queued_seq,
            max(seq) FILTER (WHERE kind = 'handoff_picked_up') AS picked_up_seq,
            (array_agg(actor_id ORDER BY seq DESC) FILTER (WHERE kind = 'handoff_picked_up'))[1] AS picker_id
        FROM event GROUP BY account_id, handoff_id
    ), handoff AS (
        SELECT id, account_id, session_id, state, version, queued_seq, created_by_id, picked_up_by_id
        FROM escalations_handoff WHERE account_id IN (SELECT id FROM scope)
    ), ends AS (
        SELECT scope.id AS account_id, coalesce(counter.seq, 0) AS counter, coalesce(max(event.seq), 0) AS last
        FROM scope LEFT JOIN feed_counter AS counter ON counter.account_id = scope.id
            LEFT JOIN event ON event.account_id = scope.id
        GROUP BY scope.id, counter.seq
    )
"""

# Dense: every position from the lowest to the counter is there once.
DENSE = [
    """SELECT account_id, CASE WHEN seq = seq_before THEN format('position %%s is there twice', seq)
            WHEN seq = seq_before + 2 THEN format('position %%s is missing', seq - 1)
            ELSE format('positions %%s to %%s are missing', seq_before + 1, seq - 1) END
        FROM event WHERE seq <> seq_before + 1""",
    "SELECT account_id, format('position %%s is below 1', seq) FROM event WHERE seq < 1",
    """SELECT account_id, format('the feed ends at %%s, before its counter at %%s', last, counter)
        FROM ends WHERE last < counter""",
    """SELECT account_id, format('the feed ends at %%s, beyond its counter at %%s', last, counter)
        FROM ends WHERE last > counter""",
    """SELECT account_id, format('event %%s is older than the one before it (%%s, %%s)', seq, at, at_before)
        FROM event WHERE at < at_before""",
]

# Atomic: a handoff and its events tell the same.
ATOMIC = [
    """SELECT handoff.account_id, format('handoff %%s has no event', id)
        FROM handoff LEFT JOIN told ON handoff_id = id AND told.account_id = handoff.account_id
        WHERE handoff_id IS NULL""",
    """SELECT handoff.account_id, format('handoff %%s has version %%s, but its last event is %%s', id, version,
            last_seq)
        FROM handoff JOIN told ON handoff_id = id AND told.account_id = handoff.account_id
        WHERE version <> last_seq""",
    """SELECT handoff.account_id, format('handoff %%s has queued_seq %%s, but last entered the queue at %%s', id,
            handoff.queued_seq, coalesce(told.queued_seq::text, 'no event'))
        FROM handoff JOIN told ON handoff_id = id AND told.account_id = handoff.account_id
        WHERE handoff.queued_seq IS DISTINCT FROM told.queued_seq""",
    """SELECT handoff.account_id, format('handoff %%s is %%s, but its last change is %%s', id, state, kind)
        FROM handoff JOIN change ON handoff_id = id AND change.account_id = handoff.account_id AND is_last
        WHERE state <> CASE WHEN kind IN ('handoff_created', 'handoff_released') THEN 'waiting'
            ELSE replace(kind, 'handoff_', '') END""",
    """SELECT account_id, format('handoff %%s begins with event %%s, which did not create it', handoff_id, first_seq)
        FROM told WHERE created_seq IS DISTINCT FROM first_seq""",
    """SELECT account_id, format('event %%s (%%s) of handoff %%s cannot follow %%s', seq, kind, handoff_id, kind_before)
        FROM change WHERE kind_before IS NOT NULL AND (kind_before, kind) NOT IN (
            ('handoff_created', 'handoff_picked_up'), ('handoff_created', 'handoff_taken_back'),
            ('handoff_released', 'handoff_picked_up'), ('handoff_released', 'handoff_taken_back'),
            ('handoff_picked_up', 'handoff_released'), ('handoff_picked_up', 'handoff_resolved'))""",
    """SELECT handoff.account_id, format('handoff %%s was not created by who event %%s says', handoff.id, seq)
        FROM handoff JOIN change ON handoff_id = id AND kind = 'handoff_created'
            AND change.account_id = handoff.account_id
        WHERE actor_id IS DISTINCT FROM created_by_id""",
    """SELECT handoff.account_id, format('handoff %%s was not picked up by who event %%s says', id, picked_up_seq)
        FROM handoff JOIN told ON told.handoff_id = id AND told.account_id = handoff.account_id
        WHERE state IN ('picked_up', 'resolved') AND picker_id IS DISTINCT FROM picked_up_by_id""",
]

# A session agrees with its open handoff.
SESSION = [
    """SELECT handoff.account_id, format('handoff %%s waits, but its session is %%s', handoff.id, session.state)
        FROM handoff JOIN escalations_aisession AS session ON session.id = session_id
        WHERE handoff.state = 'waiting' AND session.state <> 'escalated'""",
    """SELECT handoff.account_id, format('handoff %%s is picked up, but its session is %%s', handoff.id, session.state)
        FROM handoff JOIN escalations_aisession AS session ON session.id = session_id
        WHERE handoff.state = 'picked_up' AND session.state <> 'active'""",
    """SELECT handoff.account_id, format('handoff %%s is picked up, but its picker does not hold the session',
            handoff.id)
        FROM handoff JOIN escalations_aisession AS session ON session.id = session_id
        WHERE handoff.state = 'picked_up' AND holder_id IS DISTINCT FROM picked_up_by_id""",
    """SELECT session.account_id, format('session %%s is escalated, but no handoff of it waits', session.id)
        FROM escalations_aisession AS session
        WHERE session.account_id IN (SELECT id FROM scope) AND session.state = 'escalated'
            AND NOT EXISTS (SELECT FROM handoff WHERE session_id = session.id AND handoff.state = 'waiting')""",
]

# Tenant: nothing of one account hangs on another's.
TENANT = [
    """SELECT e.account_id, format('event %%s belongs to another account than its handoff %%s', e.seq, h.id)
        FROM feed_event AS e JOIN escalations_handoff AS h ON h.id = e.handoff_id AND h.account_id <> e.account_id
        WHERE e.account_id IN (SELECT id FROM scope) OR h.account_id IN (SELECT id FROM scope)""",
    """SELECT event.account_id, format('event %%s tells of another session than its handoff %%s', seq, h.id)
        FROM event JOIN escalations_handoff AS h ON h.id = handoff_id AND h.session_id <> event.session_id""",
    """SELECT handoff.account_id, format('handoff %%s belongs to another account than its session', handoff.id)
        FROM handoff JOIN escalations_aisession AS session ON session.id = session_id
        WHERE session.account_id <> handoff.account_id""",
    """SELECT event.account_id, format('the actor of event %%s belongs to another account', seq)
        FROM event JOIN accounts_user AS actor ON actor.id = actor_id
        WHERE actor.account_id IS DISTINCT FROM event.account_id AND NOT actor.is_superuser""",
    """SELECT handoff.account_id, format('somebody of another account escalated or picked up handoff %%s', handoff.id)
        FROM handoff JOIN accounts_user AS escalator ON escalator.id = created_by_id
            LEFT JOIN accounts_user AS picker ON picker.id = picked_up_by_id
        WHERE escalator.account_id IS DISTINCT FROM handoff.account_id
            OR picker.id IS NOT NULL AND picker.account_id IS DISTINCT FROM handoff.account_id""",
]

CHECKS = {"dense": DENSE, "atomic": ATOMIC, "session": SESSION, "tenant": TENANT}


# Frozen: a snapshot is what was frozen, as far as its event says what that was and its texts are there still.
FROZEN = """
    DECLARE frozen NO SCROLL CURSOR FOR
    SELECT slug, handoff.id, handoff.snapshot::text, event.data ->> 'snapshot_sha256'
    FROM feed_event AS event
        JOIN escalations_handoff AS handoff ON handoff.id = event.handoff_id
        JOIN escalations_aisession AS session ON session.id = handoff.session_id AND session.pruned_at IS NULL
        JOIN accounts_account AS account ON account.id = event.account_id
    WHERE event.kind = 'handoff_created' AND event.data ->> 'snapshot_sha256' IS NOT NULL
        AND (%(account)s::uuid IS NULL OR event.account_id = %(account)s::uuid)
    ORDER BY slug, event.seq
"""
SNAPSHOTS_AT_ONCE = 500


def breaches(account: Account | None = None) -> list[str]:
    """What is wrong, one line each, of one account or of all: empty where every invariant holds."""
    with transaction.atomic(), connection.cursor() as cursor:
        # A web request may take 20 s at most; an audit of years may take longer, and sorts better in memory. The
        # planner cannot count the rows of SHARED: only a hash join is never quadratic in them.
        cursor.execute(
            "SET LOCAL statement_timeout = 0; SET LOCAL work_mem = '64MB';"
            "SET LOCAL enable_nestloop = off; SET LOCAL enable_mergejoin = off"
        )
        cursor.execute(_statement(), {"account": account.pk if account else None})
        found = [f"{slug or 'unknown account'}: {rule}: {finding}" for slug, rule, finding in cursor.fetchall()]
        return [*found, *_thawed(cursor, account)]


def _thawed(cursor: CursorWrapper, account: Account | None) -> Iterator[str]:
    """The snapshots whose hash is another now. It is made here: JSON has its order of keys from Python."""
    cursor.execute(FROZEN, {"account": account.pk if account else None})
    while True:
        cursor.execute(f"FETCH {SNAPSHOTS_AT_ONCE} FROM frozen")
        portion = cursor.fetchall()
        for slug, handoff, frozen, then in portion:
            if snapshot.digest(json.loads(frozen)) != then:
                yield f"{slug}: frozen: the snapshot of handoff {handoff} is not what was frozen"
        if not portion:
            break
    cursor.execute("CLOSE frozen")


def _statement() -> str:
    found = "\nUNION ALL\n".join(
        f"SELECT '{rule}' AS rule, * FROM ({check}) AS found_{number} (account_id, finding)"  # noqa: S608 all constants
        for rule, checks in CHECKS.items()
        for number, check in enumerate(checks)
    )
    return f"""WITH {SHARED}
        SELECT slug, rule, finding FROM ({found}) AS found
            LEFT JOIN accounts_account AS account ON account.id = account_id
        ORDER BY slug, rule, finding"""  # noqa: S608 all constants
