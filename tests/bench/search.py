"""How long does a search take, and what does it cost to post a message that is found? `python -m tests.bench.search`

Two accounts with 20,000 sessions of ten messages each (`SESSIONS=` for fewer). Pages are asked of a server of its own,
as the role that row security holds for. Goal: whatever is asked for, the page is there in 100 ms, at the median.
"""

import os
import random
import statistics
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.bench.ground import fresh_database, machine

if TYPE_CHECKING:
    from resolutionflow.accounts.models import Account, User

SESSIONS = int(os.environ.get("SESSIONS", "20000"))
MESSAGES, WORDS = 10, 40
VOCABULARY = 30_000
TIMES = 15
GOAL = 0.1  # seconds
QUESTIONS = [
    "",
    "w1",
    "w2 w3",
    "w40 w50 w60",
    "w9999",
    "w999",
    '"w1 w2"',
    "w1 w2 w3 w4 w5",
    "#48213",
    "0x8004011d nobody",
]


def main() -> int:
    with fresh_database():
        return measure()


def measure() -> int:
    from tests.factories import AccountFactory, UserFactory
    from tests.serving import Server

    print(f"{machine()}, load {os.getloadavg()[0]:.1f}")
    people = [UserFactory(account=AccountFactory()) for _ in range(2)]
    print(f"  {2 * SESSIONS} sessions made findable in {write([user.account for user in people]):.0f} s")
    run("VACUUM ANALYZE")
    print(f"  words and their index: {size('escalations_findable')}; messages: {size('escalations_message')}")
    server = Server("--no-worker").start()
    try:
        slowest = max(page(server, people[0], question) for question in QUESTIONS)
    finally:
        server.stop()
    print(f"  slowest median {1000 * slowest:.0f} ms (goal: below {1000 * GOAL:.0f} ms)")
    post(people[0])
    return int(slowest >= GOAL)


# Rows come from the database itself: the word of rank n is in a text about 1/n as often as the first one.
SOME = "(SELECT string_agg('w' || floor(power({most}, random()))::int, ' ') FROM generate_series(1, {count} + s.n * 0))"
SESSION = """
    INSERT INTO escalations_aisession (id, account_id, title, client_name, ticket_ref, category, problem, state,
        resolution, version)
    SELECT gen_random_uuid(), %(account)s, {title}, '', '#' || (40000 + n), '', {problem}, 'active', '', 0
    FROM generate_series(1, %(sessions)s) AS s(n)
"""
MESSAGE = """
    INSERT INTO escalations_message (id, session_id, number, kind, body, sources, step_use)
    SELECT gen_random_uuid(), id, s.n, 'engineer', {body}, '[]', ''
    FROM escalations_aisession, generate_series(1, %(messages)s) AS s(n) WHERE account_id = %(account)s
"""


def write(accounts: "list[Account]") -> float:
    """Seconds that the backfill took, which makes them findable."""
    from django.apps import apps
    from django.db import connection

    run("SET statement_timeout = 0")
    for table in ("escalations_aisession", "escalations_message"):
        run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    title, text = SOME.format(most=VOCABULARY, count=6), SOME.format(most=VOCABULARY, count=WORDS)
    for account in accounts:
        told = {"account": account.pk, "sessions": SESSIONS, "messages": MESSAGES}
        run(SESSION.format(title=title, problem=text), told)
        run(MESSAGE.format(body=text), told)
    for table in ("escalations_aisession", "escalations_message"):
        run(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    began = time.perf_counter()
    with connection.schema_editor(atomic=False) as editor:
        import_module("escalations.migrations.0011_search_backfill").fill(apps, editor)
    return time.perf_counter() - began


def page(server: Any, user: "User", question: str) -> float:
    """Seconds at the median until the page is there."""
    import re

    import httpx

    from tests.serving import cookie_of

    with httpx.Client(base_url=server.url, cookies={"sessionid": cookie_of(user)}, timeout=30) as client:
        took = []
        for _ in range(TIMES):
            began = time.perf_counter()
            answer = client.get("/sessions/", params={"q": question} if question else {})
            took.append(time.perf_counter() - began)
            assert answer.status_code == 200
    found = re.search(r'id="all-heading">(?:More than )?(\d+) session', answer.text)
    told = f"{found.group(1)} found" if found else "the list itself"
    print(f"  {question or '-':20} {told:18} median {1000 * statistics.median(took):6.1f} ms")
    return statistics.median(took)


def post(user: "User") -> None:
    """What posting takes with the triggers and without, in turns, in sessions that are short, long and very long."""
    from escalations.actions import sessions
    from escalations.models import Message
    from tests.factories import SessionFactory

    body = " ".join(f"word{n}" for n in range(WORDS))
    for length in (10, 100, 1000):
        session = SessionFactory(by=user, problem="")
        rows = [(n, " ".join(f"w{random.randrange(VOCABULARY)}" for _ in range(WORDS))) for n in range(1, length)]
        Message.objects.bulk_create(Message(session=session, number=n, kind="engineer", body=text) for n, text in rows)
        took: dict[str, list[float]] = {"ENABLE": [], "DISABLE": []}
        for n in range(2 * 40):
            state = ("ENABLE", "DISABLE")[n % 2]
            run(f"ALTER TABLE escalations_message {state} TRIGGER find_message")
            began = time.perf_counter()
            sessions.post(session, by=user, body=body)
            took[state].append(time.perf_counter() - began)
        medians = {state: 1000 * statistics.median(seconds) for state, seconds in took.items()}
        run("ALTER TABLE escalations_message ENABLE TRIGGER find_message")
        print(f"  a message more to {length}: {medians['ENABLE']:.1f} ms, unsearchable {medians['DISABLE']:.1f} ms")


def run(statement: str, values: dict[str, Any] | None = None) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def size(table: str) -> str:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_size_pretty(pg_total_relation_size(%s::regclass))", [table])
        return str(cursor.fetchone()[0])


if __name__ == "__main__":
    sys.exit(main())
