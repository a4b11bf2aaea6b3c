"""The facts keep up with the feed, step by step as well as at once."""

import itertools

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings

from analytics import facts
from analytics.models import HandoffFact, Mark, PickupFact
from escalations.actions import assessments, handoffs, leases, sessions
from escalations.models import AISession
from escalations.models.feed import cursor_of
from tests.factories import HandoffFactory, SessionFactory
from tests.frozen import Clock
from tests.oracle.histories import histories
from tests.oracle.history import write

pytestmark = pytest.mark.django_db
names = (f"f{number}" for number in itertools.count())


def rows(account) -> list[tuple]:
    told = HandoffFact.objects.for_account(account).order_by("pk").values_list()
    held = PickupFact.objects.for_account(account).order_by("seq")
    fields = [field.attname for field in PickupFact._meta.fields if field.name != "id"]
    return [*told, *held.values_list(*fields)]


def test_small_steps_lead_where_one_does(db, monkeypatch):
    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(histories())
    def run(history):
        with transaction.atomic():
            account = write(history, next(names))
            monkeypatch.setattr(facts, "EVENTS_AT_ONCE", 3)
            facts.catch_up(account)
            in_steps = rows(account)
            monkeypatch.setattr(facts, "EVENTS_AT_ONCE", 10_000)
            facts.rebuild(account)
            assert rows(account) == in_steps
            assert facts.wrong(account) == []
            transaction.set_rollback(True)

    run()


def test_looking_after_each_verb_changes_nothing(ann, ben, olga):
    account = ann.account
    session = SessionFactory(by=ann)

    def look(result=None):
        facts.catch_up(account)
        return result

    handoff = look(handoffs.escalate(session, by=ann, reason="Stuck."))
    look(
        assessments.store(handoff, data={"summary_prose": "…", "suggested_steps": [{"text": "x"}]}, made_by="playbook")
    )
    look(handoffs.pick_up(handoff, by=ben))
    step = sessions.SuggestedStep(handoff, 0, "x")
    message = look(sessions.post(handoff.session, by=ben, body="x", step=step))
    look(sessions.record_step(handoff.session, by=ben, description="x", outcome="worked", source_message=message))
    look(handoffs.release(handoff, by=ben))
    look(handoffs.take_back(handoff, by=ann))
    again = look(handoffs.escalate(handoff.session, by=ann, reason="Still stuck."))
    look(handoffs.pick_up(again, by=olga))
    look(sessions.resolve(again.session, by=olga, resolution="Deleted it."))
    seen = rows(account)
    facts.rebuild(account)
    assert rows(account) == seen
    first = HandoffFact.objects.get(handoff=handoff)
    assert (first.uses, first.uses_unchanged, first.uses_worked, first.has_steps) == (1, 1, 1, True)
    assert first.followed_at
    assert (first.pickups, first.idle_releases) == (1, 0)


def test_a_pick_up_that_is_undone_after_somebody_looked_counts_as_nothing(ann, ben, olga):
    handoff = HandoffFactory(by=ann, picker=ben)
    facts.catch_up(ann.account)
    assert PickupFact.objects.filter(picker=ben).exists(), "first, it counted"
    handoffs.undo(handoff, by=ben)
    facts.catch_up(ann.account)
    fact = HandoffFact.objects.get(handoff=handoff)
    assert (fact.state, fact.pickups, fact.idle_releases, fact.first_pickup_at) == ("waiting", 0, 0, None)
    assert not PickupFact.objects.exists()
    handoffs.pick_up(handoff, by=olga)
    facts.catch_up(ann.account)
    assert PickupFact.objects.get().picker == olga
    assert facts.wrong(ann.account) == []


def test_the_return_by_the_lease_is_a_release_without_an_action(monkeypatch, ann, ben):
    clock = Clock(monkeypatch)
    handoff = HandoffFactory(by=ann, picker=ben)
    clock.go_on(minutes=10)
    leases.see_to(handoff.pk)
    facts.catch_up(ann.account)
    fact = HandoffFact.objects.get(handoff=handoff)
    assert (fact.pickups, fact.idle_releases) == (1, 1)


def test_a_return_that_a_message_overtook_is_none(monkeypatch, ann, ben):
    clock = Clock(monkeypatch)
    handoff = HandoffFactory(by=ann, picker=ben)
    clock.go_on(minutes=10)
    leases.see_to(handoff.pk)
    facts.catch_up(ann.account)
    sessions.post(AISession.objects.get(), by=ben, body="Here I am.")
    facts.catch_up(ann.account)
    fact = HandoffFact.objects.get(handoff=handoff)
    assert (fact.state, fact.pickups, fact.idle_releases) == ("picked_up", 1, 0)
    assert fact.first_action_at


def test_when_nothing_happened_nothing_is_written(ann, ben):
    HandoffFactory(by=ann, picker=ben, resolved=True)
    facts.catch_up(ann.account)
    with CaptureQueriesContext(connection) as queries:
        facts.catch_up(ann.account)
    assert not [query for query in queries if "analytics_handoff (" in query["sql"]]
    assert Mark.objects.get(account=ann.account).seq == cursor_of(ann.account)


def test_the_check_names_what_differs(ann, ben, capsys):
    handoff = HandoffFactory(by=ann, picker=ben, resolved=True)
    call_command("rebuild_metrics")
    assert capsys.readouterr().out == "harbor-it: 1 handoffs\n"
    call_command("rebuild_metrics", "--check")
    assert "as the feed says" in capsys.readouterr().out
    HandoffFact.objects.update(pickup_seconds=1)
    with pytest.raises(SystemExit, match="1"):
        call_command("rebuild_metrics", "--check", "--account", "harbor-it")
    assert str(handoff.pk) in capsys.readouterr().out
    call_command("rebuild_metrics", "--account", "harbor-it")
    call_command("rebuild_metrics", "--check")


@pytest.mark.parametrize(
    "tamper", [lambda: PickupFact.objects.all().delete(), lambda: HandoffFact.objects.all().delete()]
)
def test_missing_facts_are_found(tamper, ann, ben):
    handoff = HandoffFactory(by=ann, picker=ben, resolved=True)
    facts.catch_up(ann.account)
    tamper()
    assert facts.wrong(ann.account) == [handoff.pk]
