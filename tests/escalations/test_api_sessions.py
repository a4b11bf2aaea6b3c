"""The sessions' calls: start, read, post, record, escalate, resolve."""

import pytest

from escalations.actions import assessments, sessions, steps
from escalations.models import AISession, Message, TriedStep
from escalations.models.session import TITLE_LENGTH
from tests.factories import HandoffFactory, SessionFactory
from tests.programs import Program, refusal

pytestmark = pytest.mark.django_db

NOWHERE = "00000000-0000-4000-8000-000000000000"
STEP = {"description": "Restarted it", "outcome": "failed"}
ESCALATION = {"intent": "escalate", "reason": "I am stuck."}
ADDITIONS = [
    ("messages", {"body": "Hello"}),
    ("steps", STEP),
    ("handoffs", ESCALATION),
    ("resolve", {"resolution": "x"}),
]


def test_a_session_goes_from_its_start_to_its_resolution_through_the_api_alone(ann, ben):
    ann_s, ben_s = Program(ann), Program(ben)
    session = ann_s.post("/sessions", {"title": "Outlook", "client_name": "Brightwater", "problem": "It asks."}).json()
    here = f"/sessions/{session['id']}"
    assert ann_s.post(f"{here}/messages", {"body": "Error 0x8004011d"}).status_code == 201
    assert ann_s.post(f"{here}/steps", {**STEP, "note": "Still there"}).status_code == 201
    handoff = ann_s.post(f"{here}/handoffs", {**ESCALATION, "priority": "high"}).json()
    assert [waiting["id"] for waiting in ben_s.get("/handoffs?state=waiting").json()["items"]] == [handoff["id"]]
    picked_up = ben_s.post(f"/handoffs/{handoff['id']}/pick-up").json()
    assert picked_up["picked_up_by"] == {"id": str(ben.pk), "name": "Ben Bauer"}
    assert [step["description"] for step in picked_up["snapshot"]["steps"]] == ["Restarted it"]
    assert ben_s.post(f"{here}/messages", {"body": "Cleared the token."}).status_code == 201
    resolved = ben_s.post(f"{here}/resolve", {"resolution": "Cleared the cached token."}).json()
    assert (resolved["state"], resolved["resolution"]) == ("resolved", "Cleared the cached token.")
    assert resolved["resolved_at"] is not None
    closed = ann_s.get(f"/handoffs/{handoff['id']}").json()
    assert (closed["state"], closed["intent"], closed["priority"]) == ("resolved", "escalate", "high")
    assert closed["cursor"] > picked_up["cursor"] > handoff["cursor"] > 0


def test_starting_answers_the_whole_session(ann):
    response = Program(ann).post("/sessions", {"title": "  Printer \n", "client_name": None, "ticket_ref": " "})
    assert response.status_code == 201
    session = AISession.objects.get()
    assert response.json() == {
        "id": str(session.pk),
        "title": "Printer",
        "client_name": "",
        "ticket_ref": "",
        "problem": "",
        "state": "active",
        "holder": {"id": str(ann.pk), "name": "Ann Abel"},
        "started_by": {"id": str(ann.pk), "name": "Ann Abel"},
        "created_at": response.json()["created_at"],
        "resolved_at": None,
        "resolution": "",
        "version": 0,
        "messages": [],
        "steps": [],
    }
    assert response.json()["created_at"].endswith("Z")


def test_a_title_may_be_as_long_as_it_is_stored_and_no_longer(ann):
    assert Program(ann).post("/sessions", {"title": " " + "x" * TITLE_LENGTH}).status_code == 201
    refusal(Program(ann).post("/sessions", {"title": "x" * (TITLE_LENGTH + 1)}), 422)


def test_reading_answers_messages_and_steps_in_their_order(ann, vic):
    session, program = SessionFactory(by=ann), Program(ann)
    posted = program.post(f"/sessions/{session.pk}/messages", {"body": "One\nTwo"}).json()
    recorded = program.post(f"/sessions/{session.pk}/steps", STEP).json()
    program.post(f"/sessions/{session.pk}/handoffs", ESCALATION)
    read = Program(vic).get(f"/sessions/{session.pk}").json()
    assert read["messages"][0] == posted
    assert (posted["number"], posted["author"], posted["by"]["name"]) == (1, "engineer", "Ann Abel")
    assert (posted["body"], posted["sources"]) == ("One\nTwo", [])
    assert [message["author"] for message in read["messages"]] == ["engineer", "system"]
    assert read["steps"] == [recorded]
    assert recorded.keys() == {"id", "description", "outcome", "note", "by", "created_at"}
    assert (recorded["outcome"], recorded["note"]) == ("failed", "")
    assert read["state"] == "escalated"


def test_reading_takes_the_same_queries_for_many_messages(ann, django_assert_max_num_queries):
    session, program = SessionFactory(by=ann), Program(ann)
    for n in range(5):
        program.post(f"/sessions/{session.pk}/messages", {"body": f"{n}"})
    with django_assert_max_num_queries(5):
        assert len(program.get(f"/sessions/{session.pk}").json()["messages"]) == 5


def test_escalating_answers_the_handoff(ann):
    session = SessionFactory(by=ann)
    response = Program(ann).post(f"/sessions/{session.pk}/handoffs", {**ESCALATION, "priority": None})
    assert response.status_code == 201
    handoff = response.json()
    assert (handoff["session_id"], handoff["state"], handoff["priority"]) == (str(session.pk), "waiting", "normal")
    assert (handoff["reason"], handoff["from"]) == ("I am stuck.", {"id": str(ann.pk), "name": "Ann Abel"})
    assert (handoff["assessment_state"], handoff["ai_assessment"], handoff["ai_assessment_data"]) == (
        "pending",
        None,
        None,
    )
    assert handoff == Program(ann).get(f"/handoffs/{handoff['id']}").json()


@pytest.fixture
def suggested(ann, ben):
    """A handoff that ben has, with one suggested step."""
    handoff = HandoffFactory(by=ann, picker=ben)
    step = {"text": "Delete the token", "sources": []}
    assessments.store(handoff, data={"suggested_steps": [step]}, made_by="playbook")
    return handoff


def test_a_message_can_name_the_suggested_step_that_it_started_from_and_how_it_went(suggested, ben):
    here, program = f"/sessions/{suggested.session_id}", Program(ben)
    step = {"handoff_id": str(suggested.pk), "index": 0}
    posted = program.post(f"{here}/messages", {"body": "Delete the token now", "step": step})
    assert posted.status_code == 201
    message = Message.objects.get(pk=posted.json()["id"])
    assert (message.step_handoff, message.step_index, message.step_use) == (suggested, 0, "sent_edited")
    outcome = {"description": "Deleted it", "outcome": "worked", "message_id": str(message.pk)}
    assert program.post(f"{here}/steps", outcome).status_code == 201
    tried = TriedStep.objects.get()
    assert (tried.source_message, tried.step_handoff, tried.step_index) == (message, suggested, 0)
    assert "recorded already: worked" in refusal(program.post(f"{here}/steps", outcome), 409)["detail"]


@pytest.mark.parametrize(
    ("what", "told", "status"),
    [
        ("messages", {"body": "x", "step": {"handoff_id": NOWHERE, "index": 0}}, 404),
        ("messages", {"body": "x", "step": {"handoff_id": "{handoff}", "index": 1}}, 404),
        ("messages", {"body": "x", "step": {"handoff_id": "{handoff}", "index": -1}}, 422),
        ("messages", {"body": "x", "step": {"handoff_id": "{handoff}", "index": "0"}}, 422),
        ("messages", {"body": "x", "step": {"handoff_id": "{handoff}", "index": True}}, 422),
        ("messages", {"body": "x", "step": {"handoff_id": 1, "index": 0}}, 422),
        ("messages", {"body": "x", "step": {"handoff_id": "\x00", "index": 0}}, 422),
        ("messages", {"body": "x", "step": {"index": 0}}, 422),
        ("messages", {"body": "x", "step": []}, 422),
        ("steps", {**STEP, "message_id": NOWHERE}, 404),
        ("steps", {**STEP, "message_id": "garbage"}, 422),
        ("steps", {**STEP, "message_id": 5}, 422),
    ],
)
def test_what_names_no_step_or_message_of_the_session_is_refused(what, told, status, suggested, ben):
    if "step" in told and isinstance(told["step"], dict) and told["step"].get("handoff_id") == "{handoff}":
        told = {**told, "step": {**told["step"], "handoff_id": str(suggested.pk)}}
    refusal(Program(ben).post(f"/sessions/{suggested.session_id}/{what}", told), status)
    assert not TriedStep.objects.exists()
    assert not Message.objects.filter(kind="engineer").exists()


def test_reading_answers_merged_steps_once(ann):
    session = SessionFactory(by=ann)
    first, second = (sessions.record_step(session, by=ann, description="Rebooted", outcome="failed") for _ in range(2))
    steps.merge(first, second, by=ann)
    assert [step["id"] for step in Program(ann).get(f"/sessions/{session.pk}").json()["steps"]] == [str(second.pk)]


def test_a_session_with_an_open_handoff_is_not_escalated_again(ann):
    handoff = HandoffFactory(by=ann)
    refusal(Program(ann).post(f"/sessions/{handoff.session_id}/handoffs", ESCALATION), 409)


@pytest.mark.parametrize(("what", "told"), ADDITIONS)
def test_only_the_holder_adds(what, told, ann, ben):
    session = SessionFactory(by=ann)
    refusal(Program(ben).post(f"/sessions/{session.pk}/{what}", told), 403)
    assert not Message.objects.exists()
    assert Program(ann).post(f"/sessions/{session.pk}/{what}", told).status_code in {200, 201}


@pytest.mark.parametrize(("what", "told"), ADDITIONS)
def test_nothing_is_added_to_a_closed_session(what, told, ann):
    session = sessions.resolve(SessionFactory(by=ann), by=ann, resolution="A new drum.")
    refusal(Program(ann).post(f"/sessions/{session.pk}/{what}", told), 409)


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("steps", {**STEP, "outcome": "sideways"}),
        ("steps", {"outcome": "worked"}),
        ("handoffs", {"reason": "I am stuck."}),
        ("handoffs", {**ESCALATION, "intent": "assign"}),
        ("handoffs", {**ESCALATION, "priority": "whenever"}),
        ("handoffs", {**ESCALATION, "reason": " \n "}),
        ("resolve", {}),
        ("messages", {"body": "x", "author": "copilot"}),
    ],
)
def test_what_the_contract_does_not_know_is_refused(what, told, ann):
    session = SessionFactory(by=ann)
    assert refusal(Program(ann).post(f"/sessions/{session.pk}/{what}", told), 422)["errors"]
