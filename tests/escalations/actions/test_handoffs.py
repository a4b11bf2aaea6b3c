"""Escalate, pick up, release, take back: what they do, whom they refuse, and who wins."""

from datetime import timedelta

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from escalations import audit
from escalations.actions import handoffs, sessions
from escalations.actions.refusals import AlreadyPickedUp, Conflict, NotAllowed
from escalations.models import AISession, Assessment, FeedEvent, Handoff, Message
from tests.factories import HandoffFactory, SessionFactory
from tests.racing import anew, race, winner_and_loser

pytestmark = pytest.mark.django_db
ROUNDS = 12


def kinds():
    return list(FeedEvent.objects.order_by("seq").values_list("kind", flat=True))


def last_line(session):
    return session.messages.filter(kind=Message.Kind.SYSTEM).last().body


def fresh(handoff):
    return Handoff.objects.for_context().get(pk=handoff.pk)


def untouched(handoff, verb, **arguments):
    """Run `verb`, which refuses, and prove that it wrote nothing; the refusal."""
    before = (Handoff.objects.values().get(pk=handoff.pk), kinds(), Message.objects.count())
    with pytest.raises((Conflict, NotAllowed)) as refused:
        verb(handoff, **arguments)
    assert (Handoff.objects.values().get(pk=handoff.pk), kinds(), Message.objects.count()) == before
    return refused.value


# Escalate


def test_escalating_freezes_the_context_and_puts_it_into_the_queue(ann, harbor):
    session = SessionFactory(by=ann)
    sessions.record_step(session, by=ann, description="Cleared cached tokens", outcome="failed")
    handoff = handoffs.escalate(session, by=ann, reason="It still loops.", priority="high")
    stored = fresh(handoff)
    assert (stored.state, stored.intent, stored.priority) == ("waiting", "escalate", "high")
    assert (stored.account, stored.created_by, stored.reason) == (harbor, ann, "It still loops.")
    assert stored.picked_up_by is stored.picked_up_at is stored.resolved_at is None
    assert stored.snapshot["steps"][0]["description"] == "Cleared cached tokens"
    assert AISession.objects.get(pk=session.pk).state == "escalated"
    assert last_line(session) == "Ann Abel escalated: It still loops."
    assert kinds() == ["handoff_created"]


def test_an_escalation_asks_for_an_assessment_and_does_not_wait_for_it(ann):
    handoff = HandoffFactory(by=ann)
    assert handoff.assessment.state == Assessment.State.PENDING
    job = ProcrastinateJob.objects.get(task_name="escalations.tasks.assess")
    assert job.args == {"handoff_id": str(handoff.pk), "run": 0, "attempt": 0}


def test_the_escalator_still_holds_the_session_while_it_waits(ann):
    handoff = HandoffFactory(by=ann)
    assert handoff.session.holder == ann
    assert sessions.post(handoff.session, by=ann, body="One more thing.").number == 2


def test_what_comes_after_the_escalation_does_not_change_its_snapshot(ann):
    handoff = HandoffFactory(by=ann)
    sessions.post(handoff.session, by=ann, body="One more thing.")
    assert "One more thing." not in str(fresh(handoff).snapshot)


def test_a_viewer_cannot_escalate(ann, vic):
    session = SessionFactory(by=ann)
    with pytest.raises(NotAllowed, match="viewer"):
        handoffs.escalate(session, by=vic, reason="Stuck.")
    assert handoffs.escalate(session, by=ann, reason="Stuck.")


def test_only_the_holder_can_escalate_and_the_refusal_names_them(ann, ben):
    session = SessionFactory(by=ann)
    with pytest.raises(NotAllowed, match="Ann Abel has this session since"):
        handoffs.escalate(session, by=ben, reason="Mine now.")
    assert not Handoff.objects.exists()
    assert AISession.objects.get(pk=session.pk).state == "active"


def test_a_waiting_session_cannot_be_escalated_again(ann):
    handoff = HandoffFactory(by=ann)
    with pytest.raises(Conflict, match="escalated already"):
        handoffs.escalate(handoff.session, by=ann, reason="Again.")
    assert kinds() == ["handoff_created"]


def test_who_picked_a_session_up_puts_it_back_instead_of_escalating_it(ann, ben):
    handoff = HandoffFactory(by=ann, picker=ben)
    with pytest.raises(Conflict, match="Put it back into the queue, or resolve it"):
        handoffs.escalate(handoff.session, by=ben, reason="Me neither.")


def test_a_resolved_session_cannot_be_escalated(ann):
    session = SessionFactory(by=ann, resolved=True)
    with pytest.raises(Conflict, match="resolved"):
        handoffs.escalate(session, by=ann, reason="It is back.")


def test_a_session_can_be_escalated_anew_after_it_was_taken_back(ann):
    handoff = HandoffFactory(by=ann, taken_back=True)
    again = handoffs.escalate(handoff.session, by=ann, reason="Stuck after all.")
    assert (fresh(handoff).state, fresh(again).state) == ("taken_back", "waiting")


# Pick up


def test_picking_up_gives_the_session_to_the_picker(ann, ben):
    handoff = HandoffFactory(by=ann, picker=ben)
    assert (handoff.state, handoff.picked_up_by) == ("picked_up", ben)
    assert (handoff.session.holder, handoff.session.state) == (ben, "active")
    assert handoff.session.held_since >= handoff.created_at
    assert last_line(handoff.session) == "Ben Bauer picked it up."
    assert kinds() == ["handoff_created", "handoff_picked_up"]


def test_the_new_holder_can_post_at_once_and_the_former_one_no_more(ann, ben):
    handoff = HandoffFactory(by=ann, picker=ben)
    assert sessions.post(handoff.session, by=ben, body="I am on it.")
    with pytest.raises(NotAllowed, match="Ben Bauer has this session"):
        sessions.post(handoff.session, by=ann, body="Wait!")


@pytest.mark.parametrize("role", ["engineer", "owner", "admin"])
def test_everybody_but_a_viewer_can_pick_up(role, ann, ben):
    ben.role = role
    ben.save()
    assert HandoffFactory(by=ann, picker=ben).picked_up_by == ben


def test_a_viewer_cannot_pick_up(ann, vic):
    assert "viewer" in str(untouched(HandoffFactory(by=ann), handoffs.pick_up, by=vic))


def test_ones_own_escalation_is_for_a_colleague(ann, ben):
    handoff = HandoffFactory(by=ann)
    refusal = untouched(handoff, handoffs.pick_up, by=ann)
    assert isinstance(refusal, NotAllowed)
    assert "You can take it back" in str(refusal)
    assert handoffs.pick_up(handoff, by=ben)


def test_a_stranger_cannot_pick_up_even_past_the_doors(ann, zoe):
    untouched(HandoffFactory(by=ann), handoffs.pick_up, by=zoe)


def test_the_second_to_come_learns_who_was_first(ann, ben, olga):
    handoff = HandoffFactory(by=ann, picker=ben)
    refusal = untouched(handoff, handoffs.pick_up, by=olga)
    assert isinstance(refusal, AlreadyPickedUp)
    assert str(refusal) == "Ben Bauer has it already."
    assert refusal.facts == {
        "picked_up_by": {"id": ben.pk, "name": "Ben Bauer"},
        "picked_up_at": handoff.picked_up_at,
    }


def test_the_winner_may_ask_again_and_nothing_changes(ann, ben):
    handoff = HandoffFactory(by=ann, picker=ben)
    again = handoffs.pick_up(fresh(handoff), by=ben)
    assert (again.picked_up_at, again.version) == (handoff.picked_up_at, handoff.version)
    assert kinds() == ["handoff_created", "handoff_picked_up"]


@pytest.mark.parametrize(
    ("how", "words"), [({"taken_back": True}, "taken back"), ({"picker": "ben", "resolved": True}, "resolved")]
)
def test_what_no_longer_waits_cannot_be_picked_up(how, words, ann, ben, olga):
    handoff = HandoffFactory(by=ann, **{**how, **({"picker": ben} if "picker" in how else {})})
    refusal = untouched(handoff, handoffs.pick_up, by=olga)
    assert isinstance(refusal, Conflict)
    assert words in str(refusal)


# Release


def test_releasing_puts_it_back_at_its_original_age(ann, ben):
    handoff = HandoffFactory(by=ann, picker=ben)
    released = handoffs.release(fresh(handoff), by=ben, reason="My shift ends.")
    stored = fresh(released)
    assert (stored.state, stored.picked_up_by, stored.picked_up_at) == ("waiting", None, None)
    assert stored.created_at == handoff.created_at
    assert (stored.session.holder, stored.session.state) == (ann, "escalated")
    assert last_line(stored.session) == "Ben Bauer put it back into the queue: My shift ends."
    assert FeedEvent.objects.get(kind="handoff_released").data == {"reason": "My shift ends."}


def test_a_release_needs_no_reason(ann, ben):
    handoff = HandoffFactory(by=ann, picker=ben, released=True)
    assert last_line(handoff.session) == "Ben Bauer put it back into the queue."


def test_a_released_one_can_be_picked_up_by_somebody_else(ann, ben, olga):
    handoff = HandoffFactory(by=ann, picker=ben, released=True)
    assert fresh(handoffs.pick_up(handoff, by=olga)).session.holder == olga


def test_only_the_picker_can_release(ann, ben, olga, vic):
    handoff = HandoffFactory(by=ann, picker=ben)
    assert "Ben Bauer has it" in str(untouched(handoff, handoffs.release, by=olga))
    assert "Ben Bauer has it" in str(untouched(handoff, handoffs.release, by=ann))
    assert "viewer" in str(untouched(handoff, handoffs.release, by=vic))
    assert handoffs.release(handoff, by=ben)


def test_what_is_not_picked_up_cannot_be_released(ann, ben):
    refusal = untouched(HandoffFactory(by=ann), handoffs.release, by=ben)
    assert isinstance(refusal, Conflict)
    assert str(refusal) == "It is waiting, so there is nothing to put back."


# Take back


def test_taking_back_gives_the_session_back_to_the_desk(ann):
    handoff = HandoffFactory(by=ann, taken_back=True)
    assert handoff.state == "taken_back"
    assert handoff.taken_back_at - handoff.created_at >= timedelta(0)
    assert (handoff.session.holder, handoff.session.state) == (ann, "active")
    assert last_line(handoff.session) == "Ann Abel took the escalation back."
    assert kinds() == ["handoff_created", "handoff_taken_back"]


def test_only_the_escalator_can_take_back(ann, ben, vic):
    handoff = HandoffFactory(by=ann)
    assert "Ann Abel escalated it" in str(untouched(handoff, handoffs.take_back, by=ben))
    assert "viewer" in str(untouched(handoff, handoffs.take_back, by=vic))
    assert handoffs.take_back(handoff, by=ann)


def test_what_was_picked_up_meanwhile_cannot_be_taken_back(ann, ben):
    refusal = untouched(HandoffFactory(by=ann, picker=ben), handoffs.take_back, by=ann)
    assert isinstance(refusal, AlreadyPickedUp)
    assert "Ben Bauer" in str(refusal)


def test_what_was_taken_back_cannot_be_taken_back_again(ann):
    refusal = untouched(HandoffFactory(by=ann, taken_back=True), handoffs.take_back, by=ann)
    assert str(refusal) == "It is taken back already."


# At the same moment


@pytest.mark.django_db(transaction=True)
def test_of_two_escalations_of_one_session_one_comes_through(ann):
    for _ in range(ROUNDS):
        session = SessionFactory(by=ann, problem="")
        outcomes = race(
            anew(handoffs.escalate, session, by=ann, reason="Stuck."),
            anew(handoffs.escalate, session, by=ann, reason="Stuck."),
        )
        won, lost = winner_and_loser(outcomes)
        assert isinstance(lost, Conflict)
        assert session.handoffs.get() == won
    assert audit.breaches() == []


@pytest.mark.django_db(transaction=True)
def test_of_many_who_pick_up_one_wins_and_all_others_learn_who(ann, ben, olga, adam):
    people = [ben, olga, adam]
    for _ in range(ROUNDS):
        handoff = HandoffFactory(by=ann)
        outcomes = race(*(anew(handoffs.pick_up, handoff, by=who) for who in people))
        losers = [outcome for outcome in outcomes if isinstance(outcome, AlreadyPickedUp)]
        winner = next(who for who, outcome in zip(people, outcomes, strict=True) if isinstance(outcome, Handoff))
        assert len(losers) == len(people) - 1, outcomes
        assert {str(refusal) for refusal in losers} == {f"{winner.name} has it already."}
        assert fresh(handoff).session.holder == winner
    assert audit.breaches() == []


@pytest.mark.django_db(transaction=True)
def test_of_a_pick_up_and_a_take_back_one_wins(ann, ben):
    for _ in range(ROUNDS):
        handoff = HandoffFactory(by=ann)
        outcomes = race(anew(handoffs.pick_up, handoff, by=ben), anew(handoffs.take_back, handoff, by=ann))
        won, lost = winner_and_loser(outcomes)
        assert isinstance(lost, Conflict)
        stored = fresh(handoff)
        assert stored.state == won.state
        assert stored.session.holder == (ben if stored.state == "picked_up" else ann)
    assert audit.breaches() == []


@pytest.mark.django_db(transaction=True)
def test_of_a_pick_up_and_the_escalators_resolve_one_wins(ann, ben):
    for _ in range(ROUNDS):
        handoff = HandoffFactory(by=ann)
        outcomes = race(
            anew(handoffs.pick_up, handoff, by=ben),
            anew(sessions.resolve, handoff.session, by=ann, resolution="It was the cable."),
        )
        _, lost = winner_and_loser(outcomes)
        stored = fresh(handoff)
        if isinstance(outcomes[0], Handoff):
            assert (stored.state, stored.session.state, stored.session.holder) == ("picked_up", "active", ben)
            assert isinstance(lost, NotAllowed)
        else:
            assert (stored.state, stored.session.state) == ("taken_back", "resolved")
            assert isinstance(lost, Conflict)
    assert audit.breaches() == []


@pytest.mark.django_db(transaction=True)
def test_a_release_and_a_message_of_the_picker_come_one_after_the_other(ann, ben):
    for _ in range(ROUNDS):
        handoff = HandoffFactory(by=ann, picker=ben)
        released, posted = race(
            anew(handoffs.release, handoff, by=ben),
            anew(sessions.post, handoff.session, by=ben, body="One last idea."),
        )
        assert isinstance(released, Handoff)
        lines = list(handoff.session.messages.values_list("body", flat=True))
        if isinstance(posted, Message):
            assert lines[-2:] == ["One last idea.", "Ben Bauer put it back into the queue."]
        else:
            assert isinstance(posted, NotAllowed)
            assert "One last idea." not in lines
    assert audit.breaches() == []


@pytest.mark.django_db(transaction=True)
def test_of_a_release_and_a_resolve_of_the_picker_one_wins(ann, ben):
    for _ in range(ROUNDS):
        handoff = HandoffFactory(by=ann, picker=ben)
        outcomes = race(
            anew(handoffs.release, handoff, by=ben),
            anew(sessions.resolve, handoff.session, by=ben, resolution="The cable."),
        )
        _, lost = winner_and_loser(outcomes)
        assert isinstance(lost, (Conflict, NotAllowed))
        assert fresh(handoff).state == ("waiting" if isinstance(outcomes[0], Handoff) else "resolved")
    assert audit.breaches() == []


@pytest.mark.django_db(transaction=True)
def test_a_resolve_and_an_escalation_of_the_same_person_leave_no_orphan(ann):
    """Two windows of one person: a resolve that looked before the escalation committed must not overlook it."""
    for _ in range(ROUNDS * 2):
        session = SessionFactory(by=ann, problem="")
        outcomes = race(
            anew(handoffs.escalate, session, by=ann, reason="Stuck."),
            anew(sessions.resolve, session, by=ann, resolution="The cable."),
        )
        assert any(not isinstance(outcome, Exception) for outcome in outcomes), outcomes
        assert all(isinstance(outcome, (Handoff, AISession, Conflict)) for outcome in outcomes), outcomes
    assert audit.breaches() == []


@pytest.mark.django_db(transaction=True)
def test_changes_of_different_sessions_number_the_feed_without_a_gap(ann, ben):
    for _ in range(ROUNDS):
        started = [SessionFactory(by=who, problem="") for who in (ann, ben, ann, ben)]
        outcomes = race(*(anew(handoffs.escalate, session, by=session.holder, reason="Stuck.") for session in started))
        assert all(isinstance(outcome, Handoff) for outcome in outcomes), outcomes
    assert sorted(FeedEvent.objects.values_list("seq", flat=True)) == list(range(1, 4 * ROUNDS + 1))
    assert audit.breaches() == []
