"""What looks like the same step twice, and what a message was recorded as."""

import pytest

from escalations import ledger
from escalations.actions import sessions, steps
from tests.factories import HandoffFactory, SessionFactory


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Restarted the spooler", "Restart the spooler"),
        ("Re-entered the pre-shared key on both ends", "Re-entered the pre-shared key"),
        ("Rebooted", "rebooted!"),
        ("Set the MTU to 1,400", "MTU to 1,400 set"),
    ],
)
def test_the_same_step_in_other_words_is_alike(one, other):
    assert ledger.are_alike(one, other)
    assert ledger.are_alike(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Restarted the spooler", "Restarted the firewall"),
        ("Rebooted", "Rebooted the router after the swap of the modem"),
        ("Set the MTU to 1,400", "Set the MTU to 1,300"),
        ("Moved the camera to port 7", "Moved the camera to port 8"),
        ("", ""),
        ("the", "and"),
    ],
)
def test_other_steps_are_not(one, other):
    assert not ledger.are_alike(one, other)
    assert not ledger.are_alike(other, one)


@pytest.fixture
def session(ann):
    return SessionFactory(by=ann, problem="")


def entries(session):
    return ledger.of(ledger.steps_of(session))


def record(session, description, outcome="failed", **more):
    return sessions.record_step(session, by=session.holder, description=description, outcome=outcome, **more)


@pytest.mark.django_db
def test_a_step_is_offered_to_be_merged_with_the_latest_that_it_repeats(session):
    first, _other, second = (record(session, text) for text in ("Restarted it twice", "Pinged it", "Restart it twice"))
    assert [entry.repeats for entry in entries(session)] == [None, None, first]
    assert ledger.entry(second).repeats == first
    third = record(session, "Restarted it twice")
    assert ledger.entry(third).repeats == second


@pytest.mark.django_db
def test_who_looked_and_kept_both_is_not_asked_again(session, ann):
    _first, second = record(session, "Restarted it twice"), record(session, "Restart it twice")
    steps.keep_apart(second, by=ann)
    assert [entry.repeats for entry in entries(session)] == [None, None]


@pytest.mark.django_db
def test_what_was_merged_stands_within_the_later_step(session, ann):
    first, second, third = (record(session, "Restarted it twice", how) for how in ("failed", "failed", "worked"))
    steps.merge(first, second, by=ann)
    steps.merge(third, second, by=ann)
    (entry,) = entries(session)
    assert (entry, entry.outcome, entry.others, entry.repeats) == (third, "worked", [first, second], None)


@pytest.mark.django_db
def test_a_message_knows_what_it_was_recorded_as(session, ann):
    told, other = (sessions.post(session, by=ann, body=body) for body in ("Restarted it", "Hello"))
    step = record(session, "Restarted it", source_message=told)
    shown = ledger.with_records(session.messages.all(), ledger.steps_of(session))
    assert [message.recorded for message in shown] == [step, None]
    assert ledger.with_record(told).recorded == step
    assert ledger.with_record(other).recorded is None


@pytest.mark.django_db
def test_a_step_that_was_sent_twice_asks_once_how_it_went(ann, ben):
    handoff = HandoffFactory(by=ann, picker=ben)
    suggestion = sessions.SuggestedStep(handoff, 0, "Delete it")
    sent = [sessions.post(handoff.session, by=ben, body="Delete it", step=suggestion) for _ in range(2)]

    def shown():
        messages = ledger.with_records(handoff.session.messages.filter(kind="engineer"), handoff.session.steps.all())
        alone = [ledger.with_record(message) for message in sent]
        assert [(m.asks, m.recorded) for m in messages] == [(m.asks, m.recorded) for m in alone]
        return [(message.asks, message.recorded) for message in messages]

    assert shown() == [(True, None), (False, None)]
    step = record(handoff.session, "Delete it", suggestion=suggestion)
    assert shown() == [(True, step), (False, None)]
