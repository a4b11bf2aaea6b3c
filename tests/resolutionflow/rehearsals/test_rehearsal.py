"""A rehearsal by a clock that only the test moves: what arrives, the rival's race, the end, and the score."""

from dataclasses import replace

import pytest

from escalations.actions import handoffs
from escalations.actions.refusals import Conflict
from escalations.models import AISession, RefusedPickup
from resolutionflow.accounts.models import User
from resolutionflow.demo import rehearsal, rival, score
from resolutionflow.demo.score import Score
from tests.factories import HandoffFactory
from tests.resolutionflow.rehearsals.playing import PLAN, made, play, until

pytestmark = pytest.mark.django_db


def told():
    """What somebody would see of it."""
    return [(each.session.title, each.created_by.name, each.session.ticket_ref, each.reason) for each in made()]


# What arrives


def test_escalations_arrive_by_the_clock_and_stop_with_it(demo, clock):
    played = play(clock, replace(PLAN, rival=False))
    until(played, clock, 2)
    assert len(made()) == 1
    until(played, clock, 400)
    assert 300 / 28 <= len(made()) <= 300 / 12 + 1
    assert played.is_over
    assert {each.state for each in made()} == {"waiting"}


def test_an_escalation_is_told_whole_by_people_who_may_work(demo, clock):
    until(play(clock, replace(PLAN, rival=False)), clock, 120)
    for handoff in made():
        assert handoff.created_by.may_work
        assert handoff.session.state == "escalated"
        assert handoff.snapshot["session"]["title"] == handoff.session.title
        assert len(handoff.snapshot["messages"]) == handoff.session.messages.count() - 1  # and that it was escalated
    assert any(handoff.snapshot["steps"] for handoff in made())
    assert len({each.created_by for each in made()}) > 1


def test_the_same_seed_tells_the_same_story_and_another_one_another(demo, clock, ann):
    until(play(clock, replace(PLAN, rival=False)), clock, 100)
    first = told()
    for seed, same in ((7, True), (8, False)):
        before = len(made())
        clock.now = 0
        until(play(clock, replace(PLAN, id=f"seed{seed}", rival=False, seed=seed)), clock, 100)
        assert (told()[before:] == first) is same


def test_an_escalation_that_fails_halfway_leaves_nothing(demo, clock, monkeypatch):
    def broken(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(rehearsal.handoffs, "escalate", broken)
    played = play(clock)
    with pytest.raises(KeyboardInterrupt):
        until(played, clock, 5)
    assert not AISession.objects.exists()


# The rival


def test_the_rival_takes_what_it_has_seen_for_a_while_works_on_it_and_ends_it(demo, clock):
    played = play(clock, replace(PLAN, every=1000))
    until(played, clock, 1 + rival.SEES[0])
    assert [each.state for each in made()] == ["waiting"]
    until(played, clock, 1 + rival.SEES[1] + rival.REACHES[1] + 1)
    (handoff,) = made()
    assert (handoff.state, handoff.picked_up_by.name) == ("picked_up", "Rita Rival")
    until(played, clock, 80)
    (handoff,) = made()
    assert handoff.state in {"resolved", "waiting"}
    assert handoff.session.messages.filter(kind="engineer", author__name="Rita Rival").count() == 1


def test_the_rival_does_one_thing_at_a_time_and_resolves_most_of_it(demo, clock):
    played = play(clock)
    while clock.now < 300:
        until(played, clock, clock.now + 1)
        assert sum(each.state == "picked_up" for each in made()) <= 1
    states = [each.state for each in made()]
    assert states.count("resolved") >= 3
    assert states.count("waiting") >= 3  # for whoever plays against it


def test_the_rival_takes_nothing_that_the_rehearsal_did_not_make(demo, clock, ann):
    other = HandoffFactory(by=ann)
    until(play(clock), clock, 100)
    other.refresh_from_db()
    assert other.state == "waiting"


def test_whoever_is_quicker_while_the_rival_reaches_for_it_wins(demo, clock, ben):
    played = play(clock, replace(PLAN, every=1000))
    while not (played.rival and played.rival.work):
        until(played, clock, clock.now + 0.1, step=0.1)
    (handoff,) = made()
    handoffs.pick_up(handoff, by=ben if handoff.created_by != ben else User.objects.get(name="Ann Abel"))
    until(played, clock, clock.now + 5)
    assert [each.by.name for each in RefusedPickup.objects.all()] == ["Rita Rival"]
    assert made()[0].picked_up_by.name in {"Ben Bauer", "Ann Abel"}
    assert played.rival.work is None


def test_at_the_end_the_rival_finishes_what_it_has_and_what_waits_stays(demo, clock):
    played = play(clock, replace(PLAN, every=12))
    while "picked_up" not in {each.state for each in made()} or "waiting" not in {each.state for each in made()}:
        until(played, clock, clock.now + 0.5)
    waiting = sum(each.state == "waiting" for each in made())
    played.end()
    states = [each.state for each in made()]
    assert "picked_up" not in states
    assert states.count("waiting") == waiting
    assert not AISession.objects.filter(external_id__startswith="rehearsal ", state="active").exists()


def test_who_goes_on_after_a_restart_finishes_what_the_rival_had(demo, clock):
    played = play(clock, replace(PLAN, every=1000))
    while "picked_up" not in {each.state for each in made()}:
        until(played, clock, clock.now + 0.5)
    again = play(clock)
    again.end()
    assert [each.state for each in made()] == ["resolved"]
    assert User.objects.filter(name="Rita Rival").count() == 1


def test_the_next_rehearsal_settles_what_still_waits_of_the_last_and_nothing_else(demo, clock, ann):
    other = HandoffFactory(by=ann)
    until(play(clock, replace(PLAN, rival=False)), clock, 60)
    before = {each.pk for each in made()}
    assert len(before) > 1
    play(clock, PLAN)  # the same one, after a restart
    assert {each.state for each in made()} == {"waiting"}
    play(clock, replace(PLAN, id="ffffffff"))
    assert {(each.state, each.session.state) for each in made()} == {("taken_back", "resolved")}
    other.refresh_from_db()
    assert other.state == "waiting"


# What came of it


def test_the_score_says_who_took_how_many_and_who_came_too_late(demo, clock, harbor, ben):
    played = play(clock, replace(PLAN, rival=False, every=10))
    until(played, clock, 60)
    theirs = [each for each in made() if each.created_by != ben]
    for handoff in theirs[:2]:
        handoffs.pick_up(handoff, by=ben)
    with pytest.raises(Conflict):
        handoffs.pick_up(
            theirs[0], by=User.objects.exclude(pk__in=[ben.pk, theirs[0].created_by_id]).get(name="Adam Admin")
        )
    said = score.of(harbor, PLAN.mark)
    assert (said.arrived, said.picked_up, said.waiting) == (len(made()), [("Ben Bauer", 2)], len(made()) - 2)
    assert said.refused == [("Adam Admin", 1)]
    lines = [line for _, line in score.lines(harbor, PLAN.mark, after=0)]
    assert sum("Ben Bauer picked up: " in line for line in lines) == 2
    assert score.last_mark(harbor) == PLAN.mark


def test_the_summary_is_a_few_sentences():
    told = Score(4, [("Rita Rival", 2), ("Ann Abel", 1)], [("Rita Rival", 1)], [("Ann Abel", 1)], 1, [4.0, 9.2, 20.0])
    assert told.in_words() == (
        "4 escalations arrived. Picked up: Rita Rival 2, Ann Abel 1. Median time to pick up: 9 s. "
        "Resolved: Rita Rival 1. Came too late: Ann Abel 1. 1 still waits in the queue."
    )
    assert Score(0, [], [], [], 0, []).in_words() == "No escalation arrived."
