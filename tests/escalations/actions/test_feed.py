"""The feed is dense, commits with its change, and is announced after the commit."""

import pytest
from django.db import DatabaseError, connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from escalations.actions import assessments, feed, handoffs, sessions
from escalations.live import announce, transport
from escalations.models import AISession, FeedCounter, FeedEvent, Handoff, Message
from escalations.models.feed import cursor_of
from tests.factories import HandoffFactory, SessionFactory

pytestmark = pytest.mark.django_db


def positions(account):
    return list(FeedEvent.objects.for_account(account).order_by("seq").values_list("seq", flat=True))


def execute(sql, *params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


@transaction.atomic
def commit(write, *args, **kwargs):
    """Write, and have judged at once what is judged at the commit."""
    write(*args, **kwargs)
    execute("SET CONSTRAINTS ALL IMMEDIATE")


def refuses(words, write, *args, **kwargs):
    with pytest.raises(DatabaseError, match=words):
        commit(write, *args, **kwargs)


# Positions


def test_positions_are_dense_from_one_in_each_account(ann, ben, zoe, harbor, summit):
    HandoffFactory(by=ann, picker=ben, released=True)
    HandoffFactory(by=zoe)
    HandoffFactory(by=ann, taken_back=True)
    assert positions(harbor) == [1, 2, 3, 4, 5]
    assert positions(summit) == [1]
    assert (cursor_of(harbor), cursor_of(summit)) == (5, 1)


def test_an_account_without_events_stands_at_zero(harbor):
    assert cursor_of(harbor) == 0


def test_a_handoffs_version_is_the_position_of_its_last_event(ann, ben):
    first = HandoffFactory(by=ann)
    HandoffFactory(by=ann)
    handoffs.pick_up(first, by=ben)
    assert first.version == Handoff.objects.get(pk=first.pk).version == first.events.first().seq == 3


def test_only_creation_and_release_set_the_place_in_the_queue(ann, ben):
    handoff = HandoffFactory(by=ann)
    seen = [handoff.queued_seq]
    assessments.store(handoff, data={}, made_by="playbook")
    handoffs.pick_up(handoff, by=ben)
    seen.append(Handoff.objects.get(pk=handoff.pk).queued_seq)
    handoffs.release(handoff, by=ben)
    assert handoff.queued_seq == handoff.version
    seen.append(Handoff.objects.get(pk=handoff.pk).queued_seq)
    sessions.resolve(handoff.session, by=ann, resolution="The cable.")
    seen.append(Handoff.objects.get(pk=handoff.pk).queued_seq)
    assert seen == [1, 1, 4, 4]


def test_an_event_says_who_did_what_to_which_session(ann, ben, harbor):
    handoff = HandoffFactory(by=ann, picker=ben)
    event = handoff.events.get(kind="handoff_picked_up")
    assert (event.account, event.session, event.actor) == (harbor, handoff.session, ben)
    assert event.at >= handoff.picked_up_at


# One transaction


@pytest.mark.django_db(transaction=True)
def test_an_append_outside_a_transaction_is_refused(ann):
    handoff = HandoffFactory(by=ann)
    with pytest.raises(feed.OutsideTransaction):
        feed.append(FeedEvent.Kind.ASSESSED, handoff, by=None)
    with transaction.atomic():
        assert feed.append(FeedEvent.Kind.ASSESSED, handoff, by=None).seq == 2


def test_a_change_whose_event_cannot_be_written_is_undone(ann, ben, monkeypatch):
    handoff = HandoffFactory(by=ann)
    with monkeypatch.context() as broken:
        broken.setattr(feed, "APPEND", "SELECT 1 / 0")
        with pytest.raises(DatabaseError):
            handoffs.pick_up(handoff, by=ben)
    stored = Handoff.objects.for_context().get(pk=handoff.pk)
    assert (stored.state, stored.session.holder, stored.version) == ("waiting", ann, 1)
    assert handoffs.pick_up(stored, by=ben).version == 2


def test_a_rollback_leaves_no_event_no_job_and_no_announcement(
    ann, harbor, published, django_capture_on_commit_callbacks
):
    session = SessionFactory(by=ann, problem="")
    with django_capture_on_commit_callbacks(execute=True) as callbacks, transaction.atomic():
        handoffs.escalate(session, by=ann, reason="Stuck.")
        assert ProcrastinateJob.objects.exists()
        transaction.set_rollback(True)
    assert (callbacks, published) == ([], [])
    assert not ProcrastinateJob.objects.exists()
    assert (positions(harbor), cursor_of(harbor), Message.objects.count()) == ([], 0, 0)
    assert handoffs.escalate(session, by=ann, reason="Stuck.").version == 1


# After the commit


def test_an_event_is_announced_after_the_commit_and_not_before(
    ann, harbor, published, django_capture_on_commit_callbacks
):
    session = SessionFactory(by=ann, problem="")
    with django_capture_on_commit_callbacks() as callbacks:
        handoffs.escalate(session, by=ann, reason="Stuck.")
    assert published == []
    for callback in callbacks:
        callback()
    group, frame = published[-1]
    assert group == f"queue.{harbor.pk.hex}"
    assert (frame["type"], frame["cursor"]) == ("handoff_created", 1)


@pytest.mark.parametrize("place", [(announce, "handoff"), (transport, "publish"), (announce, "render_to_string")])
def test_an_announcement_that_fails_does_not_fail_the_verb(place, ann, monkeypatch, django_capture_on_commit_callbacks):
    def fail(*args, **kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr(*place, fail)
    session = SessionFactory(by=ann, problem="")
    with django_capture_on_commit_callbacks(execute=True):
        handoffs.escalate(session, by=ann, reason="Stuck.")
    assert AISession.objects.get(pk=session.pk).state == "escalated"


def test_every_event_is_announced_once_and_in_order(ann, ben, published, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        handoff = HandoffFactory(by=ann, picker=ben, released=True)
        assessments.store(handoff, data={}, made_by="playbook")
        handoffs.take_back(handoff, by=ann)
    told = [(frame["type"], frame["cursor"]) for group, frame in published if group.startswith("queue.")]
    assert told == [
        ("handoff_created", 1),
        ("handoff_picked_up", 2),
        ("handoff_released", 3),
        ("handoff_assessed", 4),
        ("handoff_taken_back", 5),
    ]


# What raw SQL cannot do


def test_the_feed_is_append_only(ann):
    HandoffFactory(by=ann)
    refuses("Cannot update or delete", execute, "UPDATE feed_event SET kind = 'handoff_resolved'")
    refuses("Cannot update or delete", execute, "DELETE FROM feed_event")
    assert FeedEvent.objects.get().kind == "handoff_created"


@pytest.mark.parametrize("by", [0, 2, -1, 100])
def test_the_counter_counts_by_one(by, ann, harbor):
    HandoffFactory(by=ann)
    refuses("the feed counter goes from 1 to 2", execute, "UPDATE feed_counter SET seq = seq + %s", by)
    execute("UPDATE feed_counter SET seq = seq + 1")
    assert FeedCounter.objects.get(account=harbor).seq == 2


def test_a_position_cannot_be_there_twice(ann):
    handoff = HandoffFactory(by=ann)
    refuses(
        "feed_event_position",
        execute,
        "INSERT INTO feed_event (account_id, seq, kind, handoff_id, session_id, data)"
        " VALUES (%s, 1, 'handoff_assessed', %s, %s, '{}')",
        handoff.account_id,
        handoff.pk,
        handoff.session_id,
    )


PICK_UP = """
    UPDATE escalations_handoff SET state = 'picked_up', picked_up_by_id = %s, picked_up_at = clock_timestamp()
    WHERE id = %s
"""


def test_a_change_of_state_without_an_event_is_refused_at_the_commit(ann, ben):
    handoff = HandoffFactory(by=ann)
    execute("SET CONSTRAINTS ALL IMMEDIATE")  # what the verbs did is in order
    execute("SET CONSTRAINTS ALL DEFERRED")
    refuses("became picked_up without an event", execute, PICK_UP, ben.pk, handoff.pk)


def pick_up(handoff, by, told_of=None):
    """Past the verb, with an event of `told_of`."""
    execute(PICK_UP, by.pk, handoff.pk)
    feed.append(FeedEvent.Kind.PICKED_UP, told_of or handoff, by=by)
    execute("UPDATE escalations_handoff SET version = (SELECT seq FROM feed_counter) WHERE id = %s", handoff.pk)


def test_an_event_of_another_handoff_does_not_count(ann, ben):
    handoff, other = HandoffFactory(by=ann), HandoffFactory(by=ann)
    refuses("without an event", pick_up, handoff, ben, told_of=other)


def test_a_change_of_state_with_its_event_is_taken(ann, ben):
    handoff = HandoffFactory(by=ann)
    commit(pick_up, handoff, ben)
    assert Handoff.objects.get(pk=handoff.pk).version == 2


def test_a_handoff_without_an_event_is_refused_at_the_commit(ann):
    session = SessionFactory(by=ann)
    told = {"account": session.account, "created_by": ann, "reason": "x", "snapshot": {}}
    refuses("became waiting without an event", Handoff.objects.create, session=session, **told)
