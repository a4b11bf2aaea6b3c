"""A webhook whose receiver is away: real HTTP on loopback, ten minutes of simulated time."""

from datetime import timedelta

import pytest

from escalations.actions import handoffs
from escalations.models import Delivery, FeedEvent
from escalations.models.channel import TOLD
from tests.factories import HandoffFactory
from tests.receiver import is_genuine

pytestmark = pytest.mark.django_db(transaction=True)


def two_things_happen(ann, ben, number):
    handoff = HandoffFactory(by=ann)
    if number % 3 == 0:
        handoffs.take_back(handoff, by=ann)
    else:
        handoffs.pick_up(handoff, by=ben)


def test_after_ten_minutes_down_it_gets_every_event_once_and_in_order(ann, ben, hook, receiver, clock, worker):
    receiver.down = True
    began, tries, rounds = clock.now, [], 0
    while clock.now < began + timedelta(minutes=10):
        if rounds < 12:
            two_things_happen(ann, ben, rounds)
        rounds += 1
        worker.work()
        if receiver.refused > len(tries):
            tries.append((clock.now - began).total_seconds())
        clock.go(seconds=10)
    assert receiver.got == []
    assert tries == [0, 10, 40, 100, 220, 520]
    assert receiver.refused == len(tries), "of all that waits only the first is tried"
    receiver.down = False
    while Delivery.objects.waiting().exists():
        clock.go(seconds=10)
        worker.work()
        assert clock.now < began + timedelta(minutes=25)
    everything = FeedEvent.objects.filter(kind__in=TOLD).order_by("seq").values_list("seq", "kind")
    assert len(everything) == 24
    assert [(each["cursor"], each["kind"]) for each in receiver.got] == list(everything)
    sent = {str(pk) for pk in Delivery.objects.filter(state="sent").values_list("pk", flat=True)}
    assert len(sent) == 24
    assert {each["id"] for each in receiver.got} == sent
    for headers, body in receiver.raw:
        assert is_genuine(hook[1], headers, body, now=clock.time())
        assert f'"id":"{headers["X-ResolutionFlow-Delivery"]}"' in body.decode()


def test_a_forged_or_old_request_is_not_genuine(ann, hook, receiver, clock, worker):
    secret = hook[1]
    HandoffFactory(by=ann)
    worker.work()
    ((headers, body),) = receiver.raw
    earlier = headers | {"X-ResolutionFlow-Timestamp": str(int(clock.time()) - 1)}
    assert is_genuine(secret, headers, body, now=clock.time())
    assert not is_genuine(secret, headers, body + b" ", now=clock.time())
    assert not is_genuine(secret + "x", headers, body, now=clock.time())
    assert not is_genuine(secret, earlier, body, now=clock.time())
    assert not is_genuine(secret, headers, body, now=clock.time() + 301)
