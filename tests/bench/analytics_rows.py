"""A million handoffs with their feed, written by COPY: what fifty teams leave behind in a year."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

YEAR = timedelta(days=365)
ACCOUNTS, HANDOFFS, LARGEST = 50, 1_000_000, 200_000
GROWTH = (2_000, 20_000)  # accounts of these sizes, to see how time grows
PEOPLE = 40

COLUMNS = {
    "accounts_account": "id, name, slug, time_zone",
    "accounts_user": "id, account_id, email, name, role, is_active, password, is_superuser",
    "escalations_aisession": "id, account_id, title, client_name, ticket_ref, category, problem, state, started_by_id,"
    " holder_id, held_since, created_at, resolved_at, resolved_by_id, resolution, version",
    "escalations_handoff": "id, account_id, session_id, intent, state, priority, reason, snapshot, created_by_id,"
    " created_at, picked_up_by_id, picked_up_at, resolved_at, taken_back_at, version, queued_seq",
    "escalations_assessment": "handoff_id, state, data, reason, assessor, attempt, requested_at, deadline, finished_at",
    "escalations_message": "id, session_id, number, kind, author_id, body, sources, step_handoff_id, step_index,"
    " step_use, created_at",
    "escalations_triedstep": "id, session_id, position, description, outcome, note, by_id, source_message_id,"
    " created_at",
    "feed_event": "account_id, seq, kind, handoff_id, session_id, actor_id, at, data",
    "feed_counter": "account_id, seq",
}
SNAPSHOT = json.dumps(
    {
        "session": {"title": "Outlook asks for the password again and again", "client_name": "Brightwater Dental"},
        "steps": [{"description": "Cleared the cached tokens", "outcome": "failed", "by": "Ann Abel"}] * 4,
        "messages": [{"number": n, "author": "Ann Abel", "body": "It still loops. " * 4} for n in range(6)],
    }
)
DATA = json.dumps({"summary_prose": "It loops.", "suggested_steps": [{"text": "Delete the token", "sources": []}]})


def sizes() -> list[int]:
    """Handoffs of each account: the largest, those of the growth, and the rest evenly."""
    rest = HANDOFFS - LARGEST - sum(GROWTH)
    others = ACCOUNTS - 1 - len(GROWTH)
    shares = [rest // others + (1 if number < rest % others else 0) for number in range(others)]
    return [LARGEST, *GROWTH, *shares]


def write(connection: "psycopg.Connection[Any]", *, now: datetime, scale: float = 1.0) -> dict[int, UUID]:
    """Write all accounts; the ids by the number of their handoffs. Triggers and foreign keys are off meanwhile."""
    connection.execute("SET session_replication_role = replica")
    written = {}
    for number, size in enumerate(sizes()):
        team = Team(number, max(10, int(size * scale)), now)
        for table, rows in team.tables().items():
            _copy(connection, table, rows)
        connection.commit()
        written.setdefault(size, team.account)
    connection.execute("SET session_replication_role = origin")
    connection.commit()
    return written


def _copy(connection: "psycopg.Connection[Any]", table: str, rows: list[tuple[Any, ...]]) -> None:
    with connection.cursor().copy(f"COPY {table} ({COLUMNS[table]}) FROM STDIN") as copy:
        copy.write("".join(_lines(rows)))


def _lines(rows: list[tuple[Any, ...]]) -> Iterator[str]:
    for row in rows:
        yield "\t".join("\\N" if value is None else str(value) for value in row) + "\n"


class Team:
    """One account's year, before it is written. Of 100 escalations 4 are taken back, 8 put back and picked up again."""

    def __init__(self, number: int, size: int, now: datetime) -> None:
        self.chance = random.Random(number)
        self.account = self.new_id()
        self.now = now
        self.people = [str(self.new_id()) for _ in range(PEOPLE)]
        self.rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in COLUMNS}
        self.events: list[tuple[datetime, str, str, str, str | None]] = []
        self.rows["accounts_account"].append((self.account, f"Team {number}", f"team-{number}", "Europe/Berlin"))
        for person, user in enumerate(self.people):
            role = "owner" if person == 0 else "engineer"
            told = (user, self.account, f"p{person}@team{number}.example", f"Person {person}", role, True, "!", False)
            self.rows["accounts_user"].append(told)
        for _ in range(size):
            self.escalation(now - YEAR * self.chance.random())
        self.write_feed()

    def new_id(self) -> UUID:
        return UUID(int=self.chance.getrandbits(128), version=4)

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        return self.rows

    def escalation(self, at: datetime) -> None:
        chance = self.chance
        session, handoff = str(self.new_id()), str(self.new_id())
        by, picker, second = chance.sample(self.people, 3)
        self.tell(at, "handoff_created", handoff, session, by)
        self.tell(at + timedelta(seconds=2), "handoff_assessed", handoff, session, None)
        picked, ended, state = at + self.minutes(6, 1.0), None, "resolved"
        fate = chance.random()
        if fate < 0.04:
            state, ended = "taken_back", at + self.minutes(8, 0.8)
            self.tell(ended, "handoff_taken_back", handoff, session, by)
        else:
            if fate < 0.12:
                self.tell(picked, "handoff_picked_up", handoff, session, picker)
                released = picked + self.minutes(8, 0.5)
                self.tell(released, "handoff_released", handoff, session, picker)
                picked, picker = released + self.minutes(6, 1.0), second
            self.tell(picked, "handoff_picked_up", handoff, session, picker)
            acted = picked + self.minutes(2, 0.8)
            ended = acted + self.minutes(30, 0.9)
            if fate < 0.9:
                use = chance.random() < 0.3
                message = (str(self.new_id()), session, 1, "engineer", picker, "On it.", "[]")
                how = (handoff, 0, "sent_unchanged") if use else (None, None, "")
                self.rows["escalations_message"].append((*message, *how, acted))
                if chance.random() < 0.5:
                    source = message[0] if use else None
                    step = (str(self.new_id()), session, 1, "Deleted the token", "worked", "", picker, source)
                    self.rows["escalations_triedstep"].append((*step, acted + self.minutes(4, 0.5)))
            self.tell(ended, "handoff_resolved", handoff, session, picker)
        self.keep(session, handoff, at, by, picker, picked, ended, state)

    def minutes(self, typical: float, spread: float) -> timedelta:
        return timedelta(minutes=typical * self.chance.lognormvariate(0, spread))

    def tell(self, at: datetime, kind: str, handoff: str, session: str, actor: str | None) -> None:
        self.events.append((at, kind, handoff, session, actor))

    def keep(self, session, handoff, at, by, picker, picked, ended, state) -> None:
        """The rows as they are now: what would lie in the future has not happened yet."""
        now, account = self.now, self.account
        if ended > now:
            state, ended = ("picked_up" if state == "resolved" and picked <= now else "waiting"), None
        is_picked = state in ("picked_up", "resolved")
        resolved = ended if state == "resolved" else None
        of_session = {"waiting": "escalated", "resolved": "resolved"}.get(state, "active")
        told = (session, account, "Outlook asks again", "Brightwater", "#1", "mail", "It loops.", of_session, by)
        who = picker if is_picked else by
        ending = (resolved, picker if resolved else None, "Deleted it." if resolved else "", 5)
        self.rows["escalations_aisession"].append((*told, who, at, at - timedelta(hours=1), *ending))
        claim = (picker, picked) if is_picked else (None, None)
        frozen = (handoff, account, session, "escalate", state, "normal", "It still loops.", SNAPSHOT, by, at)
        closed = (resolved, ended if state == "taken_back" else None, 1, 1)
        self.rows["escalations_handoff"].append((*frozen, *claim, *closed))
        times = (at, at + timedelta(seconds=5), at + timedelta(seconds=2))
        self.rows["escalations_assessment"].append((handoff, "ready", DATA, "", "playbook", 0, *times))

    def write_feed(self) -> None:
        happened = sorted(event for event in self.events if event[0] <= self.now)
        for seq, (at, kind, handoff, session, actor) in enumerate(happened, 1):
            self.rows["feed_event"].append((self.account, seq, kind, handoff, session, actor, at, "{}"))
        self.rows["feed_counter"].append((self.account, len(happened)))
        # `version` is not what the feed says: nothing that is measured here reads it.


def now() -> datetime:
    return datetime.now(UTC)
