"""No input gives a 5xx: every POST, with everything that has ever broken one."""

import json
import sys

import pytest
from django.db import DatabaseError

from escalations.actions import sessions
from tests.factories import HandoffFactory, SessionFactory
from tests.programs import Program, refusal

pytestmark = pytest.mark.django_db

GOOD = {
    "/sessions": {"title": "Printer", "client_name": "Brightwater", "ticket_ref": "#1", "problem": "It jams."},
    "/sessions/{session}/messages": {"body": "Hello"},
    "/sessions/{session}/steps": {"description": "Restarted it", "outcome": "failed", "note": "No change"},
    "/sessions/{session}/handoffs": {"intent": "escalate", "reason": "Stuck.", "priority": "high"},
    "/sessions/{session}/resolve": {"resolution": "A new drum."},
    "/handoffs/{handoff}/pick-up": {},
    "/handoffs/{handoff}/release": {},
    "/handoffs/{handoff}/take-back": {},
}
FIELDS = [(path, field) for path, told in GOOD.items() for field in told]
DEEP = 100_000

BODIES = {
    "cut off": b"{",
    "cut off in a string": b'{"title": "x',
    "no value": b'{"title": }',
    "a comma too many": b'{"title": "x",}',
    "two values": b'{"title": "x"} {"title": "y"}',
    "single quotes": b"{'title': 'x'}",
    "a comment": b'/* x */ {"title": "x"}',
    "a form": b"title=x&body=y&reason=z",
    "XML": b"<title>x</title>",
    "a list": b"[]",
    "a list of objects": b'[{"title": "x"}]',
    "text": b'"x"',
    "empty text": b'""',
    "a number": b"1",
    "a fraction": b"-1.5e10",
    "true": b"true",
    "false": b"false",
    "NaN": b"NaN",
    "infinity": b"-Infinity",
    "NaN in a field": b'{"title": NaN, "body": NaN}',
    "infinity in a field": b'{"title": Infinity}',
    "beyond a double": b'{"title": 1e999, "body": 1e999}',
    "a huge integer": b'{"title": ' + b"9" * 4000 + b"}",
    "an integer too huge for Python": b'{"title": ' + b"9" * 5000 + b"}",
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep lists that never end": b"[" * DEEP,
    "deep objects": b'{"title":' * 25_000 + b"1" + b"}" * 25_000,
    "a deep field": b'{"title": ' + b"[" * 500 + b"]" * 500 + b', "body": ' + b"[" * 500 + b"]" * 500 + b"}",
    "a NUL": b"\x00",
    "a raw NUL in text": b'{"title": "a\x00b"}',
    "NULs": b"\x00" * 1000,
    "a raw line break in text": b'{"title": "a\nb"}',
    "invalid UTF-8": b'{"title": "\xff\xfe"}',
    "an overlong UTF-8": b'{"title": "\xc0\x80"}',
    "a surrogate in UTF-8": b'{"title": "\xed\xa0\x80"}',
    "UTF-16": '{"title": "x", "body": "x"}'.encode("utf-16"),
    "UTF-32": '{"title": "x", "body": "x"}'.encode("utf-32-le"),
    "a byte order mark": b'\xef\xbb\xbf{"title": "x"}',
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    "an unknown field": b'{"nonsense": 1}',
    "an unknown field with a NUL": b'{"a\\u0000b": 1}',
    "an unknown field with a lone surrogate": b'{"\\ud800": 1}',
    "an unknown field without a name": b'{"": 1}',
    "a field of the server's": b'{"id": "x", "account": "x", "state": "resolved", "holder": null}',
    "dunders": b'{"__class__": {"__init__": 1}, "__proto__": {}, "constructor": 1}',
    "many unknown fields": json.dumps({f"x{n}": n for n in range(5000)}).encode(),
    "a long unknown field": json.dumps({"x" * 200_000: 1}).encode(),
    "a bad escape": b'{"title": "\\x00"}',
    "half an escape": b'{"title": "\\u12"}',
}

VALUES = {
    "a number": 1,
    "zero": 0,
    "a fraction": 1.5,
    "true": True,
    "a list": [],
    "a list of text": ["Hello"],
    "an object": {},
    "an object like a schema's": {"value": "Hello"},
    "a NUL": "\0",
    "a NUL inside": "a\0b",
    "a NUL at the end": "Hello\0",
    "a lone high surrogate": "a\ud800b",
    "a lone low surrogate": "\udfff",
    "surrogates the wrong way round": "\udc00\ud800",
    "too long": "x" * 10_001,
    "much too long": "x" * 200_000,
    "too long in wide characters": "🖨" * 10_001,
    "a huge integer": 10**400,
    "a negative one": -(2**64),
    "the largest double": sys.float_info.max,
}


@pytest.fixture
def address(ann):
    """Fills a path with a session that ann may change, and a handoff that ben may."""
    session, handoff = SessionFactory(by=ann), HandoffFactory(by=ann)
    return lambda path: path.format(session=session.pk, handoff=handoff.pk)


def is_refused(response) -> bool:
    assert response.status_code in {400, 422}, (response.status_code, response.content[:500])
    return bool(refusal(response, response.status_code))


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_garbled_body_is_refused_by_every_post(body, address, ann):
    program = Program(ann)
    for path in GOOD:
        assert is_refused(program.call("POST", address(path), body))


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_a_value_that_cannot_be_is_refused_in_every_field(value, address, ann):
    program = Program(ann)
    for path, field in FIELDS:
        said = refusal(program.post(address(path), {**GOOD[path], field: value}), 422)
        assert [wrong["field"] for wrong in said["errors"]] == [field]


@pytest.mark.parametrize("value", [None, "", " ", "\n\t  ", "\u2003"])
def test_what_is_needed_is_not_blank(value, address, ann):
    program = Program(ann)
    for path, field in FIELDS:
        if field in {"client_name", "ticket_ref", "problem", "note"}:
            continue
        if field == "priority" and value is None:
            continue
        refusal(program.post(address(path), {**GOOD[path], field: value}), 422)


@pytest.mark.parametrize("key", ["", "x" * 201, "käse", "a\tb", "\x7f", "\xff\xfe", "🖨"])
def test_a_key_that_cannot_be_is_refused_by_every_post(key, address, ann):
    program = Program(ann)
    for path, told in GOOD.items():
        said = refusal(program.post(address(path), told, key=key), 422)
        assert [wrong["field"] for wrong in said["errors"]] == ["Idempotency-Key"]


@pytest.mark.parametrize("type_", ["", "nonsense", "text/plain", "multipart/form-data", "application/json; charset=x"])
def test_the_type_of_a_body_does_not_matter(type_, address, ann):
    program = Program(ann)
    for path, told in GOOD.items():
        response = program.client.generic(
            "POST", "/api" + address(path), json.dumps(told), type_, headers=program.headers
        )
        assert response.status_code < 500
        assert response.headers["Content-Type"].startswith("application/json")


def test_text_keeps_what_can_be_stored(ann):
    body = "Zeile 1\r\nZeile 2\t🖨 \u202e\x1b\ufffe"
    session = SessionFactory(by=ann)
    assert Program(ann).post(f"/sessions/{session.pk}/messages", {"body": body}).json()["body"] == body


# That these tests can fail


def test_a_nul_that_reached_the_database_would_break_it(ann):
    session = SessionFactory(by=ann)
    with pytest.raises((ValueError, DatabaseError)):
        sessions.post(session, by=ann, body="a\0b")


def test_a_crash_would_be_noticed(ann, monkeypatch):
    def crash(*args, **kwargs):
        raise RecursionError

    monkeypatch.setattr(sessions, "start", crash)
    response = Program(ann).post("/sessions", GOOD["/sessions"])
    assert response.status_code == 500
    with pytest.raises(AssertionError):
        is_refused(response)


def test_every_good_body_is_taken(ann, ben):
    for path, told in GOOD.items():
        handoff = HandoffFactory(by=ann, picker=ben if "release" in path else None)
        caller = ann if "take-back" in path or "sessions" in path else ben
        response = Program(caller).post(path.format(session=SessionFactory(by=ann).pk, handoff=handoff.pk), told)
        assert response.status_code in {200, 201}, (path, response.content)
