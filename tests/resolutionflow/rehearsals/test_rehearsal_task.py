"""The worker's part of a rehearsal: it plays to the end, ends early if asked to, or is put back with its process."""

import asyncio
import time
from dataclasses import asdict
from types import SimpleNamespace

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from procrastinate.job_context import AbortReason

from escalations.models import Handoff
from resolutionflow import tasks
from resolutionflow.accounts.models import User
from resolutionflow.demo import rehearsal
from resolutionflow.demo.rehearsal import Plan, Play

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(settings, monkeypatch, ann, ben, olga) -> None:
    """In the test's own transaction, and without waiting."""

    async def here(work):
        return await sync_to_async(work)()

    settings.DEMO = True
    monkeypatch.setattr(tasks, "write", here)
    monkeypatch.setattr(tasks, "TICK_SECONDS", 0)
    monkeypatch.setattr(rehearsal, "FIRST_AFTER", 0)


@pytest.fixture
def ended(monkeypatch) -> list[str]:
    """The rehearsals that came to their end in good order."""
    told, end = [], Play.end

    def noting(play):
        end(play)
        told.append(play.plan.id)

    monkeypatch.setattr(Play, "end", noting)
    return told


def run(*, seconds, why=None):
    plan = Plan(id="0a1b2c3d", account="harbor-it", until=time.time() + seconds, every=3600, seed=7)
    context = SimpleNamespace(abort_reason=lambda: why)
    async_to_sync(tasks.rehearse.func)(context, **asdict(plan))


def test_it_is_played_to_its_end(demo, ended):
    run(seconds=0.3)
    assert Handoff.objects.count() == 1
    assert ended == ["0a1b2c3d"]


def test_where_there_is_no_demonstration_a_job_does_nothing(demo, settings, ended):
    settings.DEMO = False
    run(seconds=0.3)
    assert not Handoff.objects.exists()
    assert not User.objects.filter(name="Rita Rival").exists()
    assert ended == []


@pytest.fixture
def cancelled(monkeypatch) -> None:
    def tick(play):
        raise asyncio.CancelledError

    monkeypatch.setattr(Play, "tick", tick)


def test_whoever_stops_it_ends_it_for_good(demo, ended, cancelled):
    run(seconds=60, why=AbortReason.USER_REQUEST)
    assert ended == ["0a1b2c3d"]


def test_a_process_that_ends_puts_it_back(demo, ended, cancelled):
    with pytest.raises(asyncio.CancelledError):
        run(seconds=60, why=AbortReason.SHUTDOWN)
    assert ended == ["0a1b2c3d"]
