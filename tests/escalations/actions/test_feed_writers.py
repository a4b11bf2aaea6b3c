"""The feed under two writers: whoever sees event n sees 1..n, and a rollback leaves no hole."""

import pytest
from django.db import transaction

from escalations import audit
from escalations.actions import handoffs
from escalations.models import FeedEvent
from tests.factories import HandoffFactory, SessionFactory
from tests.interleaving import Writer

pytestmark = pytest.mark.django_db(transaction=True)


def positions():
    return list(FeedEvent.objects.order_by("seq").values_list("seq", flat=True))


def whoever_sees_an_event_sees_all_before_it(ann, ben):
    first, session = HandoffFactory(by=ann), SessionFactory(by=ann)
    one = Writer(lambda: handoffs.pick_up(first, by=ben))
    assert one.run_until(1)
    while one.statements[-1] != "COMMIT":
        assert one.run_until(len(one.statements) + 1)
    # An escalation, for two claims would also wait for each other at the audit trail.
    other = Writer(lambda: handoffs.escalate(session, by=ann, reason="Stuck."))
    other.go_on()  # to its end if it can; else until the first has committed
    seen = positions()
    assert one.finish().error is None
    assert other.finish().error is None
    assert seen == list(range(1, len(seen) + 1)), "an event is visible before one that precedes it"
    assert positions() == [1, 2, 3]
    assert audit.breaches() == []


def test_whoever_sees_an_event_sees_all_before_it(ann, ben):
    whoever_sees_an_event_sees_all_before_it(ann, ben)


def a_rollback_leaves_no_hole(ann, ben):
    handoff = HandoffFactory(by=ann)
    with transaction.atomic():
        handoffs.pick_up(handoff, by=ben)
        transaction.set_rollback(True)
    handoff.refresh_from_db()
    handoffs.pick_up(handoff, by=ben)
    assert positions() == [1, 2]
    assert audit.breaches() == []


def test_a_rollback_leaves_no_hole(ann, ben):
    a_rollback_leaves_no_hole(ann, ben)
