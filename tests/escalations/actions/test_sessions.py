"""Start, post, record a step, resolve; and the session's version, which counts every change once."""

from datetime import timedelta

import pytest
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from escalations import knowledge
from escalations.actions import assessments, handoffs, sessions
from escalations.actions.refusals import Conflict, NotAllowed
from escalations.models import AISession, FeedEvent, Handoff, Message, TriedStep
from tests.factories import HandoffFactory, SessionFactory
from tests.racing import anew, race

pytestmark = pytest.mark.django_db


@pytest.fixture
def session(ann):
    return SessionFactory(by=ann, problem="")


def jobs_to_answer():
    return [job.args for job in ProcrastinateJob.objects.filter(task_name="escalations.tasks.answer").order_by("id")]


def stored(session):
    return AISession.objects.select_related("holder").get(pk=session.pk)


# Start


def test_starting_puts_a_session_on_ones_own_desk(ann, harbor):
    session = sessions.start(
        harbor, by=ann, title="No Wi-Fi", client_name="Dental", ticket_ref="#1", problem="Since 9."
    )
    kept = stored(session)
    assert (kept.title, kept.client_name, kept.ticket_ref, kept.problem) == ("No Wi-Fi", "Dental", "#1", "Since 9.")
    assert (kept.account, kept.state, kept.holder, kept.started_by) == (harbor, "active", ann, ann)
    assert kept.held_since is not None
    assert list(AISession.objects.for_account(harbor).of(ann)) == [kept]


def test_a_clock_that_runs_ahead_of_the_databases_breaks_no_order_of_times(ann, harbor, monkeypatch):
    ahead = timezone.now() + timedelta(minutes=1)
    monkeypatch.setattr(timezone, "now", lambda: ahead)
    session = sessions.start(harbor, by=ann, title="No Wi-Fi")
    assert session.created_at < ahead
    assert sessions.resolve(session, by=ann, resolution="The cable.").resolved_at >= session.created_at


def test_flowpilot_is_asked_about_the_problem_if_one_is_told(ann):
    told = SessionFactory(by=ann, problem="It loops.")
    SessionFactory(by=ann, problem="")
    assert jobs_to_answer() == [{"session_id": str(told.pk), "message_id": None}]


def test_a_viewer_cannot_start_a_session(vic, ann, harbor):
    with pytest.raises(NotAllowed, match="viewer"):
        sessions.start(harbor, by=vic, title="No Wi-Fi")
    assert not AISession.objects.exists()
    assert sessions.start(harbor, by=ann, title="No Wi-Fi")


def test_somebody_who_left_cannot_start_a_session(ann, harbor):
    ann.is_active = False
    with pytest.raises(NotAllowed):
        sessions.start(harbor, by=ann, title="No Wi-Fi")


# Post


def test_posting_appends_a_numbered_line_and_asks_flowpilot(session, ann):
    lines = [sessions.post(session, by=ann, body=body) for body in ("It says 0x8004011d.", "Still.")]
    assert [(line.number, line.kind, line.author, line.body) for line in session.messages.all()] == [
        (1, "engineer", ann, "It says 0x8004011d."),
        (2, "engineer", ann, "Still."),
    ]
    assert jobs_to_answer() == [{"session_id": str(session.pk), "message_id": str(line.pk)} for line in lines]


def test_nobody_is_asked_where_ai_is_switched_off(session, ann, settings):
    settings.ASSESSMENT_MODEL = "none"
    sessions.post(session, by=ann, body="Hello")
    assert jobs_to_answer() == []


def test_only_the_holder_can_post_and_the_refusal_names_them(session, ann, ben, vic):
    with pytest.raises(NotAllowed, match="Ann Abel has this session since"):
        sessions.post(session, by=ben, body="Let me.")
    with pytest.raises(NotAllowed, match="viewer"):
        sessions.post(session, by=vic, body="Let me.")
    assert not session.messages.exists()
    assert sessions.post(session, by=ann, body="Mine.")


def test_nothing_can_be_added_to_a_resolved_session(ann):
    session = SessionFactory(by=ann, resolved=True)
    lines = session.messages.count()
    with pytest.raises(Conflict, match="This session is resolved"):
        sessions.post(session, by=ann, body="One more.")
    with pytest.raises(Conflict, match="This session is resolved"):
        sessions.record_step(session, by=ann, description="Rebooted", outcome="failed")
    with pytest.raises(Conflict, match="This session is resolved"):
        sessions.resolve(session, by=ann, resolution="Again.")
    assert (session.messages.count(), session.steps.count()) == (lines, 0)


@pytest.mark.parametrize(
    ("body", "use"),
    [("Clear the token", "sent_unchanged"), ("  Clear the token\n", "sent_unchanged"), ("Clear it", "sent_edited")],
)
def test_a_message_remembers_the_suggested_step_that_it_came_from(body, use, ann):
    handoff = HandoffFactory(by=ann)
    step = sessions.SuggestedStep(handoff, 2, "Clear the token")
    message = Message.objects.get(pk=sessions.post(handoff.session, by=ann, body=body, step=step).pk)
    assert (message.step_handoff, message.step_index, message.step_use) == (handoff, 2, use)


def test_a_message_of_ones_own_comes_from_no_step(session, ann):
    message = sessions.post(session, by=ann, body="Hello")
    assert (message.step_handoff, message.step_index, message.step_use) == (None, None, "")


# Answer and tell


def test_an_answer_is_flowpilots_line_with_its_sources(session):
    source = {"kind": "runbook", "id": "vpn", "title": "VPN"}
    message = sessions.answer(session, to=None, body="Try this.", sources=[source])
    assert (message.kind, message.author, message.author_name, message.sources) == (
        "copilot",
        None,
        "FlowPilot",
        [source],
    )


def test_an_answer_that_comes_after_the_end_is_dropped(ann):
    session = SessionFactory(by=ann, resolved=True)
    assert sessions.answer(session, to=None, body="Try this.", sources=[]) is None
    assert not session.messages.filter(kind="copilot").exists()


def test_a_line_by_the_system_has_no_author(session):
    assert sessions.tell(session, body="FlowPilot could not answer.").author_name == "System"


# Record a step


def test_recording_a_step_keeps_who_tried_what_and_how_it_went(session, ann):
    message = sessions.post(session, by=ann, body="Rebooted")
    sessions.record_step(session, by=ann, description="Pinged", outcome="worked")
    sessions.record_step(
        session, by=ann, description="Rebooted", outcome="failed", note="Twice", source_message=message
    )
    first, second = session.steps.all()
    assert (first.position, first.description, first.outcome, first.note) == (1, "Pinged", "worked", "")
    assert (second.position, second.by, second.note, second.source_message) == (2, ann, "Twice", message)


@pytest.mark.parametrize("outcome", TriedStep.Outcome.values)
def test_every_outcome_can_be_recorded(outcome, session, ann):
    assert sessions.record_step(session, by=ann, description="x", outcome=outcome).outcome == outcome


def test_only_the_holder_can_record_a_step(session, ann, ben, vic):
    for who, why in ((ben, "Ann Abel has this session"), (vic, "viewer")):
        with pytest.raises(NotAllowed, match=why):
            sessions.record_step(session, by=who, description="Rebooted", outcome="failed")
    assert not session.steps.exists()
    assert sessions.record_step(session, by=ann, description="Rebooted", outcome="failed")


# Resolve


def test_resolving_closes_the_session_with_what_fixed_it(session, ann):
    resolved = sessions.resolve(session, by=ann, resolution="Deleted the token.")
    kept = stored(session)
    assert (kept.state, kept.resolution, kept.resolved_by) == ("resolved", "Deleted the token.", ann)
    assert kept.resolved_at >= kept.created_at
    assert (resolved.state, resolved.resolution, resolved.resolved_at) == (
        "resolved",
        "Deleted the token.",
        kept.resolved_at,
    )
    assert session.messages.last().body == "Ann Abel resolved the session."


def test_only_the_holder_can_resolve(session, ann, ben, vic):
    for who, why in ((ben, "Ann Abel has this session"), (vic, "viewer")):
        with pytest.raises(NotAllowed, match=why):
            sessions.resolve(session, by=who, resolution="Done.")
    assert stored(session).state == "active"
    assert sessions.resolve(session, by=ann, resolution="Done.").state == "resolved"


def test_the_pickers_resolve_closes_the_handoff(ann, ben):
    handoff = HandoffFactory(by=ann, picker=ben, resolved=True)
    assert (handoff.state, handoff.picked_up_by) == ("resolved", ben)
    assert handoff.resolved_at >= handoff.picked_up_at
    assert handoff.events.first().kind == "handoff_resolved"


def test_the_escalators_resolve_takes_the_waiting_handoff_back(ann, ben):
    handoff = HandoffFactory(by=ann)
    sessions.resolve(handoff.session, by=ann, resolution="It was the cable.")
    closed = Handoff.objects.for_context().get(pk=handoff.pk)
    assert (closed.state, closed.session.state) == ("taken_back", "resolved")
    assert closed.events.first().kind == "handoff_taken_back"
    with pytest.raises(Conflict, match="taken back"):
        handoffs.pick_up(closed, by=ben)


def test_a_session_without_a_handoff_leaves_no_event(session, ann):
    sessions.resolve(session, by=ann, resolution="It was the cable.")
    assert not FeedEvent.objects.exists()


def test_a_resolved_session_is_learned_from_at_once(ann, harbor):
    session = SessionFactory(by=ann, title="Spooler crashes", resolved=True, resolution="Replaced the plotter driver.")
    other = SessionFactory(by=ann)
    assert [past.id for past in knowledge.similar(harbor, "plotter spooler", but=other.pk)] == [str(session.pk)]


# The version


def frames_of(session, published):
    return [(f["type"], f["cursor"]) for group, f in published if group == f"session.{session.pk.hex}"]


def test_every_change_counts_the_version_by_one_and_is_told_once(
    ann, ben, published, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        session = SessionFactory(by=ann, problem="")
        sessions.post(session, by=ann, body="Hello")
        sessions.record_step(session, by=ann, description="Rebooted", outcome="failed")
        sessions.answer(session, to=None, body="Try this.", sources=[])
        handoff = handoffs.escalate(session, by=ann, reason="Stuck.")
        assessments.give_up(handoff, state="timed_out", reason="Too long.", attempt=0)
        assessments.try_again(handoff, by=ann)
        handoffs.pick_up(handoff, by=ben)
        handoffs.release(handoff, by=ben)
        handoffs.take_back(handoff, by=ann)
        handoff = handoffs.escalate(session, by=ann, reason="Stuck again.")
        handoffs.pick_up(handoff, by=ben)
        sessions.tell(session, body="FlowPilot could not answer.")
        sessions.resolve(session, by=ben, resolution="Done.")
    told = frames_of(session, published)
    assert [cursor for _, cursor in told] == list(range(1, stored(session).version + 1))
    assert {kind for kind, _ in told} == {"message_posted", "step_recorded", "session_changed", "handoff_assessed"}
    assert [kind for kind, _ in told][:3] == ["message_posted", "step_recorded", "message_posted"]


def test_a_refused_verb_does_not_count(session, ben, published, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(NotAllowed):
        sessions.post(session, by=ben, body="Let me.")
    assert (stored(session).version, frames_of(session, published)) == (0, [])


@pytest.mark.django_db(transaction=True)
def test_messages_at_the_same_moment_get_different_numbers(ann, published):
    session = SessionFactory(by=ann, problem="")
    for _ in range(5):
        outcomes = race(*[anew(sessions.post, session, by=ann, body="Hello")] * 4)
        assert all(isinstance(outcome, Message) for outcome in outcomes), outcomes
    assert list(session.messages.values_list("number", flat=True)) == list(range(1, 21))
    assert sorted(cursor for _, cursor in frames_of(session, published)) == list(range(1, 21))
