"""Many who write into one account's trail at the same moment leave one unbroken chain."""

import pytest
from django.db import transaction

from escalations import audit
from escalations.actions import handoffs
from resolutionflow.trail import record
from resolutionflow.trail.models import Entry
from resolutionflow.trail.verification import prove
from tests.factories import HandoffFactory, UserFactory
from tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS, EACH = 6, 20


def test_concurrent_writers_of_one_account_give_one_unbroken_chain(ann):
    def write():
        for number in range(EACH):
            with transaction.atomic():
                record("picked_up", account=ann.account, by=ann, about=f"handoff {number}")
                transaction.set_rollback(number % 5 == 0)

    assert race(*[write] * WRITERS) == [None] * WRITERS
    assert prove().breaches == []
    assert Entry.objects.count() == WRITERS * EACH * 4 // 5


def test_the_first_entries_of_a_chain_may_come_at_the_same_moment(harbor):
    assert race(*[lambda: record("signed_in", account=harbor, by=None)] * WRITERS) == [None] * WRITERS
    assert prove().breaches == []


def test_claims_of_everybody_at_once_end_without_a_deadlock(ann, harbor):
    waiting = [HandoffFactory(by=ann) for _ in range(WRITERS)]
    people = [UserFactory(account=harbor) for _ in waiting]

    def claim_and_put_back(handoff, person):
        def claim():
            for _ in range(5):
                handoffs.pick_up(handoff, by=person)
                handoffs.release(handoff, by=person)

        return claim

    pairs = zip(waiting, people, strict=True)
    assert race(*[claim_and_put_back(*pair) for pair in pairs]) == [None] * WRITERS
    assert prove().breaches == audit.breaches() == []
    assert Entry.objects.count() == WRITERS * 10
