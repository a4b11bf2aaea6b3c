"""Resolved sessions and runbooks are read once, in the background, and nothing waits for it."""

import asyncio

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from escalations import tasks
from escalations.actions import jobs, learning
from escalations.assessor import sentences
from escalations.models import Meaning, Runbook
from tests.factories import SessionFactory
from tests.weights import needs_weights


def asked_for():
    return [job.args["session_id"] for job in ProcrastinateJob.objects.filter(task_name=jobs.LEARN).order_by("id")]


@needs_weights
@pytest.mark.django_db
def test_resolving_asks_for_it_and_reads_nothing_itself(ann):
    session = SessionFactory(by=ann, resolved=True)
    assert asked_for() == [str(session.pk)]
    assert not Meaning.objects.exists()


@pytest.mark.django_db
def test_without_weights_nobody_asks_and_nothing_fails(ann):
    with sentences.left_out():
        session = SessionFactory(by=ann, resolved=True)
        learning.later()
        learning.learn(session.pk)
        assert learning.catch_up(seconds=1)
    assert asked_for() == []
    assert not Meaning.objects.exists()


@needs_weights
@pytest.mark.django_db(transaction=True)
def test_the_worker_reads_a_session(ann):
    session = SessionFactory(by=ann, resolved=True)
    asyncio.run(tasks.learn(str(session.pk)))
    kept = Meaning.objects.get(session=session)
    assert (kept.account, len(kept.whole), len(kept.sketch)) == (ann.account, 2 * sentences.SIZE, sentences.SIZE)
    assert kept.tried is None
    asyncio.run(tasks.learn(str(session.pk)))
    assert Meaning.objects.get(session=session).whole == kept.whole


@needs_weights
@pytest.mark.django_db(transaction=True)
def test_the_worker_reads_on_until_all_is_read(ann, monkeypatch):
    monkeypatch.setattr(learning, "AT_ONCE", 2)
    monkeypatch.setattr(tasks, "LEARN_SECONDS", 0.0)
    sessions = [SessionFactory(by=ann, resolved=True) for _ in range(3)]
    ProcrastinateJob.objects.filter(task_name=jobs.LEARN).delete()
    asyncio.run(tasks.learn())
    assert Meaning.objects.count() == 2
    assert asked_for() == [None]
    asyncio.run(tasks.learn())
    asyncio.run(tasks.learn())
    assert Meaning.objects.count() == len(sessions)


@needs_weights
@pytest.mark.django_db
def test_only_resolved_sessions_and_the_own_accounts_are_read(ann, zoe):
    mine, theirs = SessionFactory(by=ann, resolved=True), SessionFactory(by=zoe, resolved=True)
    SessionFactory(by=ann)
    learning.catch_up(ann.account, seconds=60)
    assert [each.session for each in Meaning.objects.all()] == [mine]
    learning.catch_up(seconds=60)
    assert {each.session for each in Meaning.objects.all()} == {mine, theirs}


@needs_weights
@pytest.mark.django_db
def test_what_failed_is_read_apart_and_what_was_not_run_is_not(ann):
    session = SessionFactory(by=ann)
    session.steps.create(position=1, description="Rebooted", outcome="failed")
    session.steps.create(position=2, description="Called the vendor", outcome="not_run")
    type(session).objects.filter(pk=session.pk).update(state="resolved", resolved_at=session.created_at)
    learning.learn(session.pk)
    (vector,) = sentences.encode(["Rebooted"])
    assert sentences.cosines(vector, [bytes(Meaning.objects.get().tried)])[0] == pytest.approx(1, abs=0.002)


@needs_weights
@pytest.mark.django_db
def test_a_runbook_that_was_imported_anew_meanwhile_is_not_given_its_old_meaning(harbor, monkeypatch):
    page = Runbook.objects.create(account=harbor, path="a.md", title="Old", body="Old words", steps=[])
    read = learning.meaning.of_runbooks

    def import_anew_meanwhile(pages):
        made = read(pages)
        Runbook.objects.filter(pk=page.pk, body="Old words").update(body="New words", imported_at="2030-01-01T00:00Z")
        return made

    monkeypatch.setattr(learning.meaning, "of_runbooks", import_anew_meanwhile)
    learning.catch_up(seconds=60)
    page.refresh_from_db()
    old, new = sentences.encode(["Old.  Old words", "Old.  New words"])
    to_old, to_new = sentences.cosines(bytes(page.whole), [old, new])
    assert to_new == pytest.approx(1, abs=0.002)
    assert to_old < 0.99
