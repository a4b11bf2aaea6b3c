"""A retry with the same Idempotency-Key gets the first answer, and nothing happens twice."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django import app as jobs

from escalations import idempotency, tasks
from escalations.actions import sessions
from escalations.models import AISession, FeedEvent, Handoff, Message, TriedStep
from resolutionflow.accounts.models import IdempotentAnswer
from tests.factories import HandoffFactory, SessionFactory
from tests.programs import Program, refusal

pytestmark = pytest.mark.django_db

ESCALATION = {"intent": "escalate", "reason": "I am stuck."}


def test_starting_twice_with_a_key_starts_once(ann):
    program = Program(ann)
    first = program.post("/sessions", {"title": "Printer"}, key="abc")
    again = program.post("/sessions", {"title": "Printer"}, key="abc")
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert AISession.objects.count() == 1


def test_without_a_key_every_post_counts(ann):
    program = Program(ann)
    for _ in range(2):
        program.post("/sessions", {"title": "Printer"})
    assert AISession.objects.count() == 2


@pytest.mark.parametrize(
    ("what", "told", "model"),
    [
        ("messages", {"body": "Hello"}, Message),
        ("steps", {"description": "Restarted it", "outcome": "failed"}, TriedStep),
        ("handoffs", ESCALATION, Handoff),
    ],
)
def test_adding_twice_with_a_key_adds_once(what, told, model, ann):
    session, program = SessionFactory(by=ann), Program(ann)
    first = program.post(f"/sessions/{session.pk}/{what}", told, key="abc")
    again = program.post(f"/sessions/{session.pk}/{what}", told, key="abc")
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert model.objects.count() == 1


def test_a_retried_pick_up_gets_its_answer_even_after_the_release(ann, ben):
    handoff, program = HandoffFactory(by=ann), Program(ben)
    first = program.post(f"/handoffs/{handoff.pk}/pick-up", key="abc")
    assert program.post(f"/handoffs/{handoff.pk}/release", key="def").status_code == 200
    again = program.post(f"/handoffs/{handoff.pk}/pick-up", key="abc")
    assert (again.status_code, again.content) == (200, first.content)
    assert Handoff.objects.get().state == "waiting"
    assert FeedEvent.objects.count() == 3


def test_the_order_and_the_spacing_of_the_body_do_not_matter(ann):
    program = Program(ann)
    bodies = [b'{"title": "x", "problem": "y"}', b' {"problem":"y","title":"x"} ']
    first, again = (program.call("POST", "/sessions", body, **{"Idempotency-Key": "abc"}) for body in bodies)
    assert first.content == again.content


def test_a_key_is_refused_for_another_body(ann):
    program = Program(ann)
    program.post("/sessions", {"title": "Printer"}, key="abc")
    said = refusal(program.post("/sessions", {"title": "Scanner"}, key="abc"), 422)
    assert said["errors"][0]["field"] == "Idempotency-Key"
    assert AISession.objects.count() == 1


def test_a_key_is_refused_for_another_address(ann):
    program = Program(ann)
    for n, session in enumerate([SessionFactory(by=ann), SessionFactory(by=ann)]):
        response = program.post(f"/sessions/{session.pk}/messages", {"body": "Hello"}, key="abc")
        assert response.status_code == (422 if n else 201)


def test_two_people_may_use_the_same_key(ann, ben):
    for user in (ann, ben):
        assert Program(user).post("/sessions", {"title": "Printer"}, key="abc").status_code == 201
    assert AISession.objects.count() == 2


def test_a_refusal_is_not_kept(ann, ben):
    handoff, program = HandoffFactory(by=ann), Program(ben)
    message = f"/sessions/{handoff.session_id}/messages"
    refusal(program.post(message, {"body": "Hello"}, key="abc"), 403)
    assert not IdempotentAnswer.objects.exists()
    program.post(f"/handoffs/{handoff.pk}/pick-up")
    assert program.post(message, {"body": "Hello"}, key="abc").status_code == 201


def test_a_crash_keeps_neither_the_key_nor_the_change(ann, monkeypatch):
    session, program = SessionFactory(by=ann), Program(ann)
    with monkeypatch.context() as broken:
        broken.setattr("escalations.shapes.message", lambda message: 1 / 0)
        refusal(program.post(f"/sessions/{session.pk}/messages", {"body": "Hello"}, key="abc"), 500)
    assert not Message.objects.exists()
    assert program.post(f"/sessions/{session.pk}/messages", {"body": "Hello"}, key="abc").status_code == 201


@pytest.mark.parametrize("key", ["x", "x" * 200, ' ~!"$%&/()=?', "6b3e97dd-1f63-4a30-838c-476f55dfbbcc"])
def test_a_key_is_any_printable_ascii(key, ann):
    assert Program(ann).post("/sessions", {"title": "Printer"}, key=key).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_of_requests_at_the_same_moment_one_runs_and_all_get_its_answer(ann, monkeypatch):
    started, people = sessions.start, 4
    ready = threading.Barrier(people)
    runs = []

    def start_slowly(*args, **kwargs):
        runs.append(threading.get_ident())
        session = started(*args, **kwargs)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.3)")  # the others come meanwhile, and wait
        return session

    def post(program: Program):
        ready.wait(timeout=10)
        try:
            return program.post("/sessions", {"title": "Printer"}, key="abc")
        finally:
            connection.close()

    monkeypatch.setattr(sessions, "start", start_slowly)
    programs = [Program(ann) for _ in range(people)]
    with ThreadPoolExecutor(people) as pool:
        answers = list(pool.map(post, programs))
    assert [answer.status_code for answer in answers] == [201] * people
    assert len({answer.content for answer in answers}) == 1
    assert len(runs) == 1
    assert AISession.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_second_request_runs_if_the_first_rolls_back(ann, monkeypatch):
    """The key's row is locked until the first ends; the second then takes it over."""
    started, first_is_in = sessions.start, threading.Event()
    runs = []

    def fail_the_first_time(*args, **kwargs):
        runs.append(threading.get_ident())
        if len(runs) == 1:
            first_is_in.set()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(0.3)")
            raise ZeroDivisionError
        return started(*args, **kwargs)

    def post(program: Program):
        try:
            return program.post("/sessions", {"title": "Printer"}, key="abc")
        finally:
            connection.close()

    monkeypatch.setattr(sessions, "start", fail_the_first_time)
    programs = [Program(ann), Program(ann)]
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(post, programs[0])
        assert first_is_in.wait(timeout=10)
        second = pool.submit(post, programs[1])
    refusal(first.result(), 500)
    assert second.result().status_code == 201
    assert (len(runs), AISession.objects.count()) == (2, 1)


def test_an_answer_is_kept_for_a_day_and_then_forgotten(ann):
    program = Program(ann)
    for hours, key in ((24, "yesterday"), (26, "before")):
        program.post("/sessions", {"title": "Printer"}, key=key)
        IdempotentAnswer.objects.filter(key=key).update(created_at=timezone.now() - timedelta(hours=hours))
    assert idempotency.forget_old() == 1
    assert IdempotentAnswer.objects.get().key == "yesterday"
    program.post("/sessions", {"title": "Printer"}, key="yesterday")
    assert AISession.objects.count() == 2
    assert program.post("/sessions", {"title": "Another"}, key="before").status_code == 201


def test_the_worker_forgets_them_every_hour(monkeypatch):
    asked = []
    monkeypatch.setattr(idempotency, "forget_old", lambda: asked.append(True))
    asyncio.run(tasks.forget_answers(timestamp=0))
    assert asked == [True]
    assert "escalations.tasks.forget_answers" in {
        task.task.name for task in jobs.periodic_registry.periodic_tasks.values()
    }
