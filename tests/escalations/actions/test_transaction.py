"""A verb is one transaction, tried again where PostgreSQL asks for it."""

import threading

import pytest
from django.db import OperationalError, connection, transaction
from psycopg import errors

from escalations.actions import sessions
from escalations.actions.refusals import Conflict
from escalations.actions.transaction import TRIES, in_transaction
from escalations.models import AISession
from tests.factories import SessionFactory
from tests.racing import race

DEADLOCK, SERIALISATION, LOCKED = errors.DeadlockDetected, errors.SerializationFailure, errors.LockNotAvailable


class Verb:
    """Starts a session, then fails in this way so many times."""

    def __init__(self, by, failure, times):
        self.by, self.failure, self.times, self.runs = by, failure, times, 0
        self.run = in_transaction(self._run)

    def _run(self):
        self.runs += 1
        AISession.objects.create(account=self.by.account, title=f"Try {self.runs}", holder=self.by)
        if self.runs <= self.times:
            raise OperationalError("the database says no") from self.failure()
        return self.runs


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("failure", [DEADLOCK, SERIALISATION])
@pytest.mark.parametrize("times", [1, 2])
def test_deadlocks_and_serialisation_failures_are_tried_again_from_the_start(failure, times, ann):
    verb = Verb(ann, failure, times)
    assert verb.run() == times + 1
    assert AISession.objects.get().title == f"Try {times + 1}"


@pytest.mark.django_db(transaction=True)
def test_after_three_tries_it_is_a_conflict(ann):
    verb = Verb(ann, DEADLOCK, TRIES)
    with pytest.raises(Conflict, match="try again"):
        verb.run()
    assert verb.runs == TRIES == 3
    assert not AISession.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("failure", "becomes"), [(LOCKED, Conflict), (errors.QueryCanceled, OperationalError)])
def test_other_failures_are_not_tried_again(failure, becomes, ann):
    verb = Verb(ann, failure, 1)
    with pytest.raises(becomes):
        verb.run()
    assert verb.runs == 1
    assert not AISession.objects.exists()


@pytest.mark.django_db
def test_inside_another_transaction_only_its_owner_can_try_again(ann):
    verb = Verb(ann, DEADLOCK, 1)
    with pytest.raises(Conflict):
        verb.run()
    assert verb.runs == 1


@pytest.mark.django_db
def test_a_refusal_undoes_what_the_verb_had_written(ann):
    def refuse():
        AISession.objects.create(account=ann.account, title="Half", holder=ann)
        raise Conflict("No.")

    with pytest.raises(Conflict):
        in_transaction(refuse)()
    assert not AISession.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_real_deadlock_ends_with_both_done(ann):
    """Two transactions that lock two rows in opposite order: PostgreSQL ends one, which then runs again."""
    one, other = SessionFactory(by=ann, problem=""), SessionFactory(by=ann, problem="")
    both_hold_one = threading.Barrier(2)
    tries = []

    def touch(first, second, title):
        @in_transaction
        def verb():
            tries.append(title)
            AISession.objects.filter(pk=first.pk).update(client_name=title)
            if len(tries) <= 2:
                both_hold_one.wait(timeout=5)
            AISession.objects.filter(pk=second.pk).update(client_name=title)
            return title

        return verb

    assert race(touch(one, other, "a"), touch(other, one, "b")) == ["a", "b"]
    assert len(tries) > 2, "and a slow machine may let them meet once more"


@pytest.mark.django_db(transaction=True)
def test_a_lock_that_nobody_gives_up_is_a_conflict_and_not_a_wait_for_ever(ann, monkeypatch):
    session = SessionFactory(by=ann, problem="")
    held, done = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            AISession.objects.select_for_update().get(pk=session.pk)
            held.set()
            done.wait(timeout=10)

    def post():
        held.wait(timeout=10)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '50ms'")
        try:
            return sessions.post(session, by=ann, body="Hello")
        finally:
            done.set()
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")

    _, posted = race(hold, post)
    assert isinstance(posted, Conflict)
    assert sessions.post(session, by=ann, body="Hello")
