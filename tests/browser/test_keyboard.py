"""From arrival to the first message without a mouse, and the switch that turns the keys off."""

import pytest
from playwright.sync_api import expect

from escalations.actions import sessions
from tests.browser.test_main_path import case
from tests.browser.test_queue import escalate, is_live
from tests.factories import HandoffFactory, SessionFactory


class Keys:
    """Presses keys and counts them; what is typed as text is not counted."""

    def __init__(self, page) -> None:
        self.page = page
        self.pressed = 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.pressed += 1


def test_escalate_pick_up_chip_and_send_take_at_most_twelve_keys(open_as, server, ann, ben):
    known = case("harbor-b.jsonl", "Site-to-site IPsec between head office and yard")
    SessionFactory(by=ben, resolved=True, **{key: known[key] for key in ("title", "problem", "resolution")})
    stuck = case("open.jsonl", "Branch link to head office dies")
    session = SessionFactory(by=ann, **{key: stuck[key] for key in ("title", "problem")})
    anns, bens = open_as(ann, f"/sessions/{session.pk}/"), open_as(ben, "/queue/")
    is_live(bens)
    keys = Keys(anns)
    keys.press("e")
    expect(anns.get_by_role("dialog")).to_be_visible()
    anns.keyboard.type("I am stuck.")
    keys.press("Tab", "Tab", "Enter")
    expect(bens.locator(".card")).to_have_count(1)
    expect(bens.get_by_text("Assessment ready")).to_be_visible()
    keys.page = bens
    keys.press("j", "p")
    expect(bens.get_by_role("heading", name="Start here")).to_be_visible()
    keys.press("c")
    expect(bens.get_by_role("group", name="Suggested steps")).to_be_visible()
    bens.wait_for_load_state()  # nobody sees the chips before their script is there: it holds up the first paint
    keys.press("1", "Enter")
    expect(bens.locator(".log [data-step-index]")).to_have_count(1)
    expect(bens.get_by_label("Message")).to_have_value("")
    assert keys.pressed <= 12


def test_with_the_mouse_two_clicks_lead_from_the_arrival_to_the_composer(open_as, server, ann, ben):
    page = open_as(ben, "/queue/")
    is_live(page)
    escalate(server, ann, "stuck")
    page.get_by_role("button", name="Pick Up").click()
    page.get_by_role("link", name="Continue the session").click()
    expect(page.get_by_label("Message", exact=True)).to_be_in_viewport()


def test_j_and_k_walk_the_cards_and_enter_opens_one(open_as, ann, ben):
    for title in ("first", "second"):
        HandoffFactory(by=ann, session=SessionFactory(by=ann, title=title))
    page = open_as(ben, "/queue/")
    focused = page.locator(".card :focus")
    for key, title in (("j", "first"), ("j", "second"), ("j", "second"), ("k", "first")):
        page.keyboard.press(key)
        expect(focused).to_have_text(title)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Problem summary")).to_be_visible()


def test_p_alone_picks_up_nothing(open_as, ann, ben):
    HandoffFactory(by=ann)
    page = open_as(ben, "/queue/")
    is_live(page)
    page.keyboard.press("p")
    page.keyboard.press("j")
    assert page.url.endswith("/queue/")
    expect(page.locator(".card")).to_have_count(1)


@pytest.mark.parametrize(("place", "path"), [("s", "/sessions/"), ("q", "/queue/"), ("a", "/analytics/escalations/")])
def test_g_and_a_letter_lead_to_the_pages(open_as, olga, place, path):
    page = open_as(olga, "/queue/" if place != "q" else "/sessions/")
    page.keyboard.press("g")
    page.keyboard.press(place)
    page.wait_for_url(f"**{path}")


def test_keys_rest_while_somebody_types_and_can_be_turned_off(open_as, ann, ben):
    page = open_as(ben, "/sessions/")
    page.get_by_label("Title").focus()
    page.keyboard.type("jp?gq")
    expect(page.get_by_label("Title")).to_have_value("jp?gq")
    page.get_by_label("Title").blur()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Use these keys in this browser").uncheck()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("?")
    page.keyboard.press("g")
    page.keyboard.press("q")
    expect(dialog).to_be_hidden()
    page.get_by_label("Ben Bauer: account and sign out").click()
    page.get_by_role("button", name="Keys").click()
    dialog.get_by_label("Use these keys in this browser").check()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("q")
    page.wait_for_url("**/queue/")


def test_a_slash_goes_to_the_search_from_anywhere_and_j_walks_what_it_finds(open_as, ann):
    session = SessionFactory(by=ann, title="Printer offline", problem="")
    message = sessions.post(session, by=ann, body="The spooler hangs. " * 200 + "It says 0x8004011d.")
    SessionFactory(by=ann, title="Another printer", problem="")
    page = open_as(ann, "/queue/")
    page.keyboard.press("/")
    search = page.get_by_role("searchbox", name="Search the sessions")
    expect(search).to_be_focused()
    page.keyboard.type("printer")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="2 sessions with “printer”")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator(":focus")).to_have_text("Printer offline")
    page.keyboard.press("/")
    expect(search).to_be_focused()
    page.keyboard.type("printer 0x8004")  # in place of what was there
    page.keyboard.press("Enter")
    page.get_by_role("link", name="It says 0x8004011d").click()
    expect(page.locator(f"#message-{message.pk}")).to_be_focused()
