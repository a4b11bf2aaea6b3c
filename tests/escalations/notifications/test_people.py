"""Who hears of an escalation, by which way."""

from datetime import UTC, datetime, time

import pytest

from escalations.models import NotificationPreference
from escalations.notifications.people import wanting
from resolutionflow.accounts.models import User
from tests.factories import HandoffFactory

pytestmark = pytest.mark.django_db

NIGHT, DAY = datetime(2026, 11, 27, 23, tzinfo=UTC), datetime(2026, 11, 27, 12, tzinfo=UTC)


def wants(user: User, **said) -> None:
    NotificationPreference.objects.update_or_create(user=user, defaults=said)


def test_by_default_the_bell_is_for_all_colleagues_who_may_work(ann, ben, olga, adam, vic, zoe):
    handoff = HandoffFactory(by=ann, priority="low")
    assert wanting(handoff, "bell") == [adam, ben, olga]
    for way in ("desktop", "sound", "email"):
        assert wanting(handoff, way) == []


def test_who_escalated_hears_nothing_of_it_whatever_they_want(ann, ben):
    for person in (ann, ben):
        wants(person, email="low")
    assert wanting(HandoffFactory(by=ann), "email") == [ben]
    assert wanting(HandoffFactory(by=ben), "email") == [ann]


def test_only_what_is_urgent_enough_is_told(ann, ben, olga):
    wants(ben, email="high")
    wants(olga, email="low", bell="")
    told = {p: wanting(HandoffFactory(by=ann, priority=p), "email") for p in ("low", "normal", "high", "urgent")}
    assert told == {"low": [olga], "normal": [olga], "high": [ben, olga], "urgent": [ben, olga]}
    assert wanting(HandoffFactory(by=ann, priority="urgent"), "bell") == [ben]


def test_who_is_switched_off_or_only_looks_on_is_left_alone(ann, ben, olga):
    for person in (ben, olga):
        wants(person, email="low")
    handoff = HandoffFactory(by=ann)
    assert wanting(handoff, "email") == [ben, olga]
    User.objects.filter(pk=ben.pk).update(is_active=False)
    User.objects.filter(pk=olga.pk).update(role="viewer")
    assert wanting(handoff, "email") == []


@pytest.mark.parametrize("way", ["desktop", "sound", "email"])
def test_quiet_hours_are_in_the_accounts_zone_or_in_ones_own(ann, ben, olga, way):
    hours = {"quiet_from": time(22), "quiet_until": time(7), way: "low"}
    wants(ben, **hours)  # Berlin, as the account
    wants(olga, time_zone="America/New_York", **hours)
    handoff = HandoffFactory(by=ann)
    assert wanting(handoff, way, at=NIGHT) == [olga]
    assert wanting(handoff, way, at=DAY) == [ben, olga]
    assert wanting(handoff, way, at=datetime(2026, 11, 28, 8, tzinfo=UTC)) == [ben]


def test_the_bell_knows_no_quiet_hours(ann, ben):
    wants(ben, quiet_from=time(22), quiet_until=time(7))
    assert wanting(HandoffFactory(by=ann), "bell", at=NIGHT) == [ben]


def test_it_asks_once_however_many_there_are(ann, ben, olga, adam, django_assert_num_queries):
    wants(ben, email="low", quiet_from=time(22), quiet_until=time(7))
    handoff = HandoffFactory(by=ann)
    with django_assert_num_queries(1):
        wanting(handoff, "email")


def test_a_way_that_there_is_not_is_refused(ann):
    with pytest.raises(ValueError, match="pigeon"):
        wanting(HandoffFactory(by=ann), "pigeon")
