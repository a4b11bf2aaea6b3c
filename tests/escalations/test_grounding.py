"""What a statement rests on must exist in this account; what does not is dropped, and the statement says so."""

import pytest

from escalations import grounding
from escalations.assessor import Assessment, Case, Grounds, Page, PastSession, Source, SuggestedStep
from tests.factories import SessionFactory

pytestmark = pytest.mark.django_db
MESSAGE = "0b6e9c9e-0000-4000-8000-000000000001"


@pytest.fixture
def past(ann):
    return SessionFactory(by=ann, resolved=True, title="Old loop")


@pytest.fixture
def case(past):
    known = PastSession(str(past.pk), past.title, "", "Token", (), 1.0)
    page = Page("team-page", "Our own page", ("Look",), 1.0)
    return Case("Outlook loops", "", "", ((MESSAGE, 3, "engineer", "It loops."),), (), (known,), (page,))


def kept(case, ann, *sources):
    return [
        (source.kind, source.id, source.title) for source in grounding.existing(sources, case=case, account=ann.account)
    ]


def test_what_exists_is_kept_with_our_own_title(ann, case, past):
    claimed = [
        Source("message", MESSAGE, "<b>"),
        Source("session", str(past.pk).upper(), "Forged"),
        Source("runbook", "vpn", ""),
    ]
    assert kept(case, ann, *claimed) == [
        ("message", MESSAGE, "Message 3"),
        ("session", str(past.pk), "Old loop"),
        ("runbook", "vpn", "VPN and remote access"),
    ]
    assert kept(case, ann, Source("runbook", "team-page", "")) == [("runbook", "team-page", "Our own page")]


def test_a_resolved_session_of_the_account_counts_even_if_it_was_not_shown(ann, ben, case):
    other = SessionFactory(by=ben, resolved=True, title="Another")
    assert kept(case, ann, Source("session", str(other.pk), "")) == [("session", str(other.pk), "Another")]


def test_what_is_foreign_open_or_invented_is_dropped(ann, zoe, case):
    foreign, still_open = SessionFactory(by=zoe, resolved=True), SessionFactory(by=ann)
    message = still_open.messages.create(number=1, kind="engineer", body="Elsewhere")
    claimed = [
        Source("session", str(foreign.pk), foreign.title),
        Source("session", str(still_open.pk), ""),
        Source("session", "11111111-2222-4333-8444-555555555555", ""),
        Source("session", "'; DROP TABLE", ""),
        Source("session", "\0", ""),
        Source("message", str(message.pk), ""),
        Source("message", "m3", ""),
        Source("runbook", "no-such-page", ""),
    ]
    assert kept(case, ann, *claimed) == []


def test_the_same_source_counts_once(ann, case, past):
    assert len(kept(case, ann, Source("session", str(past.pk), ""), Source("session", str(past.pk).upper(), ""))) == 1


def test_statements_and_steps_without_a_source_are_marked_and_nobody_is_sure_of_them(ann, case, past):
    good, bad = Source("session", str(past.pk), ""), Source("session", "invented", "")
    made = Assessment(
        summary_prose="It loops.",
        what_we_know=("One", "Two"),
        likely_cause="A token.",
        suggested_steps=(SuggestedStep("Look", (good, bad)), SuggestedStep("Guess", (bad,))),
        confidence="high",
        cause_grounds=Grounds((good,)),
        fact_grounds=(Grounds((bad,)), Grounds((good,))),
    )
    data = grounding.grounded(made, case=case, account=ann.account).as_data()
    assert [step.get("unsupported", False) for step in data["suggested_steps"]] == [False, True]
    assert [fact["unsupported"] for fact in data["grounds"]["what_we_know"]] == [True, False]
    assert data["grounds"]["summary_prose"] == {"sources": [], "unsupported": True}
    assert [source["id"] for source in data["sources"]] == [str(past.pk)]
    assert data["confidence"] == "high"
    nothing = Assessment("It loops.", (), "Aliens.", (SuggestedStep("Guess", (bad,)),), "high")
    assert grounding.grounded(nothing, case=case, account=ann.account).as_data()["confidence"] == "low"
