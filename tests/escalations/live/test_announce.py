"""What goes out after a commit: the frames, and the way from the committing thread to the serving loop."""

import asyncio
import json
import logging
import threading
import time

import pytest
from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import InMemoryChannelLayer, channel_layers, get_channel_layer
from django.utils import timezone

from escalations.actions import assessments, handoffs, leases, sessions
from escalations.live import announce, groups, transport
from escalations.live.hub import Hub, Mailbox
from tests.factories import HandoffFactory, SessionFactory
from tests.frozen import Clock


@pytest.fixture
def told(published, django_capture_on_commit_callbacks):
    """`told(verb, …)`: what the verb announced, as (group, frame)."""

    def run(verb, *args, **kwargs):
        published.clear()
        with django_capture_on_commit_callbacks(execute=True):
            verb(*args, **kwargs)
        json.dumps(published)
        return list(published)

    return run


def frame_of(frames, kind):
    (found,) = [frame for _, frame in frames if frame["type"] == kind]
    return found


# Frames


@pytest.mark.django_db
def test_an_escalation_brings_its_card_and_a_pick_up_takes_it_away(told, ann, ben, harbor):
    session = SessionFactory(by=ann, problem="")
    frames = told(handoffs.escalate, session, by=ann, reason="Stuck.")
    handoff = session.handoffs.get()
    assert frames[-1] == (
        groups.queue_of(harbor.pk),
        {
            "type": "handoff_created",
            "cursor": 1,
            "handoff": str(handoff.pk),
            "html": frame_of(frames, "handoff_created")["html"],
        },
    )
    assert f'<li class="card" id="handoff-{handoff.pk}"' in frames[-1][1]["html"]
    assert frame_of(told(handoffs.pick_up, handoff, by=ben), "handoff_picked_up")["html"] == ""
    assert f'id="handoff-{handoff.pk}"' in frame_of(told(handoffs.release, handoff, by=ben), "handoff_released")["html"]
    assert frame_of(told(handoffs.take_back, handoff, by=ann), "handoff_taken_back")["html"] == ""


@pytest.mark.django_db
def test_a_frame_says_that_a_pick_up_was_undone_and_from_whom_a_lease_returned_one(told, monkeypatch, ann, ben):
    clock = Clock(monkeypatch)
    handoff = HandoffFactory(by=ann)
    picked_up = frame_of(told(handoffs.pick_up, handoff, by=ben), "handoff_picked_up")
    undone = frame_of(told(handoffs.undo, handoff, by=ben), "handoff_released")
    assert (set(undone) - set(picked_up), undone["undone"]) == ({"undone"}, True)
    handoffs.pick_up(handoff, by=ben)
    clock.go_on(minutes=10)
    returned = frame_of(told(leases.see_to, handoff.pk), "handoff_released")
    assert (set(returned) - set(picked_up), returned["returned_from"]) == ({"returned_from"}, str(ben.pk))


@pytest.mark.django_db
def test_a_frame_shows_the_state_as_it_is_now_not_as_it_was(ann, ben, published, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        HandoffFactory(by=ann, picker=ben)
    assert frame_of(published, "handoff_created")["html"] == ""


@pytest.mark.django_db
def test_a_message_and_a_step_come_as_the_page_has_them(told, ann, as_user):
    session = SessionFactory(by=ann, problem="")
    message = frame_of(told(sessions.post, session, by=ann, body="It says 0x8004011d."), "message_posted")
    step = frame_of(
        told(sessions.record_step, session, by=ann, description="Rebooted", outcome="failed"), "step_recorded"
    )
    page = as_user(ann).get(f"/sessions/{session.pk}/").content.decode()
    assert message["html"].strip() in page
    assert step["html"].strip() in page
    assert (message["cursor"], step["cursor"]) == (1, 2)


@pytest.mark.django_db
def test_an_assessment_reaches_the_queue_and_the_screens_of_its_session(told, ann, harbor):
    handoff = HandoffFactory(by=ann)
    frames = told(assessments.give_up, handoff, state="failed", reason="It broke.", attempt=0)
    by_group = dict(frames)
    on_screen = by_group[groups.session(handoff.session_id)]
    assert on_screen["handoff"] == str(handoff.pk)
    assert "It broke." in on_screen["html"]
    assert f'id="assessment-{handoff.pk}"' in on_screen["html"]
    assert "Assessment unavailable" in by_group[groups.queue_of(harbor.pk)]["html"]


@pytest.mark.django_db
def test_a_change_of_holder_looks_different_for_everyone_and_carries_no_html(told, ann, ben):
    handoff = HandoffFactory(by=ann)
    changed = frame_of(told(handoffs.pick_up, handoff, by=ben), "session_changed")
    assert set(changed) == {"type", "cursor"}


@pytest.mark.django_db
def test_no_frame_carries_a_token_or_a_relative_time(told, ann, ben):
    handoff = HandoffFactory(by=ann)
    frames = told(sessions.post, handoff.session, by=ann, body="Hello")
    frames += told(assessments.store, handoff, data={"suggested_steps": []}, made_by="playbook")
    frames += told(handoffs.pick_up, handoff, by=ben)
    for _, frame in frames:
        assert "csrf" not in str(frame)
        assert " ago" not in frame.get("html", "")


@pytest.mark.django_db
def test_times_are_in_the_accounts_zone_wherever_it_is_rendered(told, ann, harbor):
    harbor.time_zone = "Asia/Kolkata"
    harbor.save()
    session = SessionFactory(by=ann, problem="")
    with timezone.override("America/New_York"):
        assert "+05:30" in frame_of(told(sessions.post, session, by=ann, body="Hello"), "message_posted")["html"]


def test_an_id_names_the_same_group_as_text_and_as_uuid(harbor):
    assert groups.queue_of(harbor.pk) == groups.queue_of(str(harbor.pk)) == groups.queue_of(harbor.pk.hex)
    assert groups.session(harbor.pk) == groups.session(str(harbor.pk)) != groups.queue_of(harbor.pk)


# The way


@pytest.fixture
def layer(monkeypatch):
    monkeypatch.setitem(channel_layers.backends, DEFAULT_CHANNEL_LAYER, InMemoryChannelLayer())
    yield get_channel_layer()
    transport._serving_loop = None


def test_a_frame_goes_from_any_thread_to_the_sockets_of_the_serving_loop(layer):
    async def scenario():
        transport.serve_from(asyncio.get_running_loop())
        box = Mailbox()
        await Hub().join("queue.harbor", box)
        frame = {"type": "handoff_created", "cursor": 1, "html": "<li>“ü”</li>"}
        threading.Thread(target=transport.publish, args=["queue.harbor", frame]).start()
        assert json.loads(await asyncio.wait_for(box.get(), timeout=2)) == frame

    asyncio.run(scenario())


def test_publishing_never_waits_for_the_layer(layer, monkeypatch, caplog):
    async def scenario():
        released = asyncio.Event()

        async def hang(group, message):
            await released.wait()

        monkeypatch.setattr(layer, "group_send", hang)
        transport.serve_from(asyncio.get_running_loop())
        await asyncio.wait_for(asyncio.to_thread(transport.publish, "queue.harbor", {"cursor": 1}), timeout=1)
        released.set()
        await asyncio.sleep(0.01)

    asyncio.run(scenario())


def test_a_layer_that_fails_is_logged_and_raises_nowhere(layer, monkeypatch, caplog):
    async def scenario():
        async def fail(group, message):
            raise ConnectionRefusedError

        monkeypatch.setattr(layer, "group_send", fail)
        transport.serve_from(asyncio.get_running_loop())
        with caplog.at_level(logging.WARNING, logger="escalations.live.transport"):
            await asyncio.to_thread(transport.publish, "queue.harbor", {"cursor": 1})
            async with asyncio.timeout(5):
                while "heartbeats mend it" not in caplog.text:
                    await asyncio.sleep(0.01)

    asyncio.run(scenario())


def test_without_sockets_in_this_process_nothing_is_sent(layer, monkeypatch):
    monkeypatch.setattr(layer, "group_send", None)
    transport._serving_loop = None
    transport.publish("queue.harbor", {"cursor": 1})


def test_a_process_without_sockets_sends_through_a_shared_layer(monkeypatch):
    """A worker apart from the web, with Redis."""
    sent = []

    class Shared:
        async def group_send(self, group, message):
            sent.append((group, message["cursor"], json.loads(message["text"])))

    monkeypatch.setattr(transport, "get_channel_layer", Shared)
    monkeypatch.setattr(transport, "_serving_loop", None)
    announce.session_changed("00000000-0000-4000-8000-000000000000", 3)
    until = time.monotonic() + 5
    while not sent and time.monotonic() < until:  # it goes out in a thread of its own
        time.sleep(0.01)
    assert sent == [("session.00000000000040008000000000000000", 3, {"type": "session_changed", "cursor": 3})]
