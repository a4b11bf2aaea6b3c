"""Kill -9 of the worker at each step of an assessment: one result, told once, and nothing that stays stuck.

A worker stands still at a step (`tests/doomed_worker.py`), is killed there, and another one comes. Time is moved, not
waited for: the dead one's last sign and its claim become old. `FAULT_RUNS=20` kills twenty times at each step.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import AlreadyEnqueued

from escalations.actions import jobs
from escalations.models import Assessment, Handoff, ModelCall
from tests import model_server
from tests.factories import HandoffFactory, SessionFactory
from tests.model_server import assessment, says
from tests.serving import ROOT, database_url, wait_until_idle

pytestmark = pytest.mark.django_db(transaction=True)
RUNS = int(os.environ.get("FAULT_RUNS", "1"))
SECONDS = 30
STEPS = [
    *["before it is claimed", "claimed", "the model is asked"],
    *["answered, not stored", "stored, not committed", "committed, the job not ended"],
]


@pytest.fixture(scope="module")
def model():
    with model_server.ModelServer() as server:
        yield server


@pytest.fixture(scope="module")
def hatchery(model, django_db_setup, django_db_blocker, tmp_path_factory):
    """The process that forks workers."""
    with django_db_blocker.unblock():
        env = {**os.environ, "DATABASE_URL": database_url(), "DEBUG": "true"}
    log = tmp_path_factory.mktemp("workers") / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.doomed_worker"],
            cwd=ROOT,
            env={**env, **model.settings()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=out,
            text=True,
        )
    yield process
    process.stdin.close()
    process.stdout.close()
    process.wait(timeout=10)


@pytest.fixture
def worker(hatchery, tmp_path):
    """`worker(stop_at=…)` is a new worker: its process id, and the file that says that it stands still."""
    alive = []

    def hatch(stop_at=None, budget=30):
        reached = tmp_path / f"reached-{len(alive)}"
        hatchery.stdin.write(json.dumps({"stop_at": stop_at, "reached": str(reached), "budget": budget}) + "\n")
        hatchery.stdin.flush()
        alive.append(int(hatchery.stdout.readline()))
        return alive[-1], reached

    yield hatch
    for pid in alive:
        kill(pid)
    wait_until_idle()


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    wait_until(lambda: not alive(pid))


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(is_so, what=""):
    until = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < until, what
        time.sleep(0.01)


def let_time_pass():
    """The dead worker was last heard of two minutes ago, and its claims have ended; somebody looks for such."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '2 minutes'")
    Assessment.objects.filter(trying_until__isnull=False).update(trying_until=timezone.now())
    ModelCall.objects.filter(ended_at=None).update(expires_at=timezone.now())
    with contextlib.suppress(AlreadyEnqueued):  # the minute's own
        jobs.defer("escalations.tasks.retry_stalled", timestamp=0)


def is_over(handoff):
    """Ready, and no job is left."""
    left = ProcrastinateJob.objects.filter(status__in=["todo", "doing"])
    return Assessment.objects.get(handoff=handoff).state == "ready" and not left.exists()


@pytest.mark.parametrize("run", range(RUNS))
@pytest.mark.parametrize("step", STEPS)
def test_a_worker_that_is_killed_leaves_one_result_and_nothing_stuck(step, run, ann, model, worker):
    model.behave(model_server.never if step == "the model is asked" else says(assessment()))
    handoff = HandoffFactory(by=ann)
    pid, reached = worker(stop_at=step)
    wait_until((model.began.is_set if step == "the model is asked" else reached.exists), f"never came to: {step}")
    kill(pid)
    model.behave(says(assessment()))
    let_time_pass()
    worker()
    wait_until(lambda: is_over(handoff), f"stuck after: {step}")
    kept = Assessment.objects.get(handoff=handoff)
    assert (kept.assessor, kept.trying_until) == ("openai:test", None)
    assert handoff.events.filter(kind="handoff_assessed").count() == 1
    assert not ModelCall.objects.under_way().exists()


@pytest.mark.parametrize("run", range(RUNS))
def test_a_worker_that_is_killed_when_it_has_given_up_leaves_the_next_try(run, ann, model, worker):
    model.behave(model_server.never)
    handoff = HandoffFactory(by=ann)
    pid, reached = worker(stop_at="given up", budget=1)
    wait_until(reached.exists)
    kill(pid)
    assert Assessment.objects.get(handoff=handoff).state == "timed_out"
    model.behave(says(assessment()))
    let_time_pass()
    worker()
    wait_until(lambda: is_over(handoff), "stuck after giving up")
    assert handoff.events.filter(kind="handoff_assessed").count() == 2, "given up, then ready"
    assert ModelCall.objects.filter(purpose="assessment", outcome="answered").count() == 1


def pick_up_was(minutes, handoff):
    """The pick-up was so long ago, and its jobs are due accordingly."""
    then = {name: F(name) - timedelta(minutes=minutes) for name in ("created_at", "picked_up_at", "lease_ends_at")}
    Handoff.objects.filter(pk=handoff.pk).update(**then)
    earlier = (
        "UPDATE procrastinate_jobs SET scheduled_at = scheduled_at - make_interval(secs => %s) WHERE task_name = %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(earlier, [minutes * 60, jobs.LEASE])


def lease_of(handoff):
    return Handoff.objects.get(pk=handoff.pk)


@pytest.mark.parametrize("run", range(RUNS))
@pytest.mark.parametrize("warning", ["warned, not committed", "the lease seen to, the job not ended"])
@pytest.mark.parametrize("end", ["returned, not committed", "the lease seen to, the job not ended"])
def test_workers_that_are_killed_while_they_look_after_a_lease(warning, end, run, ann, ben, model, worker):
    """Killed at the warning and at the return: warned and returned all the same, each once."""
    model.behave(says(assessment()))
    handoff = HandoffFactory(by=ann, session=SessionFactory(by=ann, problem=""), picker=ben)
    pick_up_was(8.5, handoff)
    pid, reached = worker(stop_at=warning)
    wait_until(reached.exists, f"never came to: {warning}")
    kill(pid)
    let_time_pass()
    pid, _ = worker()
    wait_until(lambda: lease_of(handoff).lease_warned_at, f"nobody was warned after: {warning}")
    assert lease_of(handoff).state == "picked_up"
    kill(pid)
    pick_up_was(2, handoff)
    let_time_pass()
    pid, reached = worker(stop_at=end)
    wait_until(reached.exists, f"never came to: {end}")
    kill(pid)
    let_time_pass()
    worker()
    wait_until(lambda: lease_of(handoff).state == "waiting", f"stuck after: {end}")
    wait_until(lambda: is_over(handoff), "a job is left")
    assert handoff.events.filter(kind="handoff_released").count() == 1
    assert handoff.session.messages.filter(body__startswith="Returned to the queue").count() == 1
    assert lease_of(handoff).returned_from == ben
