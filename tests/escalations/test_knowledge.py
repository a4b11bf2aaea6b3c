"""What the team knows: its own resolved sessions, and nobody else's."""

import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from escalations import knowledge
from escalations.actions import handoffs, sessions
from escalations.assessor import sentences
from escalations.models import AISession
from tests.factories import SessionFactory

pytestmark = pytest.mark.django_db
NOBODY = uuid.UUID(int=0)


def resolved(by, title="Spooler crashes on the print server", resolution="Replaced the plotter driver.", **fields):
    return SessionFactory(by=by, title=title, resolution=resolution, resolved=True, **fields)


def found(account, text, but=NOBODY):
    return [past.id for past in knowledge.similar(account, text, but=but)]


def test_a_resolved_session_is_found_by_any_of_its_words(ann, harbor):
    session = resolved(ann, problem="Event 808 appears.")
    for text in ("crashing spoolers", "plotter drivers", "event 808", "spooler and thirty other words"):
        assert found(harbor, text) == [str(session.pk)]
    assert found(harbor, "wireguard") == []


def test_steps_and_messages_are_searched_too_and_the_systems_lines_are_not(ann, harbor):
    session = SessionFactory(by=ann)
    sessions.post(session, by=ann, body="The kyocera hums.")
    sessions.record_step(session, by=ann, description="Swapped the fuser", outcome="worked", note="It was molten")
    sessions.tell(session, body="Zanzibar")
    sessions.resolve(session, by=ann, resolution="New fuser.")
    for word in ("kyocera", "fuser", "molten"):
        assert found(harbor, word) == [str(session.pk)]
    assert found(harbor, "zanzibar") == []


def test_only_the_own_accounts_sessions_are_found(ann, zoe, harbor, summit):
    mine, theirs = resolved(ann), resolved(zoe)
    assert found(harbor, "spooler") == [str(mine.pk)]
    assert found(summit, "spooler") == [str(theirs.pk)]


def test_only_resolved_sessions_are_found(ann, harbor):
    session = SessionFactory(by=ann, title="Spooler crashes")
    knowledge.learn(session)
    assert found(harbor, "spooler") == []
    sessions.resolve(session, by=ann, resolution="Driver.")
    assert found(harbor, "spooler") == [str(session.pk)]


def test_a_session_does_not_find_itself(ann, harbor):
    session = resolved(ann)
    assert found(harbor, "spooler", but=session.pk) == []


def test_the_most_alike_comes_first(ann, harbor):
    weak = resolved(ann, title="Printer is slow", resolution="Spooler restarted.")
    strong = resolved(ann, title="Spooler crashes with the plotter", resolution="Driver.")
    assert found(harbor, "spooler plotter crashes") == [str(strong.pk), str(weak.pk)]


def test_what_is_found_tells_what_fixed_it(ann, harbor):
    session = SessionFactory(by=ann, title="Spooler", problem="It stops.")
    sessions.record_step(session, by=ann, description="Swapped the driver", outcome="worked", note="v4")
    sessions.resolve(session, by=ann, resolution="The driver.")
    (past,) = knowledge.similar(harbor, "spooler", but=NOBODY)
    assert (past.title, past.problem, past.resolution) == ("Spooler", "It stops.", "The driver.")
    assert [(step.description, step.outcome, step.note) for step in past.steps] == [
        ("Swapped the driver", "worked", "v4")
    ]
    assert past.score > 0


def test_there_is_an_end(ann, harbor):
    for number in range(knowledge.MOST_SIMILAR + 2):
        resolved(ann, title=f"Spooler {number}", problem="")
    assert len(found(harbor, "spooler")) == knowledge.MOST_SIMILAR


def test_the_first_words_of_a_long_text_count_whatever_their_letter(ann, harbor):
    """The title comes first; words of a long log must not push it out because it begins with a later letter."""
    session = resolved(ann, title="Zebra label printer offline", problem="", resolution="Zyxel port.")
    log = " ".join(f"a{number}b" for number in range(400))
    assert found(harbor, f"zebra {log}") == [str(session.pk)]


HOSTILE = [
    "",
    " ",
    "the of and",
    "'",
    "''; DROP TABLE escalations_aisession; --",
    "\\",
    "\\' | !spooler & (",
    "spooler' | 'x",
    "!!! &&& ||| <-> :* ()",
    "a:b:*c <2> d",
    "%s %(text)s %",
    "$1 {0}",
    "日本語 спулер 🖨️ \u202e",
    "http://x.example/a?b='c'&d=\\e",
    "x" * 100_000,
    "spooler " * 12_500,
    " ".join(f"w{number}" for number in range(20_000)),
    "'\\" * 5000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_any_text_can_be_asked_and_learned(text, ann, harbor):
    session = resolved(ann)
    assert set(found(harbor, text)) <= {str(session.pk)}
    AISession.objects.filter(pk=session.pk).update(title=text[:200], problem=text, resolution=text)
    session.steps.create(position=1, description=text[:1000], note=text[:1000], outcome="failed")
    session.messages.create(number=99, kind="engineer", body=text)
    knowledge.learn(session)
    found(harbor, text)
    assert found(harbor, "unobtainium") == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_no_text_is_a_query_of_its_own(harbor, text):
    with sentences.left_out():
        assert found(harbor, text) == []


def test_an_assessor_sees_the_frozen_snapshot_and_nothing_later(ann, harbor):
    past = resolved(ann)
    session = SessionFactory(by=ann, title="Spooler crashes", problem="Again.")
    sessions.post(session, by=ann, body="Before.")
    sessions.record_step(session, by=ann, description="Rebooted", outcome="failed", note="Twice")
    handoff = handoffs.escalate(session, by=ann, reason="Stuck.")
    sessions.post(session, by=ann, body="After.")
    case = knowledge.case_of_handoff(handoff)
    assert (case.title, case.problem, case.reason) == ("Spooler crashes", "Again.", "Stuck.")
    assert [(number, kind, body) for _, number, kind, body in case.messages] == [(1, "engineer", "Before.")]
    assert [(step.description, step.outcome, step.note) for step in case.steps] == [("Rebooted", "failed", "Twice")]
    assert [found.id for found in case.past] == [str(past.pk)]


def test_flowpilot_sees_the_session_as_it_is_now(ann):
    session = SessionFactory(by=ann)
    sessions.tell(session, body="A line by the system.")
    sessions.post(session, by=ann, body="Now.")
    assert [body for *_, body in knowledge.case_of_session(session).messages] == ["Now."]
