"""Readiness: database, channel layer and worker answer, or it is said which does not and why."""

import pytest
from django.db import OperationalError, connection

from resolutionflow import health

pytestmark = pytest.mark.django_db


@pytest.fixture
def no_worker(db):
    """Not even one that another test's server left here."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_workers")


def worker_heard_of(seconds_ago):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(secs => %s))",
            [seconds_ago],
        )


def test_all_is_well_with_a_living_worker():
    worker_heard_of(seconds_ago=5)
    assert health.what_is_not_ready() == {}


def test_a_worker_that_fell_silent_or_never_was_is_missing(no_worker):
    assert health.what_is_not_ready() == {"worker": "none has been heard of for 60 s"}
    worker_heard_of(seconds_ago=61)
    assert set(health.what_is_not_ready()) == {"worker"}


def test_a_channel_layer_that_does_not_answer_is_named(monkeypatch):
    class Away:
        async def group_send(self, group, message):
            raise ConnectionRefusedError

    monkeypatch.setattr(health, "get_channel_layer", Away)
    worker_heard_of(seconds_ago=5)
    assert health.what_is_not_ready() == {"channel_layer": "does not answer: ConnectionRefusedError"}


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OperationalError("connection refused\nIs the server running?"), "does not answer: connection refused"),
        (OperationalError(), "does not answer"),
    ],
)
def test_a_database_that_is_away_is_named_once(error, why, monkeypatch):
    def fail():
        raise error

    monkeypatch.setattr(connection, "cursor", fail)
    assert health.what_is_not_ready() == {"database": why}


@pytest.mark.django_db(transaction=True)
def test_readyz_answers_for_real(client, monkeypatch):
    monkeypatch.setattr(health, "WORKER_SILENT_SECONDS", -3600)  # whatever lives is silent by that measure
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "worker": "none has been heard of for -3600 s"}
