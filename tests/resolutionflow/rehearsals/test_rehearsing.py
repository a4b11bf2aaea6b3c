"""Starting a rehearsal, following and stopping it: the verbs, the command, and the demonstration's pages."""

import io
from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command
from procrastinate.contrib.django.models import ProcrastinateJob

from escalations.actions.refusals import Conflict
from resolutionflow.accounts.models import User
from resolutionflow.demo import running
from resolutionflow.demo.rehearsal import Play
from resolutionflow.management.commands.rehearse import Command
from tests.resolutionflow.rehearsals.playing import play, until

pytestmark = pytest.mark.django_db


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
