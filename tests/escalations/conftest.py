import functools
from datetime import timedelta

import pytest

from escalations.actions import jobs
from escalations.live import transport


@pytest.fixture(autouse=True)
def jobs_stay_where_they_are(request, monkeypatch):
    """In a test that commits, the worker of another test's server could take them."""
    marker = request.node.get_closest_marker("django_db")
    if marker and marker.kwargs.get("transaction"):
        monkeypatch.setattr(jobs, "defer", functools.partial(jobs.defer, after=timedelta(days=1)))


@pytest.fixture
def published(monkeypatch) -> list[tuple[str, dict]]:
    """What was announced, as (group, frame), in its order."""
    frames: list[tuple[str, dict]] = []
    monkeypatch.setattr(transport, "publish", lambda group, frame: frames.append((group, frame)))
    return frames
