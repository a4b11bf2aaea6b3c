"""The handoffs' calls: list, read, pick up, release, take back."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from escalations.actions import assessments
from escalations.models import Feedback, Handoff
from tests.factories import HandoffFactory
from tests.programs import Program, refusal

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(ann) -> Handoff:
    return HandoffFactory(by=ann)


def ids(response) -> list[str]:
    return [handoff["id"] for handoff in response.json()["items"]]


# List


def test_the_list_is_the_accounts_oldest_first(ann, ben, zoe):
    handoffs = [HandoffFactory(by=ann), HandoffFactory(by=ben, picker=ann), HandoffFactory(by=ann)]
    HandoffFactory(by=zoe)
    listed = Program(ben).get("/handoffs")
    assert ids(listed) == [str(handoff.pk) for handoff in handoffs]
    assert listed.json()["count"] == 3


def test_the_list_is_narrowed_to_a_state(ann, ben):
    in_state = {
        "waiting": HandoffFactory(by=ann),
        "picked_up": HandoffFactory(by=ann, picker=ben),
        "resolved": HandoffFactory(by=ann, picker=ben, resolved=True),
        "taken_back": HandoffFactory(by=ann, taken_back=True),
    }
    for state, handoff in in_state.items():
        listed = Program(ben).get(f"/handoffs?state={state}")
        assert ids(listed) == [str(handoff.pk)]
        assert listed.json()["count"] == 1


def test_the_list_comes_in_pages(ann):
    handoffs = [str(HandoffFactory(by=ann).pk) for _ in range(3)]
    program = Program(ann)
    assert ids(program.get("/handoffs?limit=2")) == handoffs[:2]
    assert ids(program.get("/handoffs?limit=2&offset=2")) == handoffs[2:]
    beyond = program.get("/handoffs?offset=1000000")
    assert (ids(beyond), beyond.json()["count"]) == ([], 3)


@pytest.mark.parametrize(
    "query",
    [
        *("state=open", "state=", "state=WAITING", "state=%00", "state=waiting%00", "state=%ED%A0%80"),
        *("limit=0", "limit=201", "limit=-1", "limit=x", "limit=", "limit=1.5", "limit=1e3", "limit=NaN", "limit=%00"),
        *("offset=-1", "offset=1000001", "offset=" + "9" * 30, "offset=" + "9" * 5000, "offset=true", "offset=[]"),
        *("status=waiting", "state=waiting&nonsense=1", "%00=1", "%ED%A0%80=1", "limit[]=1"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(query, waiting, ann):
    assert refusal(Program(ann).get(f"/handoffs?{query}"), 422)["errors"]


def test_a_query_with_too_many_fields_is_refused(ann):
    refusal(Program(ann).get("/handoffs?" + "&".join(f"x{n}=1" for n in range(2000))), 400)


def test_the_list_takes_the_same_queries_for_many(ann, ben):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert program.get("/handoffs").status_code == 200
        return len(captured)

    program = Program(ben)
    HandoffFactory(by=ann)
    program.get("/handoffs")  # notes the use of the token
    of_one = queries()
    for _ in range(4):
        HandoffFactory(by=ann, picker=ben)
    assert queries() == of_one


# Read


def test_an_assessed_handoff_has_its_summary_in_words_and_the_whole_as_data(waiting, ben):
    data = {"summary_prose": "The token loops.", "what_we_know": [], "confidence": "low"}
    assessments.store(waiting, data=data, made_by="playbook")
    read = Program(ben).get(f"/handoffs/{waiting.pk}").json()
    assert (read["ai_assessment"], read["ai_assessment_data"], read["assessment_state"]) == (
        "The token loops.",
        data,
        "ready",
    )


# Pick up, release, take back


def test_picking_up_wins_and_may_be_asked_again(waiting, ben):
    program = Program(ben)
    won = program.post(f"/handoffs/{waiting.pk}/pick-up")
    assert won.status_code == 200
    assert (won.json()["state"], won.json()["picked_up_by"]["name"]) == ("picked_up", "Ben Bauer")
    again = program.post(f"/handoffs/{waiting.pk}/pick-up", {})
    assert (again.status_code, again.json()) == (200, won.json())


def test_the_loser_of_a_pick_up_learns_who_won_and_when(waiting, ben, olga):
    won = Program(ben).post(f"/handoffs/{waiting.pk}/pick-up").json()
    said = refusal(Program(olga).post(f"/handoffs/{waiting.pk}/pick-up"), 409)
    assert said.keys() == {"detail", "picked_up_by", "picked_up_at"}
    assert said["picked_up_by"] == {"id": str(ben.pk), "name": "Ben Bauer"}
    assert said["picked_up_at"] == won["picked_up_at"]


def test_ones_own_escalation_is_not_picked_up(waiting, ann):
    refusal(Program(ann).post(f"/handoffs/{waiting.pk}/pick-up"), 403)


@pytest.mark.parametrize("closed", ["resolved", "taken_back"])
def test_a_closed_handoff_is_not_picked_up(closed, ann, ben, olga):
    handoff = HandoffFactory(by=ann, picker=ben if closed == "resolved" else None, **{closed: True})
    refusal(Program(olga).post(f"/handoffs/{handoff.pk}/pick-up"), 409)


def test_releasing_puts_it_back(ann, ben, olga):
    handoff = HandoffFactory(by=ann, picker=ben)
    refusal(Program(olga).post(f"/handoffs/{handoff.pk}/release"), 403)
    released = Program(ben).post(f"/handoffs/{handoff.pk}/release")
    assert (released.status_code, released.json()["state"]) == (200, "waiting")
    assert (released.json()["picked_up_by"], released.json()["picked_up_at"]) == (None, None)
    refusal(Program(ben).post(f"/handoffs/{handoff.pk}/release"), 409)


def test_taking_back_recalls_it(waiting, ann, ben):
    refusal(Program(ben).post(f"/handoffs/{waiting.pk}/take-back"), 403)
    taken = Program(ann).post(f"/handoffs/{waiting.pk}/take-back")
    assert (taken.status_code, taken.json()["state"]) == (200, "taken_back")
    refusal(Program(ann).post(f"/handoffs/{waiting.pk}/take-back"), 409)


def test_taking_back_too_late_tells_who_has_it(ann, ben):
    handoff = HandoffFactory(by=ann, picker=ben)
    said = refusal(Program(ann).post(f"/handoffs/{handoff.pk}/take-back"), 409)
    assert said["picked_up_by"]["name"] == "Ben Bauer"


# Feedback


def test_the_picker_judges_the_assessment_and_the_last_vote_counts(ann, ben):
    handoff = HandoffFactory(by=ann, picker=ben)
    assessments.store(handoff, data={"suggested_steps": []}, made_by="playbook")
    program, here = Program(ben), f"/handoffs/{handoff.pk}/feedback"
    assert program.post(here, {"helpful": True, "why": " It was the token. "}).status_code == 200
    last = program.post(here, {"helpful": False}).json()
    assert last == {
        "helpful": False,
        "why": "",
        "by": {"id": str(ben.pk), "name": "Ben Bauer"},
        "at": last["at"],
    }
    assert Feedback.objects.count() == 1


@pytest.mark.parametrize(
    "told",
    [
        *(None, {}, {"helpful": "yes"}, {"helpful": 1}, {"helpful": None}, {"helpful": True, "vote": 1}),
        *({"helpful": True, "why": "x" * 501}, {"helpful": True, "why": "a\x00b"}, {"helpful": True, "why": 1}),
    ],
)
def test_a_vote_that_is_none_is_refused(told, ann, ben):
    handoff = HandoffFactory(by=ann, picker=ben)
    assessments.store(handoff, data={"suggested_steps": []}, made_by="playbook")
    refusal(Program(ben).post(f"/handoffs/{handoff.pk}/feedback", told), 422)
    assert not Feedback.objects.exists()


def test_who_may_judge(ann, ben, olga, vic, zoe):
    handoff = HandoffFactory(by=ann, picker=ben)
    here = f"/handoffs/{handoff.pk}/feedback"
    refusal(Program(ben).post(here, {"helpful": True}), 409)
    assessments.store(handoff, data={"suggested_steps": []}, made_by="playbook")
    for who, status in ((ann, 403), (olga, 403), (vic, 403), (zoe, 404), (None, 401)):
        refusal(Program(who).post(here, {"helpful": True}), status)
    assert not Feedback.objects.exists()
