"""Sessions are found by what stands in them, wherever it stands and whenever it was written, and nobody else's."""

import json
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from escalations import past, search
from escalations.actions import handoffs, past_sessions, pruning, sessions
from escalations.models import AISession, Findable, Message, TriedStep
from tests.factories import SessionFactory


def found(account, question: str) -> list[search.Found]:
    asked = search.read(search.clean(question))
    everything = AISession.objects.for_account(account)
    return search.show(everything, search.find(everything, account, asked), asked) if asked else []


def titles(account, question: str) -> list[str]:
    return [hit.session.title for hit in found(account, question)]


def said(pieces: list[search.Piece]) -> str:
    return "".join(f"<{piece.text}>" if piece.is_found else piece.text for piece in pieces)


@pytest.fixture
def session(ann):
    """One in which everything is different everywhere."""
    session = SessionFactory(
        by=ann, title="Printer offline", client_name="Brightwater", ticket_ref="#48213", problem="Jam"
    )
    message = sessions.post(session, by=ann, body="The spooler says 0x8004011d at mail.example.com/owa.")
    sessions.record_step(
        session, by=ann, description="Restarted the queue", outcome="failed", note="no luck", source_message=message
    )
    return sessions.resolve(session, by=ann, resolution="A new driver, v1.2.3.")


@pytest.mark.parametrize(
    "question",
    [
        *["printer", "PRINTER", "brightwater", "jam", "spooler", "queue", "luck", "driver"],
        *["#48213", "48213", "#482", "0x8004011d", "0x8004", "mail.example.com", "example", "v1.2.3", "owa"],
        *["print", "restarting the queues", "printer spooler driver", "driver printer", "offline brightw"],
        *['"spooler says"', '"printer offline" driver', '"spooler says', "printer, (jam) & !!"],
    ],
)
def test_it_is_found(session, harbor, question):
    assert titles(harbor, question) == ["Printer offline"]


@pytest.mark.parametrize(
    "question",
    [
        *["scanner", "printer scanner", "8004011d", "213", "rinter", '"says spooler"', '"spool"', '"offline printer"'],
        *["pr", "ja", "&", "!!", "''", ":*", '"', '""', '"-"'],
    ],
)
def test_it_is_not_found(session, harbor, question):
    assert titles(harbor, "printer") == ["Printer offline"]
    assert titles(harbor, question) == []


STRANGE = [
    "\x00",
    "a\x00b",
    "'",
    "\\",
    "a' | 'b",
    "a & | b",
    "(((",
    "a <-> b",
    "<->",
    "a:*b",
    "!a",
    "a\\'b",
    "%s %(x)s",
]
LONG = ["x" * 10_000, "a " * 5_000, '"' * 500, "é" * 300, "0" * 300, "a" * 299 + "'", "(" * 10_000, "日本 " * 500]
FOREIGN = ["日本語", "😀", "\ud7ff", "ﬀ İı", "\u202e\u200b", "ß"]


@pytest.mark.parametrize("question", [*STRANGE, *LONG, *FOREIGN])
def test_nothing_that_can_be_asked_is_an_error(session, harbor, as_user, ann, question):
    assert titles(harbor, question) in ([], ["Printer offline"])
    assert as_user(ann).get("/sessions/", {"q": question}).status_code == 200
    assert len(search.clean(question)) <= search.LONGEST


def test_another_accounts_session_is_not_found(session, harbor, summit, zoe):
    SessionFactory(by=zoe, title="Printer of Summit")
    assert titles(harbor, "printer") == ["Printer offline"]
    assert titles(summit, "printer") == ["Printer of Summit"]


def test_who_has_it_in_the_head_comes_first_and_among_equals_the_newest(ann, harbor):
    for title, problem in [
        ("VPN drops", ""),
        ("Wifi slow", "and the VPN, too"),
        ("VPN again", ""),
        ("Mail late", "since the VPN"),
    ]:
        SessionFactory(by=ann, title=title, problem=problem)
    assert titles(harbor, "vpn") == ["VPN again", "VPN drops", "Mail late", "Wifi slow"]
    assert titles(harbor, "vpn since") == ["Mail late"]


def test_it_shows_where_it_stands(session, harbor):
    (hit,) = found(harbor, "spooler 0x8004")
    message = Message.objects.get(session=session, number=1)
    assert (hit.place.anchor, hit.place.name) == (f"message-{message.pk}", "Message 1")
    assert said(hit.place.pieces) == "The <spooler> says <0x8004011d> at mail.example.com/owa."
    (hit,) = found(harbor, "printers")
    assert (said(hit.title), hit.place) == ("<Printer> offline", None)
    (hit,) = found(harbor, "queue")
    assert hit.place.anchor == f"step-{TriedStep.objects.get().pk}"
    (hit,) = found(harbor, "#48213 driver")
    assert (said(hit.ticket), hit.place.anchor) == ("#<48213>", "resolution")


def test_an_excerpt_is_short_and_nothing_in_it_is_lost_or_markup(ann, harbor):
    SessionFactory(by=ann, problem="start " * 100 + "<b>needle</b> & " + "end " * 100)
    (hit,) = found(harbor, "needle")
    text = said(hit.place.pieces)
    assert "<b><needle></b> &" in text
    assert text.startswith("…start")
    assert text.endswith("…")
    assert len(text) < search.EXCERPT + 10


# Whenever it was written


def test_what_is_imported_is_found(harbor):
    line = {"title": "Old case", "problem": "Kerberos", "messages": [{"author": "client", "body": "clock skew"}]}
    assert titles(harbor, "kerberos skew") == []
    now = timezone.now()
    told, _ = past.parse(json.dumps(line).encode(), tz=harbor.tz, now=now)
    past_sessions.keep([told], account=harbor, now=now)
    assert titles(harbor, "kerberos skew") == ["Old case"]


def test_what_is_pruned_is_not_found_and_leaves_nothing(session, ann, ben, harbor):
    kept = SessionFactory(by=ann, title="Escalated printer", problem="")
    handoffs.pick_up(handoffs.escalate(kept, by=ann, reason="Stuck."), by=ben)
    kept.refresh_from_db()
    sessions.resolve(kept, by=ben, resolution="Toner.")
    assert titles(harbor, "printer") == ["Escalated printer", "Printer offline"]
    AISession.objects.update(created_at="2020-01-01T00:00Z", resolved_at="2020-01-02T00:00Z")
    pruning.prune(harbor, before=pruning.cutoff(30), command="test")
    assert AISession.objects.get().pruned_at
    assert not Findable.objects.exists()


def test_a_session_that_is_full_takes_messages_still(ann, harbor):
    session = SessionFactory(by=ann)
    with connection.cursor() as cursor:  # some 1 MB of words
        cursor.execute(
            "UPDATE escalations_findable SET words = words || (SELECT array_to_tsvector(array_agg(md5(n::text)))"
            " FROM generate_series(1, 31500) AS n)"
        )
    for number in range(6):
        sessions.post(session, by=ann, body=" ".join(f"word{number}x{n:07}" for n in range(550)))
    assert session.messages.count() >= 6
    assert titles(harbor, "word0x0000001") == [session.title]
    assert titles(harbor, "word5x0000001") == [], "it was full"


def test_the_backfill_reads_what_was_written_before_and_a_second_time_nothing(session, ann, harbor):
    before = dict(Findable.objects.values_list("session", "words"))
    fill = import_module("escalations.migrations.0011_search_backfill").fill
    Findable.objects.all().delete()
    assert titles(harbor, "printer") == []
    for _ in range(2):
        with connection.schema_editor() as editor:
            fill(apps, editor)
    words = "SELECT array_agg(lexeme ORDER BY lexeme) FROM unnest(%s::tsvector)"
    with connection.cursor() as cursor:
        for key, was in before.items():
            now = Findable.objects.get(pk=key).words
            cursor.execute(f"SELECT ({words}) = ({words})", [was, now])
            assert cursor.fetchone() == (True,)
    assert titles(harbor, "printer spooler queue driver") == ["Printer offline"]
