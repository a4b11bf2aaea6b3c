"""The lease of a pick-up, on a clock that stands still: warned at 80 %, returned at the end, and what keeps it."""

from datetime import timedelta

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from escalations import audit
from escalations.actions import assessments, handoffs, jobs, leases, secrets, sessions, steps
from escalations.actions.refusals import Conflict, NotAllowed
from escalations.models import AISession, FeedEvent, Handoff, Message
from resolutionflow.trail.models import Entry
from tests.escalations.actions.test_handoffs import fresh, kinds, last_line
from tests.factories import HandoffFactory, SessionFactory
from tests.frozen import Clock

pytestmark = pytest.mark.django_db
MINUTES = 10


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


@pytest.fixture
def held(clock, ann, ben):
    """Ann's handoff, just picked up by ben."""
    return HandoffFactory(by=ann, picker=ben)


def jobs_of(handoff):
    return ProcrastinateJob.objects.filter(task_name=jobs.LEASE, args={"handoff_id": str(handoff.pk)}).order_by("id")


def post(handoff, by):
    return sessions.post(AISession.objects.get(pk=handoff.session_id), by=by, body="I am on it.")


def record_step(handoff, by):
    session = AISession.objects.get(pk=handoff.session_id)
    return steps.record_step(session, by=by, description="Restarted it", outcome="failed")


def resolve(handoff, by):
    return sessions.resolve(AISession.objects.get(pk=handoff.session_id), by=by, resolution="The cable.")


def test_a_pick_up_begins_a_lease_and_asks_the_worker_to_look_after_it(held, clock):
    assert held.picked_up_at == clock.now
    assert held.lease_ends_at == clock.now + timedelta(minutes=MINUTES)
    assert held.lease_warns_at == clock.now + timedelta(minutes=8)
    first, second = jobs_of(held)
    assert timedelta(minutes=1, seconds=58) < second.scheduled_at - first.scheduled_at < timedelta(minutes=2, seconds=2)


@pytest.mark.parametrize(("minutes", "ends"), [(1, timedelta(minutes=1)), (1440, timedelta(days=1)), (None, None)])
def test_an_account_says_how_long_it_lasts_or_that_there_is_none(minutes, ends, clock, harbor, ann, ben):
    harbor.lease_minutes = minutes
    harbor.save()
    held = HandoffFactory(by=ann, picker=ben)
    assert held.lease_ends_at == (ends and clock.now + ends)
    assert jobs_of(held).count() == (2 if minutes else 0)
    clock.go_on(days=2)
    leases.see_to(held.pk)
    assert fresh(held).state == ("waiting" if minutes else "picked_up")


def test_nothing_happens_before_80_percent_then_the_picker_is_warned_once(
    held, clock, published, django_capture_on_commit_callbacks
):
    def see():
        with django_capture_on_commit_callbacks(execute=True):
            leases.see_to(held.pk)
        return [frame["type"] for _, frame in published]

    published.clear()
    clock.go_on(minutes=7, seconds=59)
    assert see() == []
    assert fresh(held).lease_warned_at is None
    clock.go_on(seconds=1)
    assert see() == ["session_changed"], "its pages look anew"
    assert fresh(held).lease_warned_at == clock.now
    clock.go_on(minutes=1)
    assert see() == ["session_changed"], "no second time"
    assert fresh(held).state == "picked_up"


def test_at_the_end_it_waits_again_at_its_original_age_and_says_from_whom(held, clock, ann, ben):
    clock.go_on(minutes=9, seconds=59)
    leases.see_to(held.pk)
    assert fresh(held).state == "picked_up", "first, a second earlier it does not"
    clock.go_on(seconds=1)
    leases.see_to(held.pk)
    back = fresh(held)
    assert (back.state, back.picked_up_by, back.picked_up_at, back.lease_ends_at) == ("waiting", None, None, None)
    assert (back.created_at, back.returned_from, back.returned_at) == (held.created_at, ben, clock.now)
    assert (back.session.holder, back.session.state) == (ann, "escalated")
    assert last_line(back.session) == "Returned to the queue: Ben Bauer did nothing with it for 10 minutes."
    assert kinds() == ["handoff_created", "handoff_picked_up", "handoff_released"]
    told = FeedEvent.objects.get(kind="handoff_released")
    assert (told.actor, told.data) == (None, {"returned_from": str(ben.pk), "lease": True})
    assert Entry.objects.filter(kind="returned", about=f"handoff {held.pk}").count() == 1
    assert audit.breaches() == []


def test_a_second_worker_and_a_job_that_comes_twice_return_it_once(held, clock):
    clock.go_on(minutes=MINUTES)
    for _ in range(3):
        leases.see_to(held.pk)
    assert kinds().count("handoff_released") == 1


def test_a_job_of_an_earlier_pick_up_leaves_the_next_one_alone(held, clock, ben, olga):
    clock.go_on(minutes=9)
    handoffs.release(held, by=ben)
    handoffs.pick_up(held, by=olga)
    clock.go_on(minutes=1)
    leases.see_to(held.pk)
    assert fresh(held).picked_up_by == olga
    clock.go_on(minutes=9)
    leases.see_to(held.pk)
    assert fresh(held).returned_from == olga, "first, its own job returns it"


@pytest.mark.parametrize("act", [post, record_step])
def test_the_first_action_keeps_it(act, held, clock, ben):
    clock.go_on(minutes=9, seconds=59)
    leases.see_to(held.pk)
    act(held, ben)
    assert (fresh(held).lease_ends_at, fresh(held).lease_warned_at) == (None, None)
    clock.go_on(days=1)
    leases.see_to(held.pk)
    assert fresh(held).picked_up_by == ben


def test_what_is_no_action_does_not_keep_it(clock, ann, ben):
    session = SessionFactory(by=ann, problem="password: hunter22")
    held = HandoffFactory(by=ann, session=session, picker=ben)
    secrets.reveal(session.secrets.select_related("session").get(), by=ben)
    sessions.tell(AISession.objects.get(pk=session.pk), body="The line is open again.")
    sessions.answer(AISession.objects.get(pk=session.pk), to=None, body="Look at the cable.", sources=[])
    assessments.store(held, data={"summary_prose": "…"}, made_by="playbook")
    clock.go_on(minutes=MINUTES)
    leases.see_to(held.pk)
    assert fresh(held).returned_from == ben


def test_a_lease_that_is_over_changes_nothing_until_the_return(held, clock, ben):
    """The worker may be late: who acts before it comes has acted in time."""
    clock.go_on(hours=3)
    post(held, ben)
    leases.see_to(held.pk)
    assert fresh(held).picked_up_by == ben


@pytest.mark.parametrize("act", [post, record_step, resolve])
def test_an_action_that_the_return_overtook_takes_it_up_again(act, held, clock, ben):
    clock.go_on(minutes=MINUTES)
    leases.see_to(held.pk)
    clock.go_on(seconds=9)
    act(held, ben)
    kept = fresh(held)
    assert kept.picked_up_by == kept.session.holder == ben
    assert kept.state == ("resolved" if act is resolve else "picked_up")
    assert kept.lease_ends_at is None
    assert FeedEvent.objects.filter(kind="handoff_picked_up").latest("seq").data == {"undone": True}
    said = Message.objects.filter(session=kept.session, kind="system").values_list("body", flat=True)
    assert "Ben Bauer went on with it just then, and has it again." in said
    assert audit.breaches() == []


def test_an_action_long_after_the_return_is_refused(held, clock, ben):
    clock.go_on(minutes=MINUTES)
    leases.see_to(held.pk)
    clock.go_on(seconds=10)
    with pytest.raises(NotAllowed, match="Ann Abel has this session"):
        post(held, ben)
    assert fresh(held).state == "waiting"


def test_nobody_takes_up_again_what_is_somebody_elses_by_now(held, clock, ann, ben, olga):
    clock.go_on(minutes=MINUTES)
    leases.see_to(held.pk)
    handoffs.pick_up(held, by=olga)
    with pytest.raises(NotAllowed, match="Olga Owner has this session"):
        post(held, ben)
    handoffs.release(held, by=olga)
    with pytest.raises(NotAllowed, match="Ann Abel has this session"):
        post(held, ben)
    assert fresh(held).returned_from is None, "it is no longer ben's that comes back"
    handoffs.take_back(held, by=ann)
    with pytest.raises(NotAllowed):
        post(held, ben)


def test_whoever_releases_by_hand_takes_nothing_up_again_by_writing(held, ben):
    handoffs.release(held, by=ben)
    with pytest.raises(NotAllowed):
        post(held, ben)


def test_the_worker_finds_what_its_jobs_have_lost(held, clock):
    clock.go_on(minutes=8)
    leases.see_to(held.pk)
    assert not leases.running().exists(), "warned of, and not over"
    clock.go_on(minutes=2)
    assert list(leases.running()) == [held]


# Undo


def test_a_pick_up_is_undone_within_30_seconds(held, clock, ann, ben):
    clock.go_on(seconds=29)
    handoffs.undo(held, by=ben)
    back = fresh(held)
    assert (back.state, back.picked_up_by, back.lease_ends_at, back.returned_from) == ("waiting", None, None, None)
    assert (back.session.holder, back.session.state, back.created_at) == (ann, "escalated", held.created_at)
    assert last_line(back.session) == "Ben Bauer undid the pick-up."
    assert FeedEvent.objects.get(kind="handoff_released").data == {"undone": True}
    assert audit.breaches() == []


def refused_undo(held, by, error, words):
    before = (Handoff.objects.values().get(pk=held.pk), kinds(), Message.objects.count())
    with pytest.raises(error, match=words):
        handoffs.undo(fresh(held), by=by)
    assert (Handoff.objects.values().get(pk=held.pk), kinds(), Message.objects.count()) == before


def test_later_than_that_it_is_put_back(held, clock, ben):
    clock.go_on(seconds=30)
    refused_undo(held, ben, Conflict, "possible for 30 seconds. You can put it back")


@pytest.mark.parametrize("act", [post, record_step])
@pytest.mark.parametrize("minutes", [MINUTES, None])
def test_who_has_begun_puts_it_back(act, minutes, clock, harbor, ann, ben):
    harbor.lease_minutes = minutes
    harbor.save()
    held = HandoffFactory(by=ann, picker=ben)
    act(held, ben)
    refused_undo(held, ben, Conflict, "You have begun to work on it")


def test_only_the_picker_undoes(held, ann, ben, olga, vic):
    refused_undo(held, olga, NotAllowed, "Ben Bauer has it; only they")
    refused_undo(held, ann, NotAllowed, "Ben Bauer has it; only they")
    refused_undo(held, vic, NotAllowed, "viewer")
    handoffs.undo(held, by=ben)
    refused_undo(held, ben, Conflict, "It is waiting")


def test_an_undo_leaves_from_whom_it_was_returned(held, clock, ben, olga):
    clock.go_on(minutes=MINUTES)
    leases.see_to(held.pk)
    handoffs.pick_up(held, by=olga)
    handoffs.undo(held, by=olga)
    assert fresh(held).returned_from == ben
