"""Calm in Chromium: no card moves under the pointer or the focus; arrivals wait behind a pill; filters."""

from playwright.sync_api import expect

from escalations.actions import handoffs
from tests.browser.test_queue import escalate, is_live
from tests.factories import HandoffFactory, SessionFactory
from tests.serving import post

KEYBOARD = "() => document.activeElement.closest('.card')?.querySelector('h2').textContent.trim()"


def waiting(by, *titles: str, **fields):
    return [HandoffFactory(by=by, session=SessionFactory(by=by, title=title, **fields)) for title in titles]


def top_of(page, handoff) -> float:
    return page.locator(f"#handoff-{handoff.pk}").bounding_box()["y"]


def test_what_arrives_while_somebody_points_at_a_card_waits_behind_a_pill(open_as, server, ann, ben):
    _, second = waiting(ann, "first", "second")
    page = open_as(ben, "/queue/")
    is_live(page)
    page.locator(f"#handoff-{second.pk}").hover()
    before = top_of(page, second)
    for title in ("third", "fourth", "fifth"):
        escalate(server, ann, title)
    pill = page.get_by_role("button", name="3 new")
    expect(pill).to_be_visible()
    expect(page.get_by_role("heading", name="5 escalations awaiting pickup")).to_be_visible()
    assert page.locator(".card:visible").count() == 2
    assert top_of(page, second) == before
    pill.click()
    expect(page.locator(".card:visible")).to_have_count(5)
    expect(pill).to_be_hidden()
    assert page.locator(".card h2").all_text_contents()[:3] == ["fifth", "fourth", "third"]


def test_they_come_by_themselves_once_the_pointer_is_elsewhere(open_as, server, ann, ben):
    (first,) = waiting(ann, "first")
    page = open_as(ben, "/queue/")
    is_live(page)
    page.locator(f"#handoff-{first.pk}").hover()
    escalate(server, ann, "second")
    expect(page.get_by_role("button", name="1 new")).to_be_visible()
    page.get_by_role("heading", level=1).hover()
    expect(page.locator(".card:visible")).to_have_count(2)
    assert page.locator(".card h2").all_text_contents() == ["second", "first"]


def test_what_leaves_above_leaves_its_room_while_somebody_points_below(open_as, server, ann, ben):
    first, _, third = waiting(ann, "first", "second", "third")
    page = open_as(ben, "/queue/")
    is_live(page)
    page.locator(f"#handoff-{third.pk}").hover()
    before = top_of(page, third)
    post(server, ann, f"/handoffs/{first.pk}/take-back/")
    expect(page.locator(".card")).to_have_count(2)
    assert top_of(page, third) == before
    page.get_by_role("heading", level=1).hover()
    page.wait_for_function(
        f"before => document.getElementById('handoff-{third.pk}').getBoundingClientRect().top < before", arg=before
    )


def test_in_a_burst_of_twenty_the_focused_card_stays_and_is_the_same(open_as, server, ann, ben):
    (first,) = waiting(ann, "the focused one")
    page = open_as(ben, "/queue/")
    is_live(page)
    page.keyboard.press("j")
    assert page.evaluate(KEYBOARD) == "the focused one"
    before = top_of(page, first)
    for number in range(20):
        handoffs.escalate(SessionFactory(by=ann, title=f"{number}"), by=ann, reason="Stuck.", priority="normal")
    expect(page.get_by_role("heading", level=1)).to_have_text("21 escalations awaiting pickup", timeout=20_000)
    expect(page.get_by_role("button", name="20 new")).to_be_visible()
    assert page.evaluate(KEYBOARD) == "the focused one"
    assert top_of(page, first) == before


def test_the_filter_stands_in_the_address_and_holds_for_what_arrives(open_as, server, ann, ben):
    waiting(ann, "printer", client_name="Brightwater Dental")
    waiting(ann, "mail", client_name='Acme & Söhne "GmbH"')
    page = open_as(ben, "/queue/")
    is_live(page)
    page.get_by_label("Client").select_option('Acme & Söhne "GmbH"')
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_text("1 of 2 shown")).to_be_visible()
    assert page.locator(".card:visible h2").all_text_contents() == ["mail"]
    is_live(page)
    escalate(server, ann, "nobody's")
    expect(page.get_by_text("1 of 3 shown")).to_be_visible()
    assert page.locator(".card:visible h2").all_text_contents() == ["mail"]
    page.goto(server.url + "/queue/?priority=urgent")
    expect(page.get_by_text("Nothing that waits is like that.")).to_be_visible()
    page.get_by_role("link", name="Show all").first.click()
    expect(page.locator(".card:visible")).to_have_count(3)


def test_mine_are_those_that_i_escalated(open_as, ann, ben):
    waiting(ann, "ann's")
    waiting(ben, "ben's")
    page = open_as(ben, "/queue/?mine=1")
    assert page.locator(".card:visible h2").all_text_contents() == ["ben's"]
