"""An assessment is stored once, may come late, and is never in anybody's way."""

from datetime import timedelta

import pytest
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from escalations.actions import assessments
from escalations.actions.refusals import Conflict, NotAllowed
from escalations.models import Assessment
from tests.factories import HandoffFactory
from tests.racing import anew, race

pytestmark = pytest.mark.django_db
TIMED_OUT, FAILED = Assessment.State.TIMED_OUT, Assessment.State.FAILED


@pytest.fixture
def handoff(ann):
    return HandoffFactory(by=ann)


def stored(handoff):
    return Assessment.objects.get(handoff=handoff)


def kinds(handoff):
    return list(handoff.events.order_by("seq").values_list("kind", flat=True))


def attempts():
    """The jobs that are to assess, by their attempt."""
    jobs = ProcrastinateJob.objects.filter(task_name="escalations.tasks.assess").order_by("id")
    return [job.args["attempt"] for job in jobs]


def test_a_result_is_stored_and_told(handoff):
    assert assessments.store(handoff, data={"summary_prose": "Token."}, made_by="playbook")
    kept = stored(handoff)
    assert (kept.state, kept.data, kept.assessor, kept.reason) == ("ready", {"summary_prose": "Token."}, "playbook", "")
    assert kept.finished_at >= kept.requested_at
    assert kinds(handoff) == ["handoff_created", "handoff_assessed"]


def test_a_result_is_stored_once(handoff):
    assert assessments.store(handoff, data={"summary_prose": "First."}, made_by="playbook")
    assert not assessments.store(handoff, data={"summary_prose": "Second."}, made_by="playbook")
    assert stored(handoff).data == {"summary_prose": "First."}
    assert kinds(handoff).count("handoff_assessed") == 1


@pytest.mark.parametrize("state", [TIMED_OUT, FAILED])
def test_a_late_result_still_lands(state, handoff):
    assessments.give_up(handoff, state=state, reason="It took longer than 5 seconds.", attempt=0)
    assert (stored(handoff).state, stored(handoff).reason) == (state, "It took longer than 5 seconds.")
    assert assessments.store(handoff, data={}, made_by="playbook")
    assert (stored(handoff).state, stored(handoff).reason) == ("ready", "")
    assert kinds(handoff) == ["handoff_created", "handoff_assessed", "handoff_assessed"]


@pytest.mark.parametrize("state", [TIMED_OUT, FAILED])
def test_a_result_that_is_there_is_not_given_up(state, handoff):
    assessments.store(handoff, data={}, made_by="playbook")
    assert not assessments.give_up(handoff, state=state, reason="Too long.", attempt=0)
    assert stored(handoff).state == "ready"
    assert attempts() == [0]


def test_giving_up_asks_for_one_more_try_with_a_longer_budget_and_then_ends(handoff):
    for attempt in (0, 1, 2):
        assessments.give_up(handoff, state=TIMED_OUT, reason="Too long.", attempt=attempt)
    assert attempts() == [0, 1, 2]
    assert [assessments.budget_of(attempt) for attempt in (0, 1, 2)] == [5.0, 20.0, 60.0]


def test_giving_up_twice_is_told_once(handoff):
    assert assessments.give_up(handoff, state=TIMED_OUT, reason="Too long.", attempt=0)
    assert not assessments.give_up(handoff, state=TIMED_OUT, reason="Too long.", attempt=1)
    assert kinds(handoff).count("handoff_assessed") == 1


def test_the_first_budget_comes_from_the_settings(settings, ann):
    settings.ASSESSMENT_BUDGET_SECONDS = 0.5
    assert assessments.budget_of(0) == 0.5
    kept = HandoffFactory(by=ann).assessment
    assert timedelta(0) < kept.deadline - timezone.now() <= timedelta(seconds=0.5)


def test_what_is_pending_past_its_deadline_reads_as_timed_out(handoff):
    kept = stored(handoff)
    assert kept.state_at(kept.deadline) == "pending"
    assert kept.state_at(kept.deadline + timedelta(milliseconds=1)) == "timed_out"
    Assessment.objects.update(deadline=timezone.now() - timedelta(seconds=1))
    assert (stored(handoff).state, stored(handoff).current_state) == ("pending", "timed_out")


@pytest.mark.parametrize("state", ["ready", "failed", "disabled"])
def test_what_is_not_pending_has_no_deadline(state):
    long_ago = timezone.now() - timedelta(days=1)
    assert Assessment(state=state, deadline=long_ago).current_state == state


def test_nothing_is_asked_where_ai_is_switched_off(settings, ann):
    settings.ASSESSMENT_MODEL = "none"
    handoff = HandoffFactory(by=ann)
    assert (handoff.assessment.state, handoff.assessment.current_state) == ("disabled", "disabled")
    assert attempts() == []
    assert not assessments.store(handoff, data={}, made_by="playbook")


# Try again


@pytest.mark.parametrize("state", [TIMED_OUT, FAILED])
def test_trying_again_begins_anew(state, handoff, ben):
    assessments.give_up(handoff, state=state, reason="Too long.", attempt=0)
    assessments.try_again(handoff, by=ben)
    kept = stored(handoff)
    assert (kept.state, kept.reason, kept.attempt, kept.finished_at) == ("pending", "", 0, None)
    assert kept.deadline > timezone.now()
    assert attempts() == [0, 1, 0]
    assert kinds(handoff) == ["handoff_created", "handoff_assessed", "handoff_assessed"]


def test_it_can_be_tried_again_when_no_worker_lived_to_give_up(handoff, ben):
    Assessment.objects.update(deadline=timezone.now() - timedelta(seconds=1))
    assessments.try_again(handoff, by=ben)
    assert stored(handoff).current_state == "pending"


def test_there_is_nothing_to_try_again_while_it_is_on_its_way_or_here(handoff, ben):
    with pytest.raises(Conflict, match="here or on its way"):
        assessments.try_again(handoff, by=ben)
    assessments.store(handoff, data={}, made_by="playbook")
    with pytest.raises(Conflict, match="here or on its way"):
        assessments.try_again(handoff, by=ben)
    assert attempts() == [0]


def test_switched_off_stays_switched_off(settings, ann, ben):
    settings.ASSESSMENT_MODEL = "none"
    with pytest.raises(Conflict):
        assessments.try_again(HandoffFactory(by=ann), by=ben)
    assert attempts() == []


def test_a_viewer_cannot_try_again(handoff, vic, ben):
    assessments.give_up(handoff, state=TIMED_OUT, reason="Too long.", attempt=0)
    with pytest.raises(NotAllowed):
        assessments.try_again(handoff, by=vic)
    assert stored(handoff).state == TIMED_OUT
    assessments.try_again(handoff, by=ben)


@pytest.mark.django_db(transaction=True)
def test_of_two_results_and_a_timeout_at_the_same_moment_one_result_stays(ann):
    for _ in range(8):
        handoff = HandoffFactory(by=ann)
        first, second, gave_up = race(
            anew(assessments.store, handoff, data={"n": 1}, made_by="a"),
            anew(assessments.store, handoff, data={"n": 2}, made_by="b"),
            anew(assessments.give_up, handoff, state=TIMED_OUT, reason="Too long.", attempt=0),
        )
        assert sorted([first, second]) == [False, True]
        assert isinstance(gave_up, bool)
        kept = stored(handoff)
        assert (kept.state, kept.data) == ("ready", {"n": 1 if first else 2})
