"""The ledger's verbs: record just once what a message or a suggested step became, merge, keep apart."""

import pytest

from escalations.actions import handoffs, sessions, steps
from escalations.actions.refusals import Conflict, NotAllowed
from escalations.actions.suggestions import SuggestedStep
from escalations.models import AISession, TriedStep
from tests.factories import HandoffFactory, SessionFactory
from tests.racing import anew, race, winner_and_loser

pytestmark = pytest.mark.django_db


@pytest.fixture
def session(ann):
    return SessionFactory(by=ann, problem="")


def record(session, description="Restarted it twice", outcome="failed", **more):
    return steps.record_step(session, by=session.holder, description=description, outcome=outcome, **more)


def stored(step):
    return TriedStep.objects.get(pk=step.pk)


@pytest.fixture
def suggestion(ann, ben):
    """The second suggested step of a handoff that ben has."""
    return SuggestedStep(HandoffFactory(by=ann, picker=ben), 1, "Delete the token")


# Record


def test_the_outcome_of_a_sent_step_names_the_step_and_its_message(suggestion, ben):
    session = suggestion.handoff.session
    message = sessions.post(session, by=ben, body="Delete the token", step=suggestion)
    step = stored(record(session, source_message=message, outcome="worked"))
    assert (step.source_message, step.step_handoff, step.step_index) == (message, suggestion.handoff, 1)


def test_a_suggested_step_that_was_not_sent_is_recorded_by_itself(suggestion):
    step = stored(record(suggestion.handoff.session, suggestion=suggestion))
    assert (step.source_message, step.step_handoff, step.step_index) == (None, suggestion.handoff, 1)


def test_a_suggested_step_that_was_sent_is_recorded_as_its_messages(suggestion, ben):
    session = suggestion.handoff.session
    message = sessions.post(session, by=ben, body="Delete the token", step=suggestion)
    assert stored(record(session, suggestion=suggestion)).source_message == message


def test_how_it_went_is_asked_once(suggestion, ben):
    session = suggestion.handoff.session
    sent = [sessions.post(session, by=ben, body="Delete the token", step=suggestion) for _ in range(2)]
    record(session, source_message=sent[0], outcome="worked")
    for again in ({"source_message": sent[0]}, {"source_message": sent[1]}, {"suggestion": suggestion}):
        with pytest.raises(Conflict, match="recorded already: worked"):
            record(session, **again)
    assert session.steps.count() == 1


def test_two_steps_of_ones_own_words_come_from_nothing(session):
    assert [record(session).step_handoff, record(session).source_message] == [None, None]


@pytest.mark.django_db(transaction=True)
def test_of_two_presses_at_the_same_moment_one_counts(session, ann, published):
    message = sessions.post(session, by=ann, body="Restarted it")
    told = {"by": ann, "description": "Restarted it", "outcome": "failed", "source_message": message}
    _, lost = winner_and_loser(race(*[anew(steps.record_step, session, **told)] * 2))
    assert isinstance(lost, Conflict)
    assert session.steps.count() == 1


def test_the_messages_line_is_told_anew(session, ann, published, django_capture_on_commit_callbacks):
    message = sessions.post(session, by=ann, body="Restarted it")
    with django_capture_on_commit_callbacks(execute=True):
        step = record(session, source_message=message)
    (kind, of_step), (again, of_message) = [(frame["type"], frame["html"]) for _, frame in published]
    assert (kind, again) == ("step_recorded", "message_posted")
    assert f'id="step-{step.pk}"' in of_step
    assert f'Recorded as tried: <a href="#step-{step.pk}">Failed</a>' in of_message


# Merge and keep apart


def test_merging_keeps_the_later_step_and_loses_nothing(session, ann):
    first, second = record(session, outcome="failed", note="Twice"), record(session, outcome="worked")
    assert steps.merge(second, first, by=ann) == second  # in whatever order they are named
    assert stored(first).merged_into == second
    assert (stored(first).outcome, stored(first).note, stored(first).by) == ("failed", "Twice", ann)
    assert list(session.steps.standing()) == [second]


def test_what_was_merged_before_comes_along(session, ann):
    first, second, third = record(session), record(session), record(session)
    steps.merge(first, second, by=ann)
    steps.merge(second, third, by=ann)
    assert [stored(step).merged_into for step in (first, second, third)] == [third, third, None]


def test_merging_twice_or_with_itself_or_with_another_sessions_step_is_a_conflict(session, ann):
    first, second = record(session), record(session)
    elsewhere = record(SessionFactory(by=ann))
    steps.merge(first, second, by=ann)
    for one, other in ((first, second), (second, second), (second, elsewhere)):
        with pytest.raises(Conflict, match="merged already"):
            steps.merge(one, other, by=ann)
    assert stored(second).merged_into is None


@pytest.mark.django_db(transaction=True)
def test_of_two_merges_at_the_same_moment_one_counts(session, ann, published):
    first, second = record(session), record(session)
    _, lost = winner_and_loser(race(*[anew(steps.merge, first, other=second, by=ann)] * 2))
    assert isinstance(lost, Conflict)


def test_keeping_apart_is_remembered(session, ann):
    step = record(session)
    steps.keep_apart(step, by=ann)
    assert stored(step).kept_apart


def test_only_the_holder_decides_and_nothing_changes_once_it_is_resolved(session, ann, ben, vic):
    first, second = record(session), record(session)
    for who in (ben, vic):
        with pytest.raises(NotAllowed):
            steps.merge(first, second, by=who)
        with pytest.raises(NotAllowed):
            steps.keep_apart(second, by=who)
    sessions.resolve(session, by=ann, resolution="Done.")
    for verb in (lambda: steps.merge(first, second, by=ann), lambda: steps.keep_apart(second, by=ann)):
        with pytest.raises(Conflict, match="resolved"):
            verb()
    assert session.steps.standing().count() == 2


def test_each_decision_counts_the_version_by_one(session, ann, published, django_capture_on_commit_callbacks):
    first, second, third = record(session), record(session), record(session, "Pinged the gateway")
    with django_capture_on_commit_callbacks(execute=True):
        steps.merge(first, second, by=ann)
        steps.keep_apart(third, by=ann)
    told = [(frame["type"], frame["cursor"]) for _, frame in published]
    assert told == [("session_changed", 4), ("session_changed", 5)]
    assert AISession.objects.get().version == 5


def test_a_snapshot_holds_what_stands(session, ann):
    first, second = record(session), record(session, outcome="worked")
    steps.merge(first, second, by=ann)
    frozen = handoffs.escalate(session, by=ann, reason="Stuck.").snapshot["steps"]
    assert [step["id"] for step in frozen] == [str(second.pk)]
