"""Who came too late is noted, whatever the door, and whatever is rolled back."""

import pytest
from django.db import ProgrammingError, transaction

from escalations.actions import handoffs
from escalations.actions.refusals import AlreadyPickedUp, NotAllowed
from escalations.models import FeedEvent, Handoff, RefusedPickup
from tests.factories import HandoffFactory
from tests.programs import Program, refusal
from tests.racing import anew, race, winner_and_loser

pytestmark = pytest.mark.django_db


def noted() -> list[tuple[str, str]]:
    return [(refused.by.get_short_name(), refused.held_by.get_short_name()) for refused in RefusedPickup.objects.all()]


def test_who_comes_too_late_is_noted_with_who_has_it(ann, ben, olga):
    handoff = HandoffFactory(by=ann, picker=ben)
    with pytest.raises(AlreadyPickedUp):
        handoffs.pick_up(handoff, by=olga)
    assert noted() == [("Olga", "Ben")]
    assert FeedEvent.objects.for_account(ann.account).count() == 2


def test_whoever_has_it_and_asks_again_is_not_refused(ann, ben):
    handoff = HandoffFactory(by=ann, picker=ben)
    handoffs.pick_up(handoff, by=ben)
    assert noted() == []


def test_ones_own_waiting_escalation_is_no_refused_pickup(ann):
    with pytest.raises(NotAllowed):
        handoffs.pick_up(HandoffFactory(by=ann), by=ann)
    assert noted() == []


def test_through_the_api_the_conflict_stays_and_is_noted(ann, ben, olga):
    handoff = HandoffFactory(by=ann, picker=ben)
    said = refusal(Program(olga).post(f"/handoffs/{handoff.pk}/pick-up"), 409)
    assert said["picked_up_by"] == {"id": str(ben.pk), "name": ben.name}
    assert noted() == [("Olga", "Ben")]


def test_with_an_idempotency_key_too_though_its_answer_is_not_kept(ann, ben, olga):
    handoff, program = HandoffFactory(by=ann, picker=ben), Program(olga)
    for _ in range(2):
        refusal(program.post(f"/handoffs/{handoff.pk}/pick-up", key="abc"), 409)
    assert noted() == [("Olga", "Ben")] * 2


def test_the_page_notes_it_as_well(ann, ben, olga, as_user):
    handoff = HandoffFactory(by=ann, picker=ben)
    assert as_user(olga).post(f"/handoffs/{handoff.pk}/pick-up/").status_code == 409
    assert noted() == [("Olga", "Ben")]


def test_what_is_noted_stays(ann, ben, olga):
    handoff = HandoffFactory(by=ann, picker=ben)
    with pytest.raises(AlreadyPickedUp):
        handoffs.pick_up(handoff, by=olga)
    with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic():
        RefusedPickup.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_the_loser_of_a_race_is_noted_in_a_transaction_that_commits(ann, ben, olga):
    handoff = HandoffFactory(by=ann)
    outcomes = race(*(anew(handoffs.pick_up, handoff, by=user) for user in (ben, olga)))
    _, lost = winner_and_loser(outcomes)
    assert isinstance(lost, AlreadyPickedUp)
    winner = Handoff.objects.get().picked_up_by
    assert noted() == [(("Olga", "Ben") if winner == ben else ("Ben", "Olga"))]
