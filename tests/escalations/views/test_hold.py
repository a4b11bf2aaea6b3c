"""The lease, the undo and offers, as browsers and programs see and use them."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from escalations.actions import handoffs, leases, offers, sessions
from escalations.models import AISession, Handoff, Offer
from tests.factories import HandoffFactory
from tests.frozen import Clock
from tests.programs import Program, refusal

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
WARNING = "Send a message or record a step within"


@pytest.fixture
def held(ann, ben):
    return HandoffFactory(by=ann, picker=ben)


def address(handoff, rest=""):
    return f"/handoffs/{handoff.pk}/{rest}"


def session_of(handoff):
    return f"/sessions/{handoff.session_id}/"


def fresh(handoff):
    return Handoff.objects.for_context().get(pk=handoff.pk)


def pick_up_was(handoff, **ago):
    """Picked up so long ago; the lease lasts ten minutes."""
    then = timezone.now() - timedelta(**ago)
    Handoff.objects.filter(pk=handoff.pk).update(
        created_at=then - timedelta(minutes=1), picked_up_at=then, lease_ends_at=then + timedelta(minutes=10)
    )


# The warning


@pytest.mark.parametrize("where", [address, session_of])
def test_the_picker_is_warned_on_both_pages_and_nobody_else(where, held, as_user, ben, olga):
    assert WARNING not in as_user(ben).get(where(held)).content.decode(), "first, not before 80 %"
    pick_up_was(held, minutes=8, seconds=30)
    page = as_user(ben).get(where(held)).content.decode()
    words = re.sub("<[^>]+>", "", page)
    assert f"{WARNING} 2 minutes, or this goes back to the queue." in words
    assert re.search(r'role="status" data-region="hold-said">Send a message', page)
    assert WARNING not in as_user(olga).get(where(held)).content.decode()


@pytest.mark.parametrize("where", [address, session_of])
def test_before_it_the_page_knows_when_to_look_and_after_the_first_action_there_is_nothing(where, held, as_user, ben):
    browser = as_user(ben)
    assert "<span data-deadline=" in browser.get(where(held)).content.decode()
    pick_up_was(held, minutes=9)
    browser.post(f"{session_of(held)}messages/", {"body": "I am on it."})
    page = browser.get(where(held)).content.decode()
    assert WARNING not in page
    assert "<span data-deadline=" not in page


def test_what_came_back_says_from_whom(monkeypatch, as_user, ann, ben, olga):
    clock = Clock(monkeypatch)
    held = HandoffFactory(by=ann, picker=ben)
    clock.go_on(minutes=10)
    leases.see_to(held.pk)
    browser = as_user(olga)
    assert "Returned from Ben Bauer" in browser.get("/queue/").content.decode()
    assert "Returned from Ben Bauer" in browser.get(address(held)).content.decode()
    handoffs.pick_up(held, by=olga)
    assert "Returned from Ben Bauer" not in browser.get(address(held)).content.decode()
    handoffs.release(held, by=olga)
    assert "Returned from Ben Bauer" not in browser.get("/queue/").content.decode()


# Undo


def test_the_pick_up_can_be_undone_for_30_seconds(held, as_user, ben, olga):
    browser = as_user(ben)
    assert "data-undo" in browser.get(address(held)).content.decode()
    assert "data-undo" not in as_user(olga).get(address(held)).content.decode()
    answer = browser.post(address(held, "undo/"))
    assert (answer.status_code, answer["Location"]) == (302, "/queue/")
    assert fresh(held).state == "waiting"


def test_undo_is_not_offered_later_or_to_who_has_begun(held, as_user, ben):
    browser = as_user(ben)
    sessions.post(AISession.objects.get(), by=ben, body="I am on it.")
    assert "data-undo" not in browser.get(address(held)).content.decode()
    assert browser.post(address(held, "undo/"), headers=HTMX).status_code == 409
    pick_up_was(held, seconds=31)
    assert "data-undo" not in browser.get(address(held)).content.decode()


# Offers


def offer(held, as_user, ben, olga, **more):
    return as_user(ben).post(address(held, "hand-to/"), {"to": str(olga.pk), "note": "You know it."} | more)


def test_a_colleague_is_asked_on_the_queue_and_on_the_screen(held, as_user, ben, olga, adam):
    answer = offer(held, as_user, ben, olga)
    assert (answer.status_code, answer["Location"]) == (302, address(held))
    for place in ("/queue/", "/queue/offers/", address(held)):
        page = as_user(olga).get(place).content.decode()
        assert "Ben Bauer hands you this" in page, place
        assert address(held, "accept/") in page, place
        assert address(held, "accept/") not in as_user(adam).get(place).content.decode(), place
    assert "You offer it to Olga Owner." in as_user(ben).get(session_of(held)).content.decode()


def test_whom_one_can_choose(held, as_user, ben, olga, adam, vic, ann):
    page = as_user(ben).get(address(held) + "?open=hand-to").content.decode()
    form = page[page.index('id="hand-to-dialog"') :]
    assert re.findall(r"<option[^>]*>([^<]+)<", form) == ["Adam Admin", "Olga Owner"]
    assert 'id="hand-to-dialog"' not in as_user(olga).get(address(held)).content.decode()


def test_accepting_leads_to_the_screen(held, as_user, ben, olga):
    offer(held, as_user, ben, olga)
    answer = as_user(olga).post(address(held, "accept/"), headers=HTMX)
    assert (answer.status_code, answer["HX-Redirect"]) == (204, address(held))
    assert fresh(held).picked_up_by == olga


def test_declining_and_keeping_it(held, as_user, ben, olga):
    offer(held, as_user, ben, olga)
    assert as_user(olga).post(address(held, "decline/"))["Location"] == "/queue/"
    offer(held, as_user, ben, olga)
    assert as_user(ben).post(address(held, "withdraw/"))["Location"] == address(held)
    assert list(Offer.objects.order_by("made_at").values_list("outcome", flat=True)) == ["declined", "withdrawn"]
    assert "hands you" not in as_user(olga).get("/queue/").content.decode()


@pytest.mark.parametrize("to", ["", "x", "00000000-0000-4000-8000-000000000000", "\0"])
def test_a_colleague_who_is_none_is_refused_in_words(to, held, as_user, ben, olga):
    answer = offer(held, as_user, ben, olga, to=to)
    assert answer.status_code == 409
    assert "Choose a colleague" in answer.content.decode()


@pytest.mark.parametrize("verb", ["undo/", "hand-to/", "accept/", "decline/", "withdraw/"])
def test_who_may_not(verb, held, as_user, ben, olga, vic, zoe):
    offers.hand_to(held, by=ben, to=olga)
    assert as_user(ben).get(address(held, verb)).status_code == 405
    assert as_user(vic).post(address(held, verb)).status_code == 403
    assert as_user(zoe).post(address(held, verb)).status_code == 404


# Programs


def test_a_program_undoes(held, ben, olga):
    assert refusal(Program(olga).post(f"/handoffs/{held.pk}/undo"), 403)["detail"].startswith("Ben Bauer has it")
    told = Program(ben).post(f"/handoffs/{held.pk}/undo").json()
    assert (told["state"], told["picked_up_by"], told["picked_up_at"]) == ("waiting", None, None)
    assert "waiting" in refusal(Program(ben).post(f"/handoffs/{held.pk}/undo"), 409)["detail"]


def test_programs_hand_on(held, ben, olga, adam):
    told = Program(ben).post(f"/handoffs/{held.pk}/hand-to", {"to": str(olga.pk), "note": "You know it."})
    assert told.status_code == 201
    assert (told.json()["to"]["name"], told.json()["outcome"]) == ("Olga Owner", "pending")
    assert "only they can answer" in refusal(Program(adam).post(f"/handoffs/{held.pk}/accept"), 403)["detail"]
    assert Program(olga).post(f"/handoffs/{held.pk}/decline").json()["outcome"] == "declined"
    Program(ben).post(f"/handoffs/{held.pk}/hand-to", {"to": str(olga.pk)})
    assert Program(ben).post(f"/handoffs/{held.pk}/withdraw").json()["outcome"] == "withdrawn"
    Program(ben).post(f"/handoffs/{held.pk}/hand-to", {"to": str(olga.pk)})
    told = Program(olga).post(f"/handoffs/{held.pk}/accept").json()
    assert told["picked_up_by"]["name"] == "Olga Owner"


def test_a_program_hands_to_nobody_else(held, ben, zoe):
    assert (
        "Choose a colleague"
        in refusal(Program(ben).post(f"/handoffs/{held.pk}/hand-to", {"to": str(zoe.pk)}), 409)["detail"]
    )
    assert Program(ben).post(f"/handoffs/{held.pk}/hand-to", {"to": 7}).status_code == 422
