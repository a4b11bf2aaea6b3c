from collections.abc import Iterator

import pytest

from escalations.actions import deliveries, jobs
from escalations.models import Channel
from escalations.notifications import webhook
from tests.escalations.notifications.working import Clock, Worker, add
from tests.receiver import Receiver


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(deliveries, "now", lambda: clock.now)
    monkeypatch.setattr(webhook, "time", clock)
    return clock


@pytest.fixture
def worker(clock, monkeypatch, jobs_stay_where_they_are) -> Worker:
    worker = Worker(clock)
    monkeypatch.setattr(jobs, "defer", worker.defer)
    return worker


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def elsewhere() -> Iterator[Receiver]:
    """Another one."""
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def hook(olga, receiver, settings) -> tuple[Channel, str]:
    """Harbor IT's webhook, which wants everything, and what it is signed with."""
    settings.NOTIFY_PRIVATE_NETWORKS = True
    return add(olga, receiver.url)
