"""What is written and not sent outlives a reload, a sign-out and a lost claim; what was sent never comes back."""

import re
import threading

import pytest
from playwright.sync_api import expect

from escalations.actions import drafts, handoffs
from escalations.models import AISession, Draft
from tests.factories import HandoffFactory, SessionFactory
from tests.serving import cookie_of


def box(page):
    return page.get_by_label("Message", exact=True)


@pytest.fixture
def session(server, ann, harbor) -> AISession:
    harbor.ai = "none"  # nobody answers
    harbor.save()
    return SessionFactory(by=ann)


def is_draft(answer):
    return answer.url.endswith("/draft/")


def test_a_draft_outlives_a_reload_and_a_sign_out(open_as, server, session, ann):
    page = open_as(ann, f"/sessions/{session.pk}/")
    with page.expect_response(is_draft):
        box(page).fill("half a thought")
    page.reload()
    expect(box(page)).to_have_value("half a thought")
    expect(page.get_by_text(re.compile(r"Draft from \d\d:\d\d kept"))).to_be_visible()
    box(page).press("End")
    page.keyboard.type(" and more")
    page.get_by_role("button", name="Resolve", exact=True).click()  # leaving the field saves it at once
    page.get_by_label("What fixed it").fill("Deleted the token")
    with page.expect_response(is_draft):
        page.keyboard.press("Escape")
    page.locator(".me summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("/login/"))
    page.context.add_cookies([{"name": "sessionid", "value": cookie_of(ann), "url": server.url}])
    page.goto(f"{server.url}/sessions/{session.pk}/?open=resolve")
    expect(page.get_by_label("What fixed it")).to_have_value("Deleted the token")
    expect(box(page)).to_have_value("half a thought and more")
    page.get_by_role("button", name="Mark as resolved").click()
    expect(page.get_by_text("This session is resolved")).to_be_visible()
    assert {field: kept.text for field, kept in drafts.of(session, by=ann).items()} == {
        "message": "half a thought and more", "reason": "", "resolution": "",
    }  # fmt: skip


def test_what_was_sent_does_not_come_back_with_a_save_that_was_under_way(open_as, session, ann):
    page = open_as(ann, f"/sessions/{session.pk}/")
    held, let_go = [], threading.Event()
    page.route("**/draft/", lambda route: route.continue_() if let_go.is_set() else held.append(route))
    box(page).fill("half a thought")
    page.wait_for_event("request", is_draft)
    box(page).press("Enter")
    expect(page.get_by_role("log")).to_contain_text("half a thought")
    expect(box(page)).to_have_value("")
    let_go.set()
    for route in held:
        with page.expect_response(lambda answer: is_draft(answer) and answer.status == 409):
            route.continue_()
    page.reload()
    expect(box(page)).to_have_value("")
    with page.expect_response(lambda answer: is_draft(answer) and answer.status == 204):
        box(page).fill("the next thought")
    assert drafts.of(session, by=ann)["message"].text == "the next thought"


def test_a_draft_that_came_with_the_page_is_gone_after_it_was_sent(open_as, session, ann):
    drafts.keep(session, by=ann, field="message", text="half a thought", sent=0, page="p", turn=1)
    page = open_as(ann, f"/sessions/{session.pk}/")
    box(page).press("Enter")
    expect(page.get_by_role("log")).to_contain_text("half a thought")
    expect(box(page)).to_have_value("")
    expect(page.get_by_text("Draft from")).to_have_count(0)
    box(page).fill("and the next")
    box(page).press("Enter")
    expect(page.get_by_role("log")).to_contain_text("and the next")
    page.reload()
    expect(box(page)).to_have_value("")
    assert not Draft.objects.exclude(sealed="").exists()


def test_a_lost_claim_leaves_the_draft_to_be_copied_and_it_comes_back_with_the_session(open_as, session, ann, ben):
    handoff = HandoffFactory(by=ann, session=session)
    page = open_as(ann, f"/sessions/{session.pk}/", permissions=["clipboard-read", "clipboard-write"])
    expect(page.locator("[data-connection]")).to_have_attribute("data-connection", "live")
    box(page).fill("One more thing that I saw")
    bens = open_as(ben, f"/handoffs/{handoff.pk}/")
    bens.get_by_role("button", name="Pick Up").click()
    unsent = page.get_by_role("region", name="Your unsent draft")
    expect(unsent.get_by_role("textbox")).to_have_value("One more thing that I saw")
    expect(unsent.get_by_role("textbox")).not_to_be_editable()
    unsent.get_by_role("button", name="Copy").click()
    expect(unsent.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "One more thing that I saw"
    bens.get_by_role("link", name="Continue the session").click()
    expect(bens.get_by_label("Message", exact=True)).to_have_value("")
    bens.get_by_role("button", name="Put back").click()
    expect(box(page)).to_have_value("One more thing that I saw")
    expect(unsent).to_have_count(0)
    handoff.refresh_from_db()
    handoffs.pick_up(handoff, by=ben)
    unsent.get_by_role("button", name="Discard").click()
    expect(unsent).to_have_count(0)


def test_what_is_typed_while_a_message_is_under_way_stays_and_is_kept(open_as, session, ann):
    page = open_as(ann, f"/sessions/{session.pk}/")
    held = []
    page.route("**/messages/", lambda route: held.append(route))
    box(page).fill("The cable was loose.")
    with page.expect_request("**/messages/"):
        box(page).press("Enter")
    page.keyboard.type(" It is the")
    with page.expect_response(is_draft):
        held[0].continue_()
        expect(box(page)).to_have_value("It is the")
    page.keyboard.type(" red one.")
    expect(box(page)).to_have_value("It is the red one.")
    assert [message.body for message in session.messages.filter(kind="engineer")] == ["The cable was loose."]
    assert drafts.of(session, by=ann)["message"].text.startswith("It is the")


def test_the_next_step_can_be_typed_while_the_last_one_is_under_way(open_as, session, ann):
    page = open_as(ann, f"/sessions/{session.pk}/")
    held = []
    page.route("**/steps/", lambda route: held.append(route))
    step, note = page.get_by_label("Step", exact=True), page.get_by_label("Note")
    step.fill("Restarted the broker")
    note.fill("no change")
    with page.expect_request("**/steps/"):
        page.get_by_role("button", name="Record a step").click()
    step.fill("Restarted the broker again")
    held[0].continue_()
    expect(note).to_have_value("")
    expect(step).to_have_value("Restarted the broker again")
    expect(page.locator("#steps > li")).to_have_count(1)
