"""The frozen context of a handoff, and the hint at what it lacks."""

import json
from datetime import datetime

import pytest

from escalations import snapshot
from escalations.actions import handoffs, sessions
from escalations.models import Handoff
from tests.factories import SessionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def session(ann):
    return SessionFactory(by=ann, problem="")


def test_it_holds_the_session_its_messages_and_its_steps(session, ann):
    message = sessions.post(session, by=ann, body="It says 0x8004011d.")
    sessions.answer(session, to=None, body="Try this.", sources=[])
    step = sessions.record_step(
        session, by=ann, description="Rebooted", outcome="failed", note="Twice", source_message=message
    )
    frozen = snapshot.of(session)
    assert frozen["version"] == 1
    assert frozen["session"] == {
        "id": str(session.pk),
        "title": session.title,
        "client_name": session.client_name,
        "ticket_ref": session.ticket_ref,
        "problem": "",
        "started_at": session.created_at.isoformat(),
        "started_by": "Ann Abel",
    }
    told = [(m["number"], m["kind"], m["author"], m["body"]) for m in frozen["messages"]]
    assert told == [(1, "engineer", "Ann Abel", "It says 0x8004011d."), (2, "copilot", "FlowPilot", "Try this.")]
    (tried,) = frozen["steps"]
    assert (tried["id"], tried["message_id"]) == (str(step.pk), str(message.pk))
    assert (tried["description"], tried["outcome"], tried["note"], tried["by"]) == (
        "Rebooted",
        "failed",
        "Twice",
        "Ann Abel",
    )
    assert datetime.fromisoformat(tried["at"]).utcoffset().total_seconds() == 0


def test_it_is_json_and_survives_the_database(session, ann):
    sessions.post(session, by=ann, body='“Quotes”, "quotes", \\ and 👩‍👩‍👧 \u202e')
    frozen = snapshot.of(session)
    assert json.loads(json.dumps(frozen)) == frozen
    handoff = handoffs.escalate(session, by=ann, reason="x")
    assert Handoff.objects.get(pk=handoff.pk).snapshot == frozen


def test_the_systems_own_lines_are_left_out(session):
    sessions.tell(session, body="FlowPilot could not answer.")
    assert snapshot.of(session)["messages"] == []


def test_a_session_of_nobody_has_an_empty_name(session):
    session.started_by = None
    assert snapshot.of(session)["session"]["started_by"] == ""


# What is missing


def missing(ann, **told):
    return snapshot.missing_from(SessionFactory(by=ann, **({"title": "Broken", "problem": ""} | told)))


def test_all_is_missing_where_nothing_is_told(ann):
    assert missing(ann) == [*snapshot.TELLS, snapshot.A_STEP]


@pytest.mark.parametrize(
    ("told", "what"),
    [
        ("Error 0x8004011d", "the exact error text"),
        ("It says “Access is not possible here”", "the exact error text"),
        ("14 people", "who is affected"),
        ("only the reception team", "who is affected"),
        ("since the update", "the last change before it began"),
        ("on Friday they replaced the firewall", "the last change before it began"),
    ],
)
def test_what_is_told_is_not_asked_for(told, what, ann):
    assert what in missing(ann)
    assert what not in missing(ann, problem=told)
    assert what not in missing(ann, title=told)


def test_what_is_told_in_the_chat_counts_and_what_the_system_says_does_not(session, ann):
    session.title = "Broken"
    sessions.tell(session, body="Error: FlowPilot failed.")
    assert "the exact error text" in snapshot.missing_from(session)
    sessions.post(session, by=ann, body="Error: it failed.")
    assert "the exact error text" not in snapshot.missing_from(session)


def test_a_recorded_step_is_not_asked_for(session, ann):
    assert snapshot.A_STEP in snapshot.missing_from(session)
    sessions.record_step(session, by=ann, description="Rebooted", outcome="failed")
    assert snapshot.A_STEP not in snapshot.missing_from(session)
