"""What an account does not want to keep goes, and what the feed and the figures tell of stays true."""

import asyncio
import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from analytics import facts
from analytics.models import HandoffFact
from escalations import audit, tasks
from escalations.actions import assessments, feedback, handoffs, learning, offers, pruning, sessions
from escalations.assessor import sentences
from escalations.models import AISession, FeedEvent, Handoff, Meaning, Message, Secret
from resolutionflow.trail.models import Entry
from resolutionflow.trail.verification import prove
from tests.factories import HandoffFactory, SessionFactory, UserFactory

pytestmark = pytest.mark.django_db
CLIENTS = "Brightwater"
DATA = {
    "summary_prose": "Brightwater's tokens",
    "what_we_know": ["Brightwater"],
    "likely_cause": "Brightwater",
    "suggested_steps": [{"text": "Brightwater", "sources": []}] * 2,
    "confidence": "high",
    "sources": [],
}


def closed(by, picker=None, **how):
    """A session about Brightwater that was closed; with a picker it was escalated and resolved by them."""
    told = {"title": "Brightwater", "client_name": "Brightwater", "ticket_ref": "Brightwater 1"}
    session = SessionFactory(by=by, **told, problem="Brightwater, password: hunter22")
    sessions.post(session, by=by, body="Brightwater again")
    sessions.record_step(session, by=by, description="Brightwater", outcome="failed", note="Brightwater")
    if picker is None:
        return sessions.resolve(session, by=by, resolution="Brightwater")
    handoff = handoffs.escalate(session, by=by, reason="Brightwater")
    handoffs.pick_up(handoff, by=picker)
    handoffs.release(handoff, by=picker, reason="Brightwater")
    handoffs.pick_up(handoff, by=picker)
    offers.hand_to(handoff, by=picker, to=UserFactory(account=by.account), note="Brightwater")
    assessments.store(handoff, data=DATA, made_by="playbook")
    handoff = Handoff.objects.for_context().get(pk=handoff.pk)
    feedback.judge(handoff, by=picker, helpful=True, why="Brightwater")
    sessions.post(handoff.session, by=picker, body="Brightwater once more")
    return sessions.resolve(handoff.session, by=picker, resolution="Brightwater")


def whatever_is_stored():
    """All rows of all tables, as one text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        found = []
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT json_agg(t) FROM "{table}" AS t')  # noqa: S608
            found.append(json.dumps(cursor.fetchone()[0]))
    return "\n".join(found)


def everything_is_true(account):
    assert audit.breaches() == []
    assert facts.wrong(account) == []
    assert prove().breaches == []


def run(**options):
    said = io.StringIO()
    call_command("prune", stdout=said, **options)
    return said.getvalue()


@pytest.fixture
def old(ann, ben):
    """One that was never escalated and one that was, both closed (as far as pruning knows) long ago."""
    alone, escalated = closed(ann), closed(ann, ben)
    facts.catch_up(ann.account)
    past = timezone.now() - timedelta(days=40)
    AISession.objects.all().update(created_at=past, resolved_at=past)
    return alone, escalated


def test_no_text_is_left_and_all_that_is_left_is_true(old, ann, harbor):
    alone, escalated = old
    before = HandoffFact.objects.values().get()
    assert CLIENTS in whatever_is_stored()
    assert run(days=30, account="harbor-it") == "harbor-it: 1 removed, 1 emptied\n"
    assert CLIENTS not in whatever_is_stored()
    assert not AISession.objects.filter(pk=alone.pk).exists()
    assert Secret.objects.count() == 0
    everything_is_true(harbor)
    assert HandoffFact.objects.values().get() == before
    facts.rebuild(harbor)
    assert HandoffFact.objects.values().get() == before
    assert FeedEvent.objects.count() == 6
    assert Message.objects.filter(session=escalated).exists()


def test_it_is_on_record_and_done_once(old, harbor):
    run(days=30, account="harbor-it")
    assert run(days=30, account="harbor-it") == "harbor-it: 0 removed, 0 emptied\n"
    entry = Entry.objects.get(kind="pruned")
    assert entry.details == {"removed": 1, "emptied": 1, "command": "prune"}


def test_what_is_open_or_younger_stays(old, ann, ben, harbor):
    waiting, picked_up = HandoffFactory(by=ann), HandoffFactory(by=ann, picker=ben)
    lying = SessionFactory(by=ann)
    young = SessionFactory(by=ann, resolved=True)
    AISession.objects.exclude(pk=young.pk).update(created_at=timezone.now() - timedelta(days=400))
    run(days=30)
    for session in (waiting.session, picked_up.session, lying, young):
        assert AISession.objects.get(pk=session.pk).title == "Outlook asks for the password again and again"
    assert Handoff.objects.get(pk=waiting.pk).snapshot == waiting.snapshot
    everything_is_true(harbor)


def test_a_dry_run_counts_and_changes_nothing(old):
    before = whatever_is_stored()
    assert run(days=30, dry_run=True) == "harbor-it: 2 to prune, closed more than 30 days ago\n"
    assert whatever_is_stored() == before


def test_each_account_says_itself_how_long_it_keeps(old, zoe, harbor):
    elsewhere = closed(zoe)
    AISession.objects.filter(pk=elsewhere.pk).update(
        created_at=timezone.now() - timedelta(days=400), resolved_at=timezone.now() - timedelta(days=400)
    )
    harbor.keep_days = 30
    harbor.save()
    said = run()
    assert "harbor-it: 1 removed, 1 emptied" in said
    assert "summit-desk: keeps its sessions for ever" in said
    assert AISession.objects.filter(pk=elsewhere.pk).exists()


def test_steps_may_be_interrupted_and_go_on(old, harbor, monkeypatch):
    monkeypatch.setattr(pruning, "SESSIONS_AT_ONCE", 1)
    before = pruning.cutoff(30)
    assert sum(pruning.prune(harbor, before=before, command="prune")) == 1
    everything_is_true(harbor)
    run(days=30)
    assert CLIENTS not in whatever_is_stored()
    assert sum(pruning.prune(harbor, before=before, command="prune")) == 0


def test_the_playbook_forgets_it(old, harbor):
    learned = learning.catch_up(harbor, seconds=5)
    assert learned
    assert Meaning.objects.count() == (2 if sentences.is_there() else 0)
    run(days=30)
    learning.catch_up(harbor, seconds=5)
    assert Meaning.objects.count() == 0
    assert not AISession.objects.filter(knowledge__isnull=False).exists()


def test_its_pages_say_what_is_left(old, ann, as_user):
    _, escalated = old
    run(days=30)
    for address in (f"/sessions/{escalated.pk}/", f"/handoffs/{escalated.handoffs.get().pk}/"):
        shown = as_user(ann).get(address)
        assert shown.status_code == 200
        assert "What was written in this session was removed" in shown.text
        assert "Ben Bauer picked it up" in shown.text
    for address in ("/sessions/", f"/api/sessions/{escalated.pk}", f"/api/handoffs/{escalated.handoffs.get().pk}"):
        assert as_user(ann).get(address).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_the_worker_prunes_what_the_account_does_not_keep(ann, harbor):
    closed(ann)
    AISession.objects.update(
        created_at=timezone.now() - timedelta(days=40), resolved_at=timezone.now() - timedelta(days=40)
    )
    asyncio.run(tasks.prune(str(harbor.pk)))
    assert AISession.objects.count() == 1  # it keeps everything
    harbor.keep_days = 30
    harbor.save()
    asyncio.run(tasks.prune(str(harbor.pk)))
    assert AISession.objects.count() == 0
    assert Entry.objects.get(kind="pruned").details["command"] == "worker"


@pytest.mark.parametrize("days", [0, -1, 99_999_999])
def test_days_that_are_none_are_refused(days, old):
    with pytest.raises(CommandError, match="--days"):
        run(days=days)
    assert AISession.objects.count() == 2
