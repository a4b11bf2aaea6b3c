"""What the first release wrote, statement by statement: its columns, its feed, its order of locks."""

import threading
import time
import uuid

import psycopg
from psycopg import errors
from psycopg.types.json import Jsonb

TRIES = 3

ACCOUNT = "INSERT INTO accounts_account (id, name, slug, time_zone, created_at) VALUES (%s, %s, %s, 'UTC', now())"
PERSON = """
    INSERT INTO accounts_user (id, account_id, email, name, role, password, is_active, is_superuser, created_at)
    VALUES (%s, %s, %s, %s, 'engineer', '!', true, false, now())"""
SESSION = """
    INSERT INTO escalations_aisession (id, account_id, title, client_name, ticket_ref, category, problem, state,
        started_by_id, holder_id, held_since, created_at, resolved_at, resolved_by_id, resolution, version, external_id,
        knowledge)
    VALUES (%s, %s, 'It loops', 'Brightwater', '', '', 'It loops', 'active', %s, %s, now(), now(), NULL, NULL, '', 0,
        NULL, NULL)"""
MESSAGE = """
    INSERT INTO escalations_message (id, session_id, number, kind, author_id, body, sources, step_handoff_id,
        step_index, step_use, created_at)
    VALUES (%s, %s, %s, 'engineer', %s, 'Again', '[]', NULL, NULL, '', now())"""
STEP = """
    INSERT INTO escalations_triedstep (id, session_id, position, description, outcome, note, by_id, source_message_id,
        created_at)
    VALUES (%s, %s, 1, 'Rebooted', 'failed', '', %s, %s, now())"""
HANDOFF = """
    INSERT INTO escalations_handoff (id, account_id, session_id, intent, state, priority, reason, snapshot,
        created_by_id, created_at, picked_up_by_id, picked_up_at, resolved_at, taken_back_at, version, queued_seq)
    VALUES (%s, %s, %s, 'escalate', 'waiting', 'normal', 'Stuck', %s, %s, now(), NULL, NULL, NULL, NULL, 0, 0)"""
ASSESSMENT = """
    INSERT INTO escalations_assessment (handoff_id, state, data, reason, assessor, attempt, requested_at, deadline,
        finished_at)
    VALUES (%s, 'pending', NULL, '', '', 0, now(), now() + interval '5 s', NULL)"""
STATE = "UPDATE escalations_aisession SET state = %s, holder_id = %s, version = version + 1 WHERE id = %s"
OPEN = "SELECT 1 FROM escalations_handoff WHERE session_id = %s AND state = 'waiting' FOR NO KEY UPDATE"
LOCK = "SELECT 1 FROM escalations_aisession WHERE id = %s FOR NO KEY UPDATE"
CLAIM = """
    UPDATE escalations_handoff SET state = 'picked_up', picked_up_by_id = %s, picked_up_at = now()
    WHERE id = %s AND state = 'waiting'"""
APPEND = """
    WITH counter AS (
        INSERT INTO feed_counter (account_id, seq) VALUES (%(account)s, 1)
        ON CONFLICT (account_id) DO UPDATE SET seq = feed_counter.seq + 1
        RETURNING seq
    ), stamped AS (
        UPDATE escalations_handoff
        SET version = counter.seq, queued_seq = CASE WHEN %(enters)s THEN counter.seq ELSE queued_seq END
        FROM counter WHERE id = %(handoff)s
    )
    INSERT INTO feed_event (account_id, seq, kind, handoff_id, session_id, actor_id, data, at)
    SELECT %(account)s, counter.seq, %(kind)s, %(handoff)s, %(session)s, %(actor)s, '{}', clock_timestamp()
    FROM counter"""


class OldWriter(threading.Thread):
    """Escalates and picks up, again and again, until told to stop. `done` counts whole rounds, `errors` says what went
    wrong; a deadlock is tried again, as that release did."""

    def __init__(self, url: str, slug: str) -> None:
        super().__init__(daemon=True)
        self.url = url
        self.account, self.ann, self.ben = (uuid.uuid4() for _ in range(3))
        self.slug = slug
        self.done = 0
        self.slowest = 0.0
        self.errors: list[str] = []
        self._over = threading.Event()

    def run(self) -> None:
        options = "-c lock_timeout=2s -c statement_timeout=20s"
        try:
            with psycopg.connect(self.url, options=options) as connection:
                self._settle(connection)
                while not self._over.is_set():
                    session, handoff = uuid.uuid4(), uuid.uuid4()
                    self._insist(connection, self._escalate, session, handoff)
                    self._insist(connection, self._pick_up, session, handoff)
                    self.done += 1
        except Exception as error:  # in a thread: kept for the test to see
            self.errors.append(repr(error))

    def stop(self) -> None:
        self._over.set()
        self.join(30)

    def _settle(self, connection: psycopg.Connection) -> None:
        connection.execute(ACCOUNT, [self.account, self.slug, self.slug])
        for person, name in ((self.ann, "Ann"), (self.ben, "Ben")):
            connection.execute(PERSON, [person, self.account, f"{name.lower()}@{self.slug}.example", name])
        connection.commit()

    def _insist(self, connection: psycopg.Connection, step, *ids: uuid.UUID) -> None:
        began = time.monotonic()
        for attempt in range(1, TRIES + 1):
            try:
                with connection.transaction():
                    step(connection, *ids)
                break
            except (errors.DeadlockDetected, errors.SerializationFailure):
                if attempt == TRIES:
                    raise
        self.slowest = max(self.slowest, time.monotonic() - began)

    def _escalate(self, connection: psycopg.Connection, session: uuid.UUID, handoff: uuid.UUID) -> None:
        message = uuid.uuid4()
        connection.execute(OPEN, [session])
        connection.execute(SESSION, [session, self.account, self.ann, self.ann])
        connection.execute(MESSAGE, [message, session, 1, self.ann])
        connection.execute(STEP, [uuid.uuid4(), session, self.ann, message])
        connection.execute(HANDOFF, [handoff, self.account, session, Jsonb({"version": 1}), self.ann])
        connection.execute(STATE, ["escalated", self.ann, session])
        connection.execute(ASSESSMENT, [handoff])
        self._append(connection, "handoff_created", session, handoff, self.ann)

    def _pick_up(self, connection: psycopg.Connection, session: uuid.UUID, handoff: uuid.UUID) -> None:
        connection.execute(CLAIM, [self.ben, handoff])
        connection.execute(LOCK, [session])
        connection.execute(STATE, ["active", self.ben, session])
        connection.execute(MESSAGE, [uuid.uuid4(), session, 2, self.ben])
        self._append(connection, "handoff_picked_up", session, handoff, self.ben)

    def _append(self, connection, kind: str, session: uuid.UUID, handoff: uuid.UUID, by: uuid.UUID) -> None:
        told = {"account": self.account, "handoff": handoff, "session": session, "kind": kind, "actor": by}
        connection.execute(APPEND, {**told, "enters": kind == "handoff_created"})
