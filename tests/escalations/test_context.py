"""What the handoff-context screen is given."""

import pgtrigger
import pytest
from django.db import ProgrammingError, transaction

from escalations import context, snapshot
from escalations.actions import handoffs, sessions
from escalations.models import FeedEvent, Handoff
from tests.factories import HandoffFactory, SessionFactory

pytestmark = pytest.mark.django_db


def of(handoff, viewer):
    return context.of(Handoff.objects.for_context().get(pk=handoff.pk), viewer=viewer)


def test_steps_are_grouped_by_outcome_and_those_not_run_stand_apart(ann, ben):
    session = SessionFactory(by=ann)
    for outcome in ("failed", "not_run", "worked", "failed"):
        sessions.record_step(session, by=ann, description=f"{outcome} step", outcome=outcome)
    told = of(handoffs.escalate(session, by=ann, reason="x"), ben)
    groups = [(outcome.value, len(steps)) for outcome, steps in told["groups"]]
    assert groups == [("worked", 1), ("failed", 2)]
    assert [step.description for step in told["not_run"]] == ["not_run step"]
    assert told["tried_count"] == 3
    assert told["not_run"][0].by == "Ann Abel"


def test_steps_tell_the_number_of_the_message_that_they_come_from(ann, ben):
    session = SessionFactory(by=ann)
    message = sessions.post(session, by=ann, body="Rebooted")
    sessions.record_step(session, by=ann, description="Rebooted", outcome="failed", source_message=message)
    sessions.record_step(session, by=ann, description="Pinged the gateway", outcome="failed")
    ((_, (rebooted, pinged)),) = of(handoffs.escalate(session, by=ann, reason="x"), ben)["groups"]
    assert (rebooted.message, rebooted.message_id) == (message.number, str(message.pk))
    assert (pinged.message, pinged.message_id) == (None, None)


# The proof


def test_a_snapshot_is_proved_by_the_hash_in_its_event(ann, ben):
    handoff = HandoffFactory(by=ann)
    proof = of(handoff, ben)["proof"]
    assert proof.holds
    assert FeedEvent.objects.get(kind="handoff_created").data == {"snapshot_sha256": proof.sha256}


def test_a_snapshot_that_was_changed_behind_everyones_back_is_found_out(ann, ben):
    handoff = HandoffFactory(by=ann)
    changed = handoff.snapshot | {"steps": [{"invented": True}]}
    with pytest.raises(ProgrammingError, match="snapshot"), transaction.atomic():
        Handoff.objects.filter(pk=handoff.pk).update(snapshot=changed)
    changed = handoff.snapshot | {"session": handoff.snapshot["session"] | {"problem": "Something else"}}
    with pgtrigger.ignore("escalations.Handoff:snapshot_is_frozen"):
        Handoff.objects.filter(pk=handoff.pk).update(snapshot=changed)
    assert of(handoff, ben)["proof"].holds is False


def test_of_an_escalation_from_before_there_were_hashes_nothing_is_claimed(ann, ben, monkeypatch):
    monkeypatch.setattr(snapshot, "digest", lambda frozen: "")
    handoff = HandoffFactory(by=ann)
    monkeypatch.undo()
    with pgtrigger.ignore("escalations.FeedEvent:append_only"):
        FeedEvent.objects.update(data={})
    assert of(handoff, ben)["proof"].holds is None


# Whose it is


def test_it_knows_whose_it_is(ann, ben, olga):
    handoff = HandoffFactory(by=ann, picker=ben)
    told = {who: of(handoff, who) for who in (ann, ben, olga)}
    assert [(told[who]["is_mine"], told[who]["is_from_me"]) for who in (ann, ben, olga)] == [
        (False, True),
        (True, False),
        (False, False),
    ]


def test_a_waiting_one_is_nobodys(ann, ben):
    assert not of(HandoffFactory(by=ann), ben)["is_mine"]


def test_what_is_frozen_stays_though_the_session_changes(ann, ben):
    handoff = HandoffFactory(by=ann)
    handoff.session.title = "Renamed"
    handoff.session.save()
    assert of(handoff, ben)["frozen"]["title"] == "Outlook asks for the password again and again"
