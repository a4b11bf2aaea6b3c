"""The worker: what it stores of an assessor that answers, hangs or fails. Its threads need rows that are committed."""

import asyncio
import threading
import time

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from escalations import copilot, tasks
from escalations.actions import assessments, handoffs, jobs, sessions
from escalations.assessor import providers
from escalations.models import Assessment
from tests.factories import HandoffFactory, SessionFactory

pytestmark = pytest.mark.django_db(transaction=True)
NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def hang(monkeypatch):
    """An assessor that answers only after the test is over."""
    over = threading.Event()
    monkeypatch.setattr(providers, "assess", lambda case: over.wait(timeout=20))
    yield
    over.set()


@pytest.fixture
def fail(monkeypatch):
    def raise_it(case):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(providers, "assess", raise_it)


def assess(handoff_id, attempt=0):
    asyncio.run(tasks.assess(str(handoff_id), attempt))


def stored(handoff):
    return Assessment.objects.get(handoff=handoff)


def attempts():
    return [job.args["attempt"] for job in ProcrastinateJob.objects.filter(task_name=jobs.ASSESS).order_by("id")]


def lines(session, kind):
    return list(session.messages.filter(kind=kind).values_list("body", flat=True))


def test_an_assessment_is_made_and_stored(ann):
    SessionFactory(by=ann, resolved=True)
    handoff = HandoffFactory(by=ann)
    assess(handoff.pk)
    kept = stored(handoff)
    assert (kept.state, kept.assessor) == ("ready", "playbook")
    assert kept.data["suggested_steps"][0]["text"] == "Deleted the cached token."
    assert handoff.events.first().kind == "handoff_assessed"


def test_an_assessor_that_hangs_is_given_up_in_time_and_asked_again_later(ann, hang, settings):
    settings.ASSESSMENT_BUDGET_SECONDS = 0.1
    handoff = HandoffFactory(by=ann)
    began = time.monotonic()
    assess(handoff.pk)
    assert time.monotonic() - began < 2
    assert (stored(handoff).state, stored(handoff).reason) == ("timed_out", "It took longer than 0.1 seconds.")
    assert attempts() == [0, 1]


def test_an_assessor_that_fails_is_told_in_plain_words_and_asked_again_later(ann, fail):
    handoff = HandoffFactory(by=ann)
    assess(handoff.pk)
    kept = stored(handoff)
    assert (kept.state, kept.reason) == ("failed", "Something went wrong while it was made.")
    assert attempts() == [0, 1]


def test_a_later_try_lands_in_place(ann, fail, monkeypatch):
    handoff = HandoffFactory(by=ann)
    assess(handoff.pk)
    monkeypatch.undo()
    assess(handoff.pk, attempt=1)
    assert stored(handoff).state == "ready"


def test_the_last_try_is_the_last(ann, fail):
    handoff = HandoffFactory(by=ann)
    for attempt in (0, 1, 2):
        assess(handoff.pk, attempt)
    assert attempts() == [0, 1, 2]
    assert stored(handoff).state == "failed"


def test_what_is_ready_is_not_made_again(ann, fail):
    handoff = HandoffFactory(by=ann)
    assessments.store(handoff, data={}, made_by="playbook")
    assess(handoff.pk)
    assert stored(handoff).state == "ready"


def test_a_hanging_assessor_holds_no_lock_on_the_handoff(ann, ben, hang, settings):
    settings.ASSESSMENT_BUDGET_SECONDS = 0.5
    handoff = HandoffFactory(by=ann)
    thinking = threading.Thread(target=assess, args=[handoff.pk])
    thinking.start()
    began = time.monotonic()
    handoffs.pick_up(handoff, by=ben)
    assert time.monotonic() - began < 0.4
    thinking.join(timeout=5)
    assert stored(handoff).state == "timed_out"


def test_a_job_for_something_that_is_gone_ends_quietly(db):
    assess(NOWHERE)
    asyncio.run(tasks.answer(NOWHERE))


# FlowPilot's answers


def test_flowpilot_answers_a_message(ann):
    SessionFactory(by=ann, resolved=True)
    session = SessionFactory(by=ann)
    message = sessions.post(session, by=ann, body="It loops.")
    asyncio.run(tasks.answer(str(session.pk), str(message.pk)))
    (answer,) = session.messages.filter(kind="copilot")
    assert answer.body.startswith("Deleted the cached token.")
    assert answer.sources[0]["kind"] == "session"


def test_flowpilot_that_hangs_says_so_and_the_message_is_kept(ann, hang, monkeypatch):
    monkeypatch.setattr(tasks, "ANSWER_SECONDS", 0.1)
    session = SessionFactory(by=ann, problem="")
    sessions.post(session, by=ann, body="It loops.")
    asyncio.run(tasks.answer(str(session.pk)))
    assert lines(session, "system") == ["FlowPilot could not answer within 0.1 seconds. Your message is kept."]
    assert lines(session, "engineer") == ["It loops."]


def test_flowpilot_that_fails_says_so_without_the_details(ann, monkeypatch):
    monkeypatch.setattr(copilot, "answer", lambda case: 1 / 0)
    session = SessionFactory(by=ann, problem="")
    asyncio.run(tasks.answer(str(session.pk)))
    assert lines(session, "system") == ["FlowPilot could not answer: something went wrong. Your message is kept."]


def test_an_answer_that_comes_after_the_end_is_dropped(ann):
    session = SessionFactory(by=ann, resolved=True)
    asyncio.run(tasks.answer(str(session.pk)))
    assert lines(session, "copilot") == []


def test_a_failure_that_comes_after_the_end_says_nothing(ann, fail):
    session = SessionFactory(by=ann, resolved=True)
    before = lines(session, "system")
    asyncio.run(tasks.answer(str(session.pk)))
    assert lines(session, "system") == before
