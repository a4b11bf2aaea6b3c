"""The demonstration's people and history."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from escalations import audit, snapshot
from escalations.assessor import sentences
from escalations.models import AISession, Assessment, FeedCounter, FeedEvent, Handoff, Message, TriedStep
from resolutionflow.accounts.models import Account, User
from resolutionflow.demo import history

pytestmark = pytest.mark.django_db
EVERYTHING = (Account, User, AISession, Message, TriedStep, Handoff, Assessment, FeedEvent, FeedCounter)


@pytest.fixture(scope="module")
def written(django_db_setup, django_db_blocker):
    """The demo as of now, written once for all tests here: each runs in a savepoint inside this transaction."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield history.write(now=timezone.now())
        transaction.set_rollback(True)


@pytest.fixture
def demo(written, db):
    return written


def test_the_audit_finds_nothing(demo):
    assert audit.breaches() == []


def test_there_is_enough_of_everything(demo):
    assert (demo.sessions, demo.escalations, demo.open) == (152, 100, 12)
    assert AISession.objects.filter(state="resolved").count() == 140
    assert Handoff.objects.filter(state="resolved").count() > 70
    assert Handoff.objects.filter(state="taken_back").count() >= 4
    assert FeedEvent.objects.filter(kind="handoff_released").count() >= 8
    assert Message.objects.exclude(step_use="").count() >= 15


def test_every_snapshot_is_proved_by_its_event(demo):
    for event in FeedEvent.objects.filter(kind="handoff_created").select_related("handoff"):
        assert event.data == {"snapshot_sha256": snapshot.digest(event.handoff.snapshot)}


def test_the_outcome_of_a_sent_step_names_the_step(demo):
    recorded = TriedStep.objects.exclude(step_handoff=None).select_related("source_message")
    assert len(recorded) >= 5
    for step in recorded:
        message = step.source_message
        assert (message.step_handoff_id, message.step_index) == (step.step_handoff_id, step.step_index)


def test_the_viewer_did_nothing(demo):
    vic = User.objects.get(email="vic@harbor.example")
    assert not FeedEvent.objects.filter(actor=vic).exists()
    assert not AISession.objects.filter(started_by=vic).exists()


def test_nothing_lies_in_the_future(demo):
    now = timezone.now()
    for model, fields in {
        AISession: ["created_at", "held_since", "resolved_at"],
        Message: ["created_at"],
        TriedStep: ["created_at"],
        Handoff: ["created_at", "picked_up_at", "resolved_at", "taken_back_at"],
        Assessment: ["requested_at", "finished_at"],
        FeedEvent: ["at"],
    }.items():
        for field in fields:
            assert not model.objects.filter(**{f"{field}__gt": now}).exists(), (model, field)


def test_the_history_is_90_days_long(demo):
    first = AISession.objects.earliest("created_at").created_at
    assert timedelta(days=80) < timezone.now() - first < timedelta(days=90)
    weeks = {session.created_at.isocalendar().week for session in AISession.objects.all()}
    assert len(weeks) >= 12


def test_people_work_by_day(demo):
    past = AISession.objects.filter(state="resolved").select_related("account")
    hours = [session.created_at.astimezone(session.account.tz).hour for session in past]
    assert min(hours) >= 7
    assert max(hours) <= 19
    assert sum(8 <= hour < 17 for hour in hours) > len(hours) * 0.8


def test_what_happened_in_a_session_lies_in_its_order(demo):
    for session in AISession.objects.prefetch_related("messages", "steps", "handoffs"):
        for rows in (session.messages.all(), session.steps.all()):
            moments = [row.created_at for row in rows]
            assert moments == sorted(moments)
            assert all(session.created_at <= moment <= (session.resolved_at or timezone.now()) for moment in moments)
        assert [message.number for message in session.messages.all()] == list(range(1, len(session.messages.all()) + 1))


def test_a_snapshot_is_what_was_there_when_it_was_escalated(demo):
    for handoff in Handoff.objects.select_related("session"):
        told = handoff.snapshot
        before = handoff.session.messages.exclude(kind="system").filter(created_at__lt=handoff.created_at)
        assert [message["id"] for message in told["messages"]] == [str(message.pk) for message in before]
        assert len(told["steps"]) == handoff.session.steps.filter(created_at__lt=handoff.created_at).count()
    waiting = Handoff.objects.filter(state="waiting").exclude(events__kind="handoff_released").first()
    assert waiting.snapshot == snapshot.of(waiting.session)


def test_an_assessment_knows_only_what_was_solved_by_then(demo):
    sources = 0
    for assessment in Assessment.objects.filter(state="ready").select_related("handoff"):
        for source in assessment.data["sources"]:
            sources += 1
            assert AISession.objects.get(pk=source["id"]).resolved_at <= assessment.finished_at
    assert sources


def test_what_waits_is_assessed_with_all_that_the_playbook_can_do(demo):
    waiting = Assessment.objects.filter(handoff__state="waiting", state="ready")
    cited = [each.data["suggested_steps"][0]["sources"][0]["kind"] for each in waiting]
    assert cited == ["session"] * len(waiting)
    assert waiting


def test_a_suggestion_that_was_sent_is_one_of_the_assessment(demo):
    for message in Message.objects.exclude(step_use="").select_related("step_handoff__assessment"):
        step = message.step_handoff.assessment.data["suggested_steps"][message.step_index]
        assert (message.body == step["text"]) == (message.step_use == "sent_unchanged")
        assert message.author == message.step_handoff.picked_up_by


def test_ann_and_ben_both_have_something_to_pick_up(demo):
    waiting = Handoff.objects.filter(account__slug="harbor-it").waiting()
    assert waiting.count() == 8
    for login in ("ann", "ben"):
        assert waiting.exclude(created_by__email=f"{login}@harbor.example").count() >= 4
    assert waiting.filter(events__kind="handoff_released").count() == 1
    assert sorted(waiting.values_list("assessment__state", flat=True)) == ["ready"] * 7 + ["timed_out"]


def test_summit_has_something_waiting_for_both(demo):
    waiting = Handoff.objects.filter(account__slug="summit-desk").waiting()
    assert {handoff.created_by.name for handoff in waiting} == {"Zoe Zhang", "Omar Okafor"}


def test_ann_and_ben_are_each_at_work_on_one(demo):
    picked_up = Handoff.objects.filter(state="picked_up").select_related("picked_up_by", "session__holder")
    assert {handoff.picked_up_by.name for handoff in picked_up} == {"Ann Abel", "Ben Bauer"}
    assert all(handoff.session.holder == handoff.picked_up_by for handoff in picked_up)


def test_open_ones_wait_for_minutes_not_hours(demo):
    now = timezone.now()
    ages = [now - handoff.created_at for handoff in Handoff.objects.open()]
    assert timedelta(minutes=2) <= min(ages)
    assert max(ages) < timedelta(minutes=52)


def test_a_second_time_changes_nothing(demo):
    before = [list(model.objects.order_by("pk").values()) for model in EVERYTHING]
    assert history.write(now=timezone.now()) is None
    assert [list(model.objects.order_by("pk").values()) for model in EVERYTHING] == before


@pytest.mark.parametrize("now", ["2026-03-29T00:10:00", "2026-11-01T05:30:00", "2027-01-02T23:55:00"])
def test_it_can_be_made_at_any_time_and_tells_the_same(demo, now):
    told = _told()
    _forget()
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    with sentences.left_out():  # what it says of other sessions is not looked at here, and takes its time
        history.write(now=moment)
    assert not FeedEvent.objects.filter(at__gt=moment).exists()
    assert audit.breaches() == []
    assert _told() == told


def _told():
    """Who did what in which session, without dates, ids and what the playbook said of other sessions."""
    return {
        session.ticket_ref: (
            session.state,
            session.started_by.name,
            [handoff.state for handoff in session.handoffs.all()],
            [(message.kind, message.author_name) for message in session.messages.all()],
        )
        for session in AISession.objects.prefetch_related("messages__author", "handoffs").select_related("started_by")
    }


def _forget():
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE accounts_account CASCADE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
