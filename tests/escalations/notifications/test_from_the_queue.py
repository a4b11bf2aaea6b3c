"""The whole way: a press in the product, its worker, a receiver. And one that hangs, which nobody waits for."""

import time

import pytest

from escalations.models import Delivery, Handoff
from resolutionflow.outside import SECONDS
from tests.escalations.notifications.working import add
from tests.factories import SessionFactory
from tests.receiver import is_genuine
from tests.serving import post


def escalate(server, ann, session):
    began = time.monotonic()
    answer = post(server, ann, f"/sessions/{session.pk}/escalate/", reason="I am stuck.", priority="high")
    assert answer.status_code == 302
    return time.monotonic() - began


@pytest.fixture
def hook(olga, receiver):
    return add(olga, receiver.url)


def test_an_escalation_is_told_by_the_worker(server, ann, hook, receiver):
    escalate(server, ann, SessionFactory(by=ann))
    (told,) = receiver.wait_for(1)
    assert told["handoff"]["id"] == str(Handoff.objects.get().pk)
    assert is_genuine(hook[1], *receiver.raw[0], now=time.time())


def test_nobody_waits_for_a_receiver_that_hangs(server, ann, ben, olga, hook, receiver):
    receiver.hold.clear()
    first, *others = [SessionFactory(by=ann) for _ in range(6)]
    escalate(server, ann, first)  # which is on its way while the others are pressed
    took = sorted(escalate(server, ann, session) for session in others)
    assert took[2] < SECONDS / 4
    assert Delivery.objects.filter(state="sent").count() == 0, "first, it did hang meanwhile"
    receiver.hold.set()
    assert [each["kind"] for each in receiver.wait_for(1)] == ["handoff_created"]
