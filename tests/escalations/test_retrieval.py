"""What is found when there is much to search: by rare words, by codes, by meaning, and never another account's."""

import uuid

import pytest

from escalations import knowledge, retrieval
from escalations.actions import learning
from escalations.assessor import sentences
from escalations.models import Meaning
from tests.factories import SessionFactory
from tests.weights import needs_weights

pytestmark = pytest.mark.django_db
NOBODY = uuid.UUID(int=0)


def resolved(by, title, problem="", resolution="Done."):
    return SessionFactory(by=by, title=title, problem=problem, resolution=resolution, resolved=True)


def found(account, text, **more):
    return [past.title for past in knowledge.similar(account, text, but=NOBODY, **more)]


@pytest.fixture
def much(monkeypatch):
    """Five texts are much, in this test."""
    monkeypatch.setattr(retrieval, "SAMPLE", 5)
    monkeypatch.setattr(retrieval, "RARE_WORDS", 2)
    monkeypatch.setattr(retrieval, "FEWEST_WORDS", 1)


@needs_weights
def test_the_same_fault_is_found_without_a_word_in_common(ann, harbor):
    resolved(ann, "Toner cartridge empty")
    resolved(ann, "Tunnel drops web browsing", "Home workers dial RRAS and lose every site.")
    asked = "Staff cannot open Google once connected remotely to the office"
    with sentences.left_out():
        assert found(harbor, asked) == []
    assert learning.catch_up(seconds=60)
    assert found(harbor, asked)[0] == "Tunnel drops web browsing"


@needs_weights
def test_only_the_own_accounts_meanings_are_searched(ann, zoe, harbor, summit):
    resolved(zoe, "Tunnel drops web browsing")
    learning.catch_up(seconds=60)
    assert found(summit, "VPN kills the internet")
    assert found(harbor, "VPN kills the internet") == []


@needs_weights
def test_what_nobody_read_yet_is_ranked_by_its_meaning_too(ann, harbor):
    resolved(ann, "Outlook: the calendar of the office is shared twice")
    resolved(ann, "Remote office people lose websites when Outlook dials in")
    assert not Meaning.objects.exists()
    assert found(harbor, "Outlook users in the office lose the web")[0].startswith("Remote office people")
    assert not Meaning.objects.exists()


@needs_weights
def test_the_same_failed_attempts_speak_for_a_session(ann, harbor):
    for title, tried in (
        ("Login loops, case one", "Reinstalled the driver"),
        ("Login loops, case two", "Reset the MFA"),
    ):
        session = SessionFactory(by=ann, title=title, problem="It loops.")
        session.steps.create(position=1, description=tried, outcome="failed")
        knowledge.learn(session)
        type(session).objects.filter(pk=session.pk).update(state="resolved", resolved_at=session.created_at)
    learning.catch_up(seconds=60)
    for tried, first in (
        ("Installed the driver anew", "Login loops, case one"),
        ("Cleared MFA", "Login loops, case two"),
    ):
        assert found(harbor, "Login loops", tried=tried)[0] == first


def test_a_code_decides_between_two_that_sound_alike(ann, harbor):
    resolved(ann, "Windows Update fails with 0x8024002e")
    resolved(ann, "Windows Update fails with 0x800719e4")
    for code in ("0x8024002e", "0x800719e4"):
        assert found(harbor, f"Update fails, it says {code.upper()}")[0].endswith(code)


def test_a_code_is_found_in_its_other_spelling(ann, harbor):
    resolved(ann, "Update breaks with 8024002e after KB 5034441")
    resolved(ann, "Scanner stops with 0xc000015a")
    with sentences.left_out():
        for asked in ("0x8024002E", "KB5034441", "kb-5034441"):
            assert found(harbor, asked) == ["Update breaks with 8024002e after KB 5034441"]
        assert found(harbor, "C000015A") == ["Scanner stops with 0xc000015a"]


def test_among_many_the_rare_words_are_searched_for(ann, harbor, much):
    for number in range(8):
        resolved(ann, f"Printer {number} is slow")
    resolved(ann, "Zebra printer is slow")
    with sentences.left_out():
        assert found(harbor, "slow zebra printer")[0] == "Zebra printer is slow"


def test_among_many_common_words_alone_find_something_too(ann, harbor, much):
    for number in range(8):
        resolved(ann, f"Printer {number} is slow")
    with sentences.left_out():
        assert len(found(harbor, "slow printer")) == 8


def test_the_rarest_words_are_chosen_as_long_as_they_are_rare():
    having = {"common": 290, "half": 150, "few": 20}
    words = ["common", "half", "few", "never", "seen"]
    assert retrieval._telling(words, 10, having) == words
    assert set(retrieval._telling(words, retrieval.SAMPLE, {**having, "few": 20})) == set(words)  # too few to choose
    many = [*words, *(f"rare{number}" for number in range(40))]
    chosen = retrieval._telling(many, retrieval.SAMPLE, having)
    assert len(chosen) == retrieval.RARE_WORDS
    assert not {"common", "half"} & set(chosen)
