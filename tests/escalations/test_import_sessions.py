"""`manage.py import_sessions`: SPEC 6.1."""

import io
import json
import threading
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from escalations import knowledge, past
from escalations.actions import past_sessions
from escalations.assessor import sentences
from escalations.models import AISession, Message, TriedStep
from escalations.past_fields import BadLine

CASE = {
    "title": "RRAS users lose web browsing while the tunnel is up",
    "client_name": "Harrow & Pike Surveyors",
    "ticket_ref": "TKT-52445",
    "category": "vpn",
    "problem": "Web pages stop loading the moment the tunnel connects.",
    "messages": [
        {"author": "engineer", "body": "Route print shows the default route on the PPP interface."},
        {"author": "copilot", "body": "Then it takes the remote gateway."},
        {"author": "client", "body": "Works again as soon as I hang up."},
    ],
    "steps": [
        {"description": "Flushed DNS", "outcome": "failed", "note": "no change"},
        {"description": "Cleared the remote gateway tick box", "outcome": "worked"},
    ],
    "resolution": "Split tunnelling with a static route fixed it.",
    "resolved_at": "2026-03-01T11:00:00+01:00",
}
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def file(tmp_path):
    """`file(CASE, b"raw line")` writes lines and tells the file's path."""

    def write(*lines, ending=b"\n"):
        path = tmp_path / "past.jsonl"
        raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
        path.write_bytes(b"".join(line + ending for line in raw))
        return str(path)

    return write


@pytest.fixture
def take(harbor, capsys):
    """Runs the import into Harbor and answers its exit code, stdout and stderr."""

    def run(path):
        try:
            call_command("import_sessions", path, account="harbor-it")
            code = 0
        except SystemExit as end:
            code = end.code
        said = capsys.readouterr()
        return SimpleNamespace(code=code, out=said.out.strip(), err=said.err.strip())

    return run


# What becomes of a line


def test_a_line_with_a_resolution_becomes_a_resolved_session(take, file, harbor):
    assert take(file(CASE)).out == "Imported 1 session."
    session = AISession.objects.get()
    assert (session.account, session.state) == (harbor, AISession.State.RESOLVED)
    assert (session.title, session.client_name) == (CASE["title"], CASE["client_name"])
    assert (session.ticket_ref, session.category) == ("TKT-52445", "vpn")
    assert (session.problem, session.resolution) == (CASE["problem"], CASE["resolution"])
    assert session.resolved_at == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert (session.holder, session.started_by, session.resolved_by) == (None, None, None)
    assert [(m.number, m.kind) for m in session.messages.all()] == [(1, "engineer"), (2, "copilot"), (3, "client")]
    assert [(s.position, s.outcome, s.note) for s in session.steps.all()] == [
        (1, "failed", "no change"),
        (2, "worked", ""),
    ]


def test_the_playbook_finds_it_at_once(take, file, harbor, ann):
    take(file(CASE))
    (found,) = knowledge.similar(harbor, "browsing stops when the tunnel is up", but=ann.pk)
    assert found.title == CASE["title"]


def test_another_account_does_not_find_it(take, file, summit, ann):
    take(file(CASE))
    assert knowledge.similar(summit, "browsing stops when the tunnel is up", but=ann.pk) == []


def test_without_a_resolution_it_was_abandoned_and_teaches_nothing(take, file, harbor, ann):
    take(file({**CASE, "resolution": None}))
    session = AISession.objects.get()
    assert (session.state, session.resolved_at, session.knowledge) == (AISession.State.ABANDONED, None, None)
    assert knowledge.similar(harbor, "tunnel", but=ann.pk) == []


def test_title_and_problem_are_enough(take, file):
    take(file({"title": "T", "problem": "P"}))
    assert AISession.objects.get().problem == "P"


def test_unknown_fields_are_ignored_and_named_once(take, file):
    more = {**CASE, "key_fix": "x", "steps": [{"description": "d", "outcome": "worked", "cost": 3}]}
    said = take(file(more, {**more, "title": "Another"}))
    assert (said.code, said.err) == (0, "")
    assert said.out == "Imported 2 sessions. Fields that were ignored: key_fix, steps[].cost."


def test_an_unknown_name_cannot_write_to_the_terminal(take, file):
    said = take(file({**CASE, "\x1b[31mred": 1, "\ud800": 2, "x" * 1000: 3}))
    assert said.out.isprintable()
    assert len(said.out) < 200


# Times


def times(**fields):
    told, _ = past.parse(json.dumps({"title": "T", "problem": "P", **fields}).encode(), tz=UTC, now=NOW)
    return past.times_of(told, now=NOW)


def at(hour, minute=0):
    return datetime(2026, 3, 1, hour, minute, tzinfo=UTC)


def message(hour=None):
    return {"author": "client", "body": "x", **({"at": at(hour).isoformat()} if hour else {})}


def test_messages_without_a_time_stand_evenly_between_their_neighbours():
    found = times(messages=[message(8), message(), message(), message(11), message()], resolved_at=at(13).isoformat())
    assert found.messages == [at(8), at(9), at(10), at(11), at(12)]
    assert (found.began, found.ended) == (at(8), at(13))


def test_steps_stand_between_beginning_and_end():
    step = {"description": "d", "outcome": "failed"}
    assert times(messages=[message(8)], steps=[step] * 3, resolved_at=at(12).isoformat()).steps == [
        at(9),
        at(10),
        at(11),
    ]


def test_a_resolution_without_a_time_was_with_the_last_message():
    assert times(messages=[message(8), message(9)], resolution="r").ended == at(9)


def test_a_session_without_any_time_is_of_now():
    found = times(messages=[message(), message()], resolution="r")
    assert (found.began, found.ended, found.messages) == (NOW, NOW, [NOW, NOW])


def test_only_the_end_known_is_the_beginning_too():
    assert times(resolution="r", resolved_at=at(9).isoformat()).began == at(9)


def test_times_that_run_backwards_stay_as_they_are_told():
    found = times(messages=[message(10), message(), message(8)], resolved_at=at(12).isoformat())
    assert found.messages == [at(10), at(10), at(8)]
    assert found.began == at(8)


def test_a_time_without_a_zone_is_the_accounts(take, file, harbor):
    take(file({**CASE, "resolved_at": "2026-07-01T12:00:00"}))
    assert AISession.objects.get().resolved_at == datetime(2026, 7, 1, 10, tzinfo=UTC)


def test_a_hundred_thousand_messages_without_times_are_all_placed():
    assert len(times(messages=[{"author": "client", "body": "x"}] * 100_000).messages) == 100_000


# Twice


def test_running_it_twice_changes_nothing(take, file):
    path = file(CASE, {**CASE, "title": "Another", "external_id": "4711"})
    take(path)
    before = list(AISession.objects.order_by("id").values())
    assert take(path).out == "Imported 0 sessions, 2 were there already."
    assert list(AISession.objects.order_by("id").values()) == before
    assert Message.objects.count() == 6


def test_the_same_line_twice_in_a_file_is_one_session(take, file):
    assert take(file(CASE, CASE)).out == "Imported 1 session, 1 was there already."
    assert Message.objects.count() == 3


def test_the_external_id_says_what_is_the_same(take, file):
    take(file({**CASE, "external_id": "a"}, {**CASE, "external_id": "b"}))
    assert take(file({**CASE, "external_id": "a", "title": "Renamed"})).out.endswith("1 was there already.")
    assert sorted(AISession.objects.values_list("external_id", flat=True)) == ["id:a", "id:b"]


def test_what_does_not_count_does_not_make_it_another_session(take, file):
    take(file(CASE))
    same = dict(reversed(CASE.items())) | {"key_fix": "x", "external_id": None, "title": f" {CASE['title']} "}
    same["resolved_at"] = "2026-03-01T10:00:00Z"
    assert take(file(same)).out.startswith("Imported 0 sessions, 1 was there already.")


@pytest.mark.parametrize("field", ["title", "client_name", "ticket_ref", "category", "problem", "resolution"])
def test_another_text_makes_another_session(take, file, field):
    assert take(file(CASE, {**CASE, field: "Different"})).out == "Imported 2 sessions."


def test_another_account_may_have_the_same_session(take, file, summit, capsys):
    path = file(CASE)
    take(path)
    call_command("import_sessions", path, account="summit-desk")
    assert capsys.readouterr().out == "Imported 1 session.\n"


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_the_same_time_keep_each_session_once(harbor):
    told = [past.parse(json.dumps({**CASE, "title": f"T{n}"}).encode(), tz=UTC, now=NOW)[0] for n in range(40)]
    kept, start = [], threading.Barrier(2)

    def run():
        start.wait()
        for first in range(0, 40, 10):
            kept.append(past_sessions.keep(told[first : first + 10], account=harbor, now=NOW))
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(map(sum, kept)) == 40
    assert (AISession.objects.count(), Message.objects.count(), TriedStep.objects.count()) == (40, 120, 80)


# Bad lines


def bad(line):
    with pytest.raises(BadLine) as error:
        past.parse(line if isinstance(line, bytes) else json.dumps(line).encode(), tz=UTC, now=NOW)
    return str(error.value)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"not json", "not JSON: Expecting value (column 1)"),
        (b'{"title": "T"', "not JSON"),
        (b"[1]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
        (b'{"title": "\xff", "problem": "P"}', "not UTF-8 (byte 12)"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"title": ' + b"9" * 5_000 + b"}", "a number is too long"),
        (b'{"title": "\\ud800", "problem": "P"}', "title: holds half a character (a lone surrogate)"),
        (b'{"title": "a\\u0000b", "problem": "P"}', "title: must not hold a NUL character"),
        (b'{"problem": "P"}', "title: must be there"),
        (b'{"title": NaN, "problem": "P"}', "title: must be text"),
    ],
)
def test_a_line_that_is_no_session_is_told_why(line, words):
    assert words in bad(line)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"title": " \n"}, "title: must not be blank"),
        ({"title": None}, "title: must be there"),
        ({"title": 5}, "title: must be text"),
        ({"title": "x" * 201}, "title: must have at most 200 characters, not 201"),
        ({"client_name": "x" * 121}, "client_name: must have at most 120 characters"),
        ({"ticket_ref": "x" * 61}, "ticket_ref: must have at most 60 characters"),
        ({"ticket_ref": 4711}, "ticket_ref: must be text"),
        ({"category": "x" * 61}, "category: must have at most 60 characters"),
        ({"problem": None}, "problem: must be there"),
        ({"problem": "x" * 10_001}, "problem: must have at most 10,000 characters, not 10,001"),
        ({"resolution": "x" * 5_001}, "resolution: must have at most 5,000 characters"),
        ({"resolution": ["r"]}, "resolution: must be text"),
        ({"resolution": "a\0"}, "resolution: must not hold a NUL character"),
        ({"external_id": "x" * 198}, "external_id: must have at most 197 characters"),
        ({"external_id": {}}, "external_id: must be text"),
        ({"resolved_at": "yesterday"}, "resolved_at: must be a date and time such as"),
        ({"resolved_at": 1_700_000_000}, "resolved_at: must be a date and time such as"),
        ({"resolved_at": "0001-01-01T00:00:00+14:00"}, "resolved_at: must be a date and time such as"),
        ({"resolved_at": "2026-06-01T12:00:01Z"}, "resolved_at: must not be in the future"),
        ({"messages": {}}, "messages: must be a list"),
        ({"messages": ["x"]}, "messages[0]: must be an object"),
        ({"messages": [message(), {"author": "system", "body": "x"}]}, "messages[1].author: must be one of engineer,"),
        ({"messages": [{"body": "x"}]}, "messages[0].author: must be one of engineer, copilot, client"),
        ({"messages": [{"author": "client"}]}, "messages[0].body: must be there"),
        ({"messages": [{"author": "client", "body": "x" * 10_001}]}, "messages[0].body: must have at most 10,000"),
        ({"messages": [message(8), message(10)], "resolved_at": "2026-03-01T09:00:00Z"}, "before messages[1].at"),
        ({"steps": "x"}, "steps: must be a list"),
        ({"steps": [None]}, "steps[0]: must be an object"),
        ({"steps": [{"outcome": "worked"}]}, "steps[0].description: must be there"),
        (
            {"steps": [{"description": "x" * 1_001, "outcome": "worked"}]},
            "steps[0].description: must have at most 1,000",
        ),
        ({"steps": [{"description": "d", "outcome": ["worked"]}]}, "steps[0].outcome: must be one of worked,"),
        ({"steps": [{"description": "d", "outcome": "worked", "note": 1}]}, "steps[0].note: must be text"),
    ],
)
def test_a_field_that_may_not_be_so_is_named(fields, words):
    past.parse(json.dumps({"title": "T", "problem": "P"}).encode(), tz=UTC, now=NOW)
    assert words in bad({"title": "T", "problem": "P", **fields})


def test_the_longest_texts_are_taken(take, file):
    longest = {"title": "ä" * 200, "problem": "p" * 10_000, "resolution": "r" * 5_000, "external_id": "i" * 197}
    longest["messages"] = [{"author": "client", "body": "b" * 10_000}]
    longest["steps"] = [{"description": "d" * 1_000, "outcome": "not_run", "note": "n" * 1_000}]
    assert take(file(longest)).code == 0


def test_bad_lines_are_named_and_good_ones_taken(take, file):
    wrong = {**CASE, "title": "W", "steps": [*CASE["steps"], {"description": "d", "outcome": "maybe"}]}
    said = take(file(CASE, wrong, b"{", {**CASE, "title": "Good too"}))
    assert said.code == 1
    assert said.out == "Imported 2 sessions, 2 bad lines."
    first, second = said.err.splitlines()
    assert first == "line 2: steps[2].outcome: must be one of worked, failed, inconclusive, not_run"
    assert second.startswith("line 3: not JSON")
    assert AISession.objects.filter(title__in=[CASE["title"], "Good too"]).count() == AISession.objects.count() == 2


def test_a_line_that_the_database_refuses_spoils_no_other(take, file, monkeypatch):
    refused = {**CASE, "title": "Refused"}
    parse = past.parse

    def lenient(line, **context):
        told, unknown = parse(line, **context)
        if told.title == "Refused":
            object.__setattr__(told.messages[1], "body", "a\0b")
        return told, unknown

    monkeypatch.setattr(past, "parse", lenient)
    said = take(file(CASE, refused, {**CASE, "title": "Third"}))
    assert (said.code, said.out) == (1, "Imported 2 sessions, 1 bad line.")
    assert said.err.startswith("line 2: ")
    assert not AISession.objects.filter(title="Refused").exists()


# Files


def test_a_byte_order_mark_windows_line_ends_and_blank_lines_do_no_harm(take, file):
    said = take(file(b"\xef\xbb\xbf" + json.dumps(CASE).encode(), b"", b"  ", b"{", ending=b"\r\n"))
    assert said.out == "Imported 1 session, 1 bad line."
    assert said.err.startswith("line 4: ")


def test_the_last_line_needs_no_end(take, file):
    assert take(file(json.dumps({**CASE, "title": "Last"}).encode(), ending=b"")).out == "Imported 1 session."


def test_an_empty_file_is_no_error(take, file):
    assert take(file()).out == "Imported 0 sessions, there was no line to read."


def test_a_huge_line_is_skipped_without_holding_it(take, file):
    huge = b'{"title": "' + b"x" * (3 * past.LONGEST_LINE) + b'"}'
    said = take(file(CASE, huge, {**CASE, "title": "After it"}))
    assert said.out == "Imported 2 sessions, 1 bad line."
    assert said.err == "line 2: longer than 4 MiB"
    pieces = [len(line) for _, line in past.lines(io.BytesIO(huge + b"\n" + huge))]
    assert max(pieces) <= past.LONGEST_LINE + 1


def test_it_reads_stdin(take, monkeypatch):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(json.dumps(CASE).encode())))
    assert take("-").out == "Imported 1 session."


def test_a_long_file_shows_progress(take, file, monkeypatch):
    monkeypatch.setattr("escalations.management.commands.import_sessions.QUIET_SECONDS", 0)
    with sentences.left_out():  # a thousand would be learned for as long as they may
        said = take(file(*({**CASE, "title": f"T{number}"} for number in range(1_050))))
    assert said.err.splitlines() == ["500 lines …", "1,000 lines …"]
    assert said.out == "Imported 1,050 sessions."


def test_a_short_file_is_quiet(take, file):
    assert take(file(*({**CASE, "title": f"T{number}"} for number in range(3)))).err == ""


@pytest.mark.parametrize("path", ["/nowhere/past.jsonl", "/tmp"])
def test_a_file_that_cannot_be_read_is_one_line(harbor, path):
    with pytest.raises(CommandError, match=rf"^Cannot read {path}: .*\.$"):
        call_command("import_sessions", path, account="harbor-it")


def test_an_unknown_account_is_one_line_with_the_known_ones(harbor, summit, file):
    with pytest.raises(CommandError, match=r"No account has the slug 'nope'\. The slugs are: harbor-it, summit-desk"):
        call_command("import_sessions", file(CASE), account="nope")


def test_a_database_that_goes_away_is_one_line(harbor, file, monkeypatch):
    def gone(*args, **kwargs):
        raise OperationalError("server closed the connection\nmore")

    monkeypatch.setattr(past_sessions, "keep", gone)
    with pytest.raises(CommandError, match=r"^server closed the connection Everything before line 1 is kept"):
        call_command("import_sessions", file(CASE), account="harbor-it")
