"""From the feed to facts, in SQL. Each statement takes `%(handoffs)s`, the ids of the handoffs to derive anew.

A pickup lasts from its event to the handoff's next one, half-open. The actions that qualify are the picker's own
messages and tried steps in that time, and the resolution that ends it.
"""

# What each event of a handoff led to; assessments are no step of its story. Neither is what was undone: an event that
# says so counts as nothing, together with the one before it (a pick-up, or its return by the lease).
MOVES = """
    step AS (
        SELECT account_id, handoff_id, session_id, seq, kind, actor_id, at, data ? 'undone' AS undoes,
            coalesce(lead(data ? 'undone') OVER story, false) AS is_undone
        FROM feed_event
        WHERE handoff_id = ANY(%(handoffs)s) AND kind <> 'handoff_assessed'
        WINDOW story AS (PARTITION BY handoff_id ORDER BY seq)
    ), move AS MATERIALIZED (
        SELECT account_id, handoff_id, session_id, seq, kind, actor_id, at,
            lead(kind) OVER story AS next_kind, lead(at) OVER story AS next_at, lead(actor_id) OVER story AS next_by
        FROM step WHERE NOT (undoes OR is_undone)
        WINDOW story AS (PARTITION BY handoff_id ORDER BY seq)
    )
"""

PICKUPS = """
    pickup AS MATERIALIZED (
        SELECT move.account_id, move.seq, move.handoff_id, move.actor_id AS picker_id,
            escalation.at AS escalated_at, move.at AS picked_up_at, move.next_at AS ended_at,
            coalesce(move.next_kind = 'handoff_released', false) AS was_released,
            action.at AS first_action_at, resolution.at AS resolved_at,
            steps.uses, steps.unchanged, steps.with_outcome, steps.worked
        FROM move
        JOIN move AS escalation ON escalation.handoff_id = move.handoff_id AND escalation.kind = 'handoff_created'
            AND escalation.actor_id <> move.actor_id
        CROSS JOIN LATERAL (
            SELECT CASE WHEN move.next_kind = 'handoff_resolved' AND move.next_by = move.actor_id
                THEN move.next_at END AS at
        ) AS resolution
        CROSS JOIN LATERAL (
            SELECT least(
                (SELECT min(created_at) FROM escalations_message AS message
                 WHERE message.session_id = move.session_id AND message.author_id = move.actor_id
                    AND message.kind = 'engineer' AND message.created_at >= move.at
                    AND (move.next_at IS NULL OR message.created_at < move.next_at)),
                (SELECT min(created_at) FROM escalations_triedstep AS step
                 WHERE step.session_id = move.session_id AND step.by_id = move.actor_id AND step.created_at >= move.at
                    AND (move.next_at IS NULL OR step.created_at < move.next_at)),
                resolution.at
            ) AS at
        ) AS action
        CROSS JOIN LATERAL (
            SELECT count(*) AS uses, count(*) FILTER (WHERE message.step_use = 'sent_unchanged') AS unchanged,
                count(outcome.outcome) AS with_outcome,
                count(*) FILTER (WHERE outcome.outcome = 'worked') AS worked
            FROM escalations_message AS message
            LEFT JOIN LATERAL (
                SELECT step.outcome FROM escalations_triedstep AS step
                WHERE step.source_message_id = message.id AND step.by_id = move.actor_id
                    AND step.outcome <> 'not_run' AND step.created_at >= move.at
                    AND (move.next_at IS NULL OR step.created_at < move.next_at)
                ORDER BY step.position DESC LIMIT 1
            ) AS outcome ON true
            WHERE message.session_id = move.session_id AND message.author_id = move.actor_id
                AND message.step_handoff_id = move.handoff_id AND message.step_use <> ''
                AND message.created_at >= move.at
                AND (move.next_at IS NULL OR message.created_at < move.next_at)
        ) AS steps
        WHERE move.kind = 'handoff_picked_up'
    )
"""


def _seconds(start: str, end: str) -> str:
    """From one moment to another, never less than 0 (a clock may be set back); NULL where one of them is."""
    return (
        f"CASE WHEN {start} <= {end} THEN extract(epoch FROM {end} - {start})::float8 WHEN {start} > {end} THEN 0 END"
    )


PICKUP_FACTS = f"""
    SELECT account_id, seq, handoff_id, picker_id, escalated_at, picked_up_at, ended_at, was_released,
        first_action_at, resolved_at,
        {_seconds("picked_up_at", "first_action_at")} AS action_seconds,
        {_seconds("picked_up_at", "resolved_at")} AS hands_on_seconds
    FROM pickup
"""  # noqa: S608 all of it is written here

HANDOFF_FACTS = f"""
    SELECT escalation.handoff_id, escalation.account_id, escalation.session_id, escalation.actor_id AS escalated_by_id,
        escalation.at AS escalated_at,
        CASE ending.kind WHEN 'handoff_picked_up' THEN 'picked_up' WHEN 'handoff_resolved' THEN 'resolved'
            WHEN 'handoff_taken_back' THEN 'taken_back' ELSE 'waiting' END AS state,
        CASE WHEN ending.kind IN ('handoff_resolved', 'handoff_taken_back') THEN ending.at END AS closed_at,
        (SELECT min(next.at) FROM feed_event AS next
         WHERE next.session_id = escalation.session_id AND next.kind = 'handoff_created' AND next.seq > escalation.seq
        ) AS followed_at,
        coalesce(held.pickups, 0) AS pickups, coalesce(held.idle_releases, 0) AS idle_releases,
        held.first_pickup_at, held.last_pickup_at, held.first_action_at, held.resolved_at,
        {_seconds("escalation.at", "held.first_pickup_at")} AS pickup_seconds,
        {_seconds("held.acted_pickup_at", "held.first_action_at")} AS action_seconds,
        {_seconds("escalation.at", "held.resolved_at")} AS resolution_seconds,
        {_seconds("held.first_pickup_at", "held.resolved_at")} AS hands_on_seconds,
        coalesce(assessment.state = 'disabled', false) AS ai_disabled,
        CASE WHEN assessment.state = 'ready'
            THEN {_seconds("assessment.requested_at", "assessment.finished_at")} END AS ready_seconds,
        CASE WHEN held.first_pickup_at IS NULL OR assessment.state = 'disabled' THEN ''
            WHEN assessment.state = 'ready' AND assessment.finished_at <= held.first_pickup_at THEN 'ready'
            WHEN assessment.state = 'ready' THEN 'late'
            WHEN assessment.state IN ('timed_out', 'failed') THEN assessment.state
            WHEN assessment.deadline <= held.first_pickup_at THEN 'timed_out'
            ELSE 'pending' END AS assessed,
        coalesce(assessment.state = 'ready' AND assessment.finished_at <= held.first_pickup_at
            AND jsonb_typeof(assessment.data -> 'suggested_steps') = 'array'
            AND assessment.data -> 'suggested_steps' <> '[]', false) AS has_steps,
        coalesce(held.uses, 0) AS uses, coalesce(held.unchanged, 0) AS uses_unchanged,
        coalesce(held.with_outcome, 0) AS uses_with_outcome, coalesce(held.worked, 0) AS uses_worked
    FROM move AS escalation
    JOIN move AS ending ON ending.handoff_id = escalation.handoff_id AND ending.next_kind IS NULL
    LEFT JOIN (
        SELECT handoff_id, count(*) AS pickups,
            count(*) FILTER (WHERE was_released AND first_action_at IS NULL) AS idle_releases,
            min(picked_up_at) AS first_pickup_at, max(picked_up_at) AS last_pickup_at,
            min(first_action_at) AS first_action_at,
            min(picked_up_at) FILTER (WHERE first_action_at IS NOT NULL) AS acted_pickup_at,
            min(resolved_at) AS resolved_at,
            sum(uses) AS uses, sum(unchanged) AS unchanged, sum(with_outcome) AS with_outcome, sum(worked) AS worked
        FROM pickup GROUP BY handoff_id
    ) AS held ON held.handoff_id = escalation.handoff_id
    LEFT JOIN escalations_assessment AS assessment ON assessment.handoff_id = escalation.handoff_id
    WHERE escalation.kind = 'handoff_created'
"""  # noqa: S608 all of it is written here


def _written(table: str, key: tuple[str, ...], rows: str, columns: tuple[str, ...]) -> str:
    """Insert the rows, or make what is there like them; what is like them already is not written again."""
    names, conflict = ", ".join(columns), ", ".join(key)
    rest = [name for name in columns if name not in key]
    changes = ", ".join(f"{name} = EXCLUDED.{name}" for name in rest)
    was = ", ".join(f"{table}.{name}" for name in rest)
    becomes = ", ".join(f"EXCLUDED.{name}" for name in rest)
    return f"""
        INSERT INTO {table} ({names}) SELECT {names} FROM ({rows}) AS derived
        ON CONFLICT ({conflict}) DO UPDATE SET {changes} WHERE ({was}) IS DISTINCT FROM ({becomes})
    """  # noqa: S608 all of it is written here


HANDOFF_COLUMNS = (
    *("handoff_id", "account_id", "session_id", "escalated_by_id", "escalated_at", "state", "closed_at"),
    *("followed_at", "pickups", "idle_releases", "first_pickup_at", "last_pickup_at", "first_action_at"),
    *("resolved_at", "pickup_seconds", "action_seconds", "resolution_seconds", "hands_on_seconds", "ai_disabled"),
    *("ready_seconds", "assessed", "has_steps", "uses", "uses_unchanged", "uses_with_outcome", "uses_worked"),
)
PICKUP_COLUMNS = (
    *("account_id", "seq", "handoff_id", "picker_id", "escalated_at", "picked_up_at", "ended_at"),
    *("was_released", "first_action_at", "resolved_at", "action_seconds", "hands_on_seconds"),
)


# A pick-up that was undone since it was derived.
FORGOTTEN = """
    DELETE FROM analytics_pickup AS kept WHERE handoff_id = ANY(%(handoffs)s)
        AND NOT EXISTS (SELECT FROM pickup WHERE pickup.account_id = kept.account_id AND pickup.seq = kept.seq)
"""


def derive() -> str:
    """Both tables in one statement, because the pickups are worked out once."""
    pickups = _written("analytics_pickup", ("account_id", "seq"), PICKUP_FACTS, PICKUP_COLUMNS)
    handoffs = _written("analytics_handoff", ("handoff_id",), HANDOFF_FACTS, HANDOFF_COLUMNS)
    return f"WITH {MOVES}, {PICKUPS}, written AS ({pickups}), forgotten AS ({FORGOTTEN}) {handoffs}"


def differences() -> str:
    """The handoffs whose stored facts are not what the feed says now."""
    told, kept = ", ".join(HANDOFF_COLUMNS), ", ".join(PICKUP_COLUMNS)
    return f"""
        WITH {MOVES}, {PICKUPS}, handoff AS ({HANDOFF_FACTS}), held AS ({PICKUP_FACTS})
        SELECT handoff_id FROM (
            (SELECT {told} FROM handoff EXCEPT SELECT {told} FROM analytics_handoff
                WHERE handoff_id = ANY(%(handoffs)s))
        ) AS wrong
        UNION SELECT handoff_id FROM (
            (SELECT {kept} FROM held EXCEPT SELECT {kept} FROM analytics_pickup WHERE handoff_id = ANY(%(handoffs)s))
            UNION ALL
            (SELECT {kept} FROM analytics_pickup WHERE handoff_id = ANY(%(handoffs)s) EXCEPT SELECT {kept} FROM held)
        ) AS wrong
    """  # noqa: S608 all of it is written here
