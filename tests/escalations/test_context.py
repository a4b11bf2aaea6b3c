"""What the handoff-context screen is given."""

import pytest

from escalations import context
from escalations.actions import handoffs, sessions
from escalations.models import Handoff
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


def test_since_the_escalation_lists_what_came_after_it_and_no_lines_of_the_system(ann, ben):
    session = SessionFactory(by=ann)
    sessions.post(session, by=ann, body="Before")
    sessions.record_step(session, by=ann, description="Before", outcome="failed")
    handoff = handoffs.escalate(session, by=ann, reason="x")
    since = of(handoff, ben)["since"]
    assert (since["messages"], since["steps"], since["latest"]) == ([], [], None)
    handoffs.pick_up(handoff, by=ben)
    later = [sessions.post(session, by=ben, body=body) for body in ("After", "Last")]
    step = sessions.record_step(session, by=ben, description="After", outcome="worked")
    since = of(handoff, ben)["since"]
    assert (since["messages"], since["steps"], since["latest"]) == (later, [step], later[-1])


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
