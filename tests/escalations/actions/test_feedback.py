"""One vote per picker, and the last one counts."""

import pytest

from escalations.actions import assessments, feedback, handoffs
from escalations.actions.refusals import Conflict, NotAllowed
from escalations.models import Feedback
from tests.factories import HandoffFactory
from tests.racing import anew, race

pytestmark = pytest.mark.django_db


@pytest.fixture
def handoff(ann, ben):
    """Picked up by ben, and assessed."""
    handoff = HandoffFactory(by=ann, picker=ben)
    assessments.store(handoff, data={"suggested_steps": []}, made_by="playbook")
    return handoff


def votes():
    return list(Feedback.objects.order_by("by__name").values_list("by__name", "helpful", "why"))


def test_a_vote_is_kept_with_its_reason(handoff, ben):
    vote = feedback.judge(handoff, by=ben, helpful=True, why="The token it was.")
    assert (vote.assessment, vote.by) == (handoff.assessment, ben)
    assert votes() == [("Ben Bauer", True, "The token it was.")]


def test_the_last_vote_counts_and_brings_its_own_reason(handoff, ben):
    first = feedback.judge(handoff, by=ben, helpful=True, why="Yes.")
    last = feedback.judge(handoff, by=ben, helpful=False)
    assert votes() == [("Ben Bauer", False, "")]
    assert last.at > first.at


def test_each_picker_has_one(handoff, ben, olga):
    feedback.judge(handoff, by=ben, helpful=False)
    handoffs.release(handoff, by=ben)
    handoffs.pick_up(handoff, by=olga)
    feedback.judge(handoff, by=olga, helpful=True)
    feedback.judge(handoff, by=ben, helpful=False, why="Wrong product.")
    assert votes() == [("Ben Bauer", False, "Wrong product."), ("Olga Owner", True, "")]


def test_nobody_else_has_one(handoff, ann, olga, vic, zoe):
    for who, why in ((ann, "Only who picked it up"), (olga, "Only who"), (zoe, "Only who"), (vic, "viewer")):
        with pytest.raises(NotAllowed, match=why):
            feedback.judge(handoff, by=who, helpful=True)
    assert votes() == []


def test_there_is_nothing_to_judge_without_an_assessment(ann, ben):
    handoff = HandoffFactory(by=ann, picker=ben)
    with pytest.raises(Conflict, match="no assessment to judge"):
        feedback.judge(handoff, by=ben, helpful=True)
    assert votes() == []


@pytest.mark.django_db(transaction=True)
def test_votes_at_the_same_moment_are_one(handoff, ben, published):
    outcomes = race(*[anew(feedback.judge, handoff, by=ben, helpful=True)] * 4)
    assert all(isinstance(outcome, Feedback) for outcome in outcomes), outcomes
    assert votes() == [("Ben Bauer", True, "")]
