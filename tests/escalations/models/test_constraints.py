"""What must never be is refused by the database itself, whoever writes."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.utils import timezone

from escalations.models import AISession, Assessment, Handoff, Message, TriedStep
from tests.factories import HandoffFactory, SessionFactory

pytestmark = pytest.mark.django_db


def refuses(constraint, write, *args, **kwargs):
    with pytest.raises(DatabaseError, match=constraint), transaction.atomic():
        write(*args, **kwargs)


def takes(write, *args, **kwargs):
    """The database takes it; undone again, because no event goes with it."""
    with transaction.atomic():
        write(*args, **kwargs)
        transaction.set_rollback(True)


def update(row, **fields):
    assert type(row).objects.filter(pk=row.pk).update(**fields) == 1


@pytest.fixture
def waiting(ann):
    return HandoffFactory(by=ann)


@pytest.fixture
def picked_up(ann, ben):
    return HandoffFactory(by=ann, picker=ben)


# Handoffs


def another(handoff, **fields):
    told = {"account": handoff.account, "created_by": handoff.created_by, "reason": "x", "snapshot": {}}
    return Handoff.objects.create(session=handoff.session, **told | fields)


def test_a_session_has_one_open_handoff_at_most(waiting, picked_up):
    refuses("handoff_one_open_per_session", another, waiting)
    refuses("handoff_one_open_per_session", another, picked_up)


def test_a_closed_handoff_leaves_room_for_another(ann):
    takes(another, HandoffFactory(by=ann, taken_back=True))


@pytest.mark.parametrize(
    ("field", "value", "constraint"),
    [
        ("priority", "panic", "handoff_priority_known"),
        ("intent", "forget", "handoff_intent_known"),
        ("state", "lost", "transition"),  # the state machine is asked first
    ],
)
def test_only_known_words_are_kept(field, value, constraint, waiting):
    refuses(constraint, update, waiting, **{field: value})


def test_a_new_handoff_has_a_known_state(ann):
    refuses("handoff_(state_known|picker_iff)", another, HandoffFactory(by=ann, taken_back=True), state="lost")


def test_a_picker_is_there_exactly_while_it_is_picked_up_or_resolved(waiting, picked_up, ben):
    now = timezone.now()
    refuses("handoff_picker_iff_picked_up", update, waiting, state="picked_up")
    refuses("handoff_picker_iff_picked_up", update, waiting, state="picked_up", picked_up_by=ben)
    refuses("handoff_picker_iff_picked_up", update, waiting, picked_up_by=ben, picked_up_at=now)
    refuses("handoff_picker_iff_picked_up", update, picked_up, picked_up_by=None)
    refuses("handoff_picker_iff_picked_up", update, picked_up, picked_up_at=None)
    refuses("handoff_picker_iff_picked_up", update, picked_up, state="waiting")
    takes(update, waiting, state="picked_up", picked_up_by=ben, picked_up_at=now)


def test_the_picker_is_not_the_escalator(picked_up, ann, olga):
    refuses("handoff_picker_is_not_the_escalator", update, picked_up, picked_up_by=ann)
    takes(update, picked_up, picked_up_by=olga)


def test_resolved_and_taken_back_have_their_time_and_nothing_else_has(waiting, picked_up):
    now = timezone.now()
    refuses("handoff_resolved_iff_it_has_a_time", update, picked_up, state="resolved")
    refuses("handoff_resolved_iff_it_has_a_time", update, picked_up, resolved_at=now)
    refuses("handoff_taken_back_iff_it_has_a_time", update, waiting, state="taken_back")
    refuses("handoff_taken_back_iff_it_has_a_time", update, waiting, taken_back_at=now)
    takes(update, picked_up, state="resolved", resolved_at=now)
    takes(update, waiting, state="taken_back", taken_back_at=now)


def test_times_are_in_order(waiting, picked_up):
    earlier = F("created_at") - timedelta(seconds=1)
    refuses("handoff_times_in_order", update, picked_up, picked_up_at=earlier)
    refuses("handoff_times_in_order", update, picked_up, state="resolved", resolved_at=earlier)
    refuses("handoff_times_in_order", update, waiting, state="taken_back", taken_back_at=earlier)
    takes(update, picked_up, picked_up_at=F("created_at"))
    takes(update, waiting, state="taken_back", taken_back_at=F("created_at"))


NOW = timezone.now() + timedelta(hours=1)
STATES = {
    "waiting": {"picked_up_by": None, "picked_up_at": None, "resolved_at": None, "taken_back_at": None},
    "picked_up": {"picked_up_by": "ben", "picked_up_at": NOW, "resolved_at": None, "taken_back_at": None},
    "resolved": {"picked_up_by": "ben", "picked_up_at": NOW, "resolved_at": NOW, "taken_back_at": None},
    "taken_back": {"picked_up_by": None, "picked_up_at": None, "resolved_at": None, "taken_back_at": NOW},
}
LEGAL = {("waiting", "picked_up"), ("waiting", "taken_back"), ("picked_up", "waiting"), ("picked_up", "resolved")}


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_a_handoff_changes_state_only_in_the_known_ways(before, after, ann, ben):
    how = {"taken_back": True} if before == "taken_back" else {"resolved": True} if before == "resolved" else {}
    handoff = HandoffFactory(by=ann, picker=ben if before in {"picked_up", "resolved"} else None, **how)
    fields = STATES[after] | ({"picked_up_by": ben} if STATES[after]["picked_up_by"] else {})
    if before == after or (before, after) in LEGAL:
        takes(update, handoff, state=after, **fields)
    else:
        refuses("Invalid transition", update, handoff, state=after, **fields)


# Sessions


SESSION_LEGAL = {("active", "escalated"), ("escalated", "active"), ("active", "resolved"), ("active", "abandoned")}


@pytest.mark.parametrize("before", AISession.State.values)
@pytest.mark.parametrize("after", AISession.State.values)
def test_a_session_changes_state_only_in_the_known_ways(before, after, ann):
    resolved = {"resolved_at": NOW} if before == "resolved" else {}
    session = AISession.objects.create(account=ann.account, title="x", state=before, **resolved)
    fields = {"state": after, "resolved_at": NOW if after == "resolved" else None}
    if before == after or (before, after) in SESSION_LEGAL:
        takes(update, session, **fields)
    else:
        refuses("Invalid transition", update, session, **fields)


def test_a_session_is_resolved_exactly_if_it_has_a_time(ann):
    session = SessionFactory(by=ann)
    refuses("session_resolved_iff_it_has_a_time", update, session, state="resolved")
    refuses("session_resolved_iff_it_has_a_time", update, session, resolved_at=NOW)
    refuses(
        "session_resolved_after_it_began",
        update,
        session,
        state="resolved",
        resolved_at=F("created_at") - timedelta(seconds=1),
    )


def test_an_unknown_state_of_a_session_is_refused(ann):
    refuses("session_state_known", AISession.objects.create, account=ann.account, title="x", state="lost")


def test_a_session_of_the_past_is_there_once_in_its_account(ann, zoe):
    AISession.objects.create(account=ann.account, title="x", external_id="PSA-1")
    refuses("session_imported_once", AISession.objects.create, account=ann.account, title="x", external_id="PSA-1")
    AISession.objects.create(account=zoe.account, title="x", external_id="PSA-1")


# Messages and steps


def test_numbers_are_there_once_in_a_session(ann):
    session, other = SessionFactory(by=ann), SessionFactory(by=ann)
    told = {"number": 1, "kind": "engineer", "body": "x"}
    Message.objects.create(session=session, **told)
    refuses("message_number_unique", Message.objects.create, session=session, **told)
    Message.objects.create(session=other, **told)
    step = {"position": 1, "description": "x", "outcome": "failed"}
    TriedStep.objects.create(session=session, **step)
    refuses("step_position_unique", TriedStep.objects.create, session=session, **step)
    TriedStep.objects.create(session=other, **step)


def test_kinds_and_outcomes_are_known(ann):
    session = SessionFactory(by=ann)
    refuses("message_kind_known", Message.objects.create, session=session, number=1, kind="ghost", body="x")
    refuses("step_outcome_known", TriedStep.objects.create, session=session, position=1, description="x", outcome="eh")


# Assessments


def test_an_assessment_has_data_exactly_if_it_is_ready(waiting):
    refuses("assessment_data_iff_ready", update, waiting.assessment, state="ready")
    refuses("assessment_data_iff_ready", update, waiting.assessment, data={})
    refuses("assessment_state_known", update, waiting.assessment, state="guessed")
    takes(update, waiting.assessment, state="ready", data={})


def test_a_handoff_has_one_assessment(waiting):
    refuses("escalations_assessment_pkey", Assessment.objects.create, handoff=waiting, deadline=NOW)


# History stays


def delete(table, key):
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE id = %s", [key])  # noqa: S608 its own literals
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_what_has_a_history_cannot_be_deleted(waiting):
    refuses("foreign key", delete, "escalations_handoff", waiting.pk)
    refuses("foreign key", delete, "escalations_aisession", waiting.session_id)
