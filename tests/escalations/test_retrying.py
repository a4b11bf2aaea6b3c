"""A job that was cancelled, or met a database that was away, comes back; one that failed has failed."""

import asyncio

import pytest
from django.db import OperationalError
from procrastinate.jobs import Job

from escalations import tasks
from escalations.actions.refusals import Conflict
from escalations.retrying import MOST_TRIES, PutBack


def decision(error, attempts=0):
    job = Job(id=1, queue="q", lock=None, queueing_lock=None, task_name="t", attempts=attempts)
    return PutBack().get_retry_decision(exception=error, job=job)


def test_a_cancelled_job_waits_for_the_next_worker():
    assert decision(asyncio.CancelledError(), attempts=100) is not None


@pytest.mark.parametrize("error", [OperationalError("gone"), Conflict("held")])
def test_what_passes_is_tried_again_for_a_while(error):
    assert decision(error) is not None
    assert decision(error, attempts=MOST_TRIES) is None


def test_a_mistake_is_not_repeated():
    assert decision(ZeroDivisionError()) is None


@pytest.mark.parametrize("task", [tasks.assess, tasks.answer])
def test_the_workers_own_tasks_come_back(task):
    assert isinstance(task.retry_strategy, PutBack)
