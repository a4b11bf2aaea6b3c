"""What came after the snapshot, as the strip on the context screen tells it."""

import pytest

from escalations import news
from escalations.actions import handoffs, sessions, steps
from escalations.models import Handoff
from tests.factories import HandoffFactory, SessionFactory

pytestmark = pytest.mark.django_db


def since(handoff):
    return news.since(Handoff.objects.for_context().get(pk=handoff.pk))


def test_nothing_is_new_at_first(ann):
    session = SessionFactory(by=ann)
    sessions.post(session, by=ann, body="Before")
    sessions.record_step(session, by=ann, description="Before", outcome="failed")
    assert since(handoffs.escalate(session, by=ann, reason="x")).items == []


def test_messages_steps_and_changes_stand_in_their_order_with_their_places(ann, ben):
    session = SessionFactory(by=ann)
    handoff = handoffs.escalate(session, by=ann, reason="x")
    message = sessions.post(session, by=ann, body="It is back.")
    handoffs.pick_up(handoff, by=ben)
    step = sessions.record_step(session, by=ben, description="Rebooted", outcome="worked")
    told = since(handoff)
    assert [(item.kind, item.who, item.text, item.outcome) for item in told.items] == [
        ("message", "Ann Abel", "It is back.", ""),
        ("change", "Ben Bauer", "Ben Bauer picked it up.", ""),
        ("step", "Ben Bauer", "Rebooted", "worked"),
    ]
    assert (told.messages, told.changes, told.steps) == (1, 1, 1)
    assert [told.items[0].anchor, told.items[2].anchor] == [f"message-{message.pk}", f"step-{step.pk}"]


def test_releases_and_later_escalations_are_changes_and_excuses_of_flowpilot_are_not(ann, ben):
    handoff = HandoffFactory(by=ann, picker=ben, released=True)
    sessions.tell(handoff.session, body="FlowPilot could not answer.")
    handoffs.take_back(handoff, by=ann)
    handoffs.escalate(handoff.session, by=ann, reason="Again.")
    assert [item.text for item in since(handoff).items] == [
        "Ben Bauer picked it up.",
        "Ben Bauer put it back into the queue.",
        "Ann Abel took the escalation back.",
        "Ann Abel escalated: Again.",
    ]


def test_the_last_ones_are_shown_and_the_others_can_be_unfolded(ann):
    handoff = HandoffFactory(by=ann)
    for number in range(5):
        sessions.post(handoff.session, by=ann, body=f"{number}")
    told = since(handoff)
    assert [item.text for item in told.earlier] == ["0", "1"]
    assert [item.text for item in told.latest] == ["2", "3", "4"]


def test_a_step_that_was_merged_away_is_no_news(ann):
    handoff = HandoffFactory(by=ann)
    twice = [
        sessions.record_step(handoff.session, by=ann, description="Rebooted it", outcome=how)
        for how in ("failed", "worked")
    ]
    steps.merge(*twice, by=ann)
    assert [(item.text, item.outcome) for item in since(handoff).items] == [("Rebooted it", "worked")]
