"""A rehearsal by a clock that only the test moves: what arrives, the rival's race, the end, and who may start one."""

import io
from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command
from procrastinate.contrib.django.models import ProcrastinateJob

from escalations.actions import handoffs
from escalations.actions.refusals import Conflict
from escalations.models import AISession, Handoff, RefusedPickup
from resolutionflow.accounts.models import User
from resolutionflow.demo import rehearsal, rival, running, score
from resolutionflow.demo.rehearsal import Plan, Play
from resolutionflow.demo.score import Score
from resolutionflow.management.commands.rehearse import Command
from tests.factories import HandoffFactory

pytestmark = pytest.mark.django_db
PLAN = Plan(id="0a1b2c3d", account="harbor-it", until=300, every=20, seed=7)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def demo(settings, ann, ben, vic, olga, adam) -> None:
    settings.DEMO = True


def play(clock, plan=PLAN):
    return Play.of(plan, clock=clock)


def until(played, clock, then, *, step=0.5):
    """The product's seconds pass."""
    while clock.now < then:
        clock.now += step
        played.tick()


def made():
    return list(Handoff.objects.filter(session__external_id__startswith="rehearsal ").order_by("created_at", "id"))


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


# Who may start one


def test_one_rehearsal_runs_at_a_time_and_can_be_stopped(demo):
    plan = running.start(minutes=1, seed=3)
    now = running.running()
    assert now is not None
    assert (now.plan, now.begun) == (plan, False)
    with pytest.raises(Conflict, match="running already"):
        running.start()
    assert running.stop()
    assert running.running() is None
    assert not running.stop()


@pytest.mark.parametrize("what", ["no mark", "no people"])
def test_it_is_refused_where_there_is_no_demonstration(settings, harbor, ben, what):
    settings.DEMO = what == "no people"
    if what == "no mark":
        User.objects.create_user("ann@harbor.example", name="Ann", account=harbor)
    with pytest.raises(Conflict, match="needs a demonstration"):
        running.start()
    with pytest.raises(CommandError, match="needs a demonstration"):
        call_command("rehearse")
    assert not ProcrastinateJob.objects.filter(task_name=running.REHEARSE).exists()


def test_a_job_that_a_dead_worker_left_behind_says_nothing_for_long(demo, monkeypatch):
    running.start(minutes=1)
    later = running.time.time() + 60 + running.STALE_SECONDS + 1
    monkeypatch.setattr(running.time, "time", lambda: later)
    assert running.running() is None


# The command


@pytest.mark.parametrize("wrong", [["--minutes", "0"], ["--minutes", "x"], ["--every", "0.5"], ["--account", "nobody"]])
def test_the_command_refuses_what_makes_no_sense(demo, wrong):
    with pytest.raises(CommandError):
        call_command("rehearse", *wrong)
    assert running.running() is None


def follow(demo_pause):
    out = io.StringIO()
    command = Command(stdout=out)
    command.pause = demo_pause
    command.handle(minutes=1, rival=True, every=20, seed=7, account="harbor-it")
    return out.getvalue()


def test_the_command_says_what_happens_and_what_came_of_it(demo, clock):
    """The test is the worker: each time the command looks, ten seconds have passed."""
    plays: list[Play] = []

    def pause(seconds):
        now = running.running()
        assert now is not None
        plays[:] = plays or [play(clock, replace(now.plan, until=60))]
        until(plays[0], clock, clock.now + 10)
        if plays[0].is_over:
            plays[0].end()
            running.stop()

    said = follow(pause)
    assert "Rehearsal in Harbor IT for 1 minutes, seed 7." in said
    assert "Rita Rival picked up: " in said
    assert " escalated: " in said
    assert "Picked up: Rita Rival " in said.splitlines()[-1]


def test_ctrl_c_ends_it_and_tells_what_came_of_it(demo):
    def pause(seconds):
        raise KeyboardInterrupt

    said = follow(pause)
    assert "Stopping." in said
    assert said.endswith("No escalation arrived.\n")
    assert running.running() is None


def test_the_command_says_that_no_worker_plays_it(demo):
    looks = iter(range(30))

    def pause(seconds):
        if next(looks) == 20:
            running.stop()

    assert follow(pause).count("start `manage.py serve`") == 1


# Its pages


def test_the_login_page_of_a_demonstration_starts_one_and_the_queue_says_so(demo, client, as_user, ann, zoe):
    assert "Rehearse: five minutes" in client.get("/login/").text
    assert client.post("/rehearsal/start/")["Location"] == "/rehearsal/"
    assert "Stop it" in client.get("/rehearsal/").text
    assert "Rehearse: five minutes" not in client.get("/login/").text
    assert "<b>Rehearsal</b> until " in as_user(ann).get("/queue/").text
    assert "<b>Rehearsal</b> until " not in as_user(zoe).get("/queue/").text
    assert client.post("/rehearsal/start/").status_code == 409
    client.post("/rehearsal/stop/")
    assert "<b>Rehearsal</b>" not in as_user(ann).get("/queue/").text


def test_there_is_no_such_page_elsewhere(client, as_user, ann):
    assert "Rehearse" not in client.get("/login/").text
    assert [client.post(f"/rehearsal/{do}/").status_code for do in ("start", "stop")] == [404, 404]
    assert as_user(ann).get("/rehearsal/").status_code == 404
    assert not ProcrastinateJob.objects.filter(task_name=running.REHEARSE).exists()


def test_the_rival_is_not_offered_for_signing_in(demo, client, clock):
    play(clock)
    page = client.get("/login/").text
    assert "ann@harbor.example" in page
    assert "rita@harbor.example" not in page
