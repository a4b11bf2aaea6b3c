"""Owners measure hand-offs by phone with the page's stopwatch, and see what repeats; in Chromium."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from analytics import phone
from analytics.models import PhoneHandOff
from tests.factories import HandoffFactory, SessionFactory

PAGE = "/analytics/escalations/"
NARROW = {"width": 360, "height": 740}
LONG = "Kraftfahrzeughaftpflichtversicherungsgesellschaft_without_any_place_to_break_" * 2


@pytest.fixture
def measured(server, ann, ben, olga):
    """Four samples, and three escalations that ben resolved in the same words."""
    for number in range(3):
        session = SessionFactory(by=ann, title=f"{LONG}{number}", client_name=LONG[:100])
        HandoffFactory(by=ann, picker=ben, resolved=True, session=session)
    return [phone.add(olga.account, by=olga, seconds=280, note=LONG) for _ in range(4)]


def test_the_stopwatch_fills_in_what_it_measured(open_as, measured, olga):
    page = open_as(olga, "/sessions/")
    page.clock.install()
    page.goto(page.url.replace("/sessions/", PAGE))
    section = page.get_by_role("region", name="Hand-offs by phone, measured")
    expect(section).to_contain_text("Not measured: 4 of 5 samples.")
    section.get_by_role("button", name="Start").click()
    page.clock.run_for(290_000)
    expect(section.get_by_role("timer")).to_have_text("4:50")
    section.get_by_role("button", name="Stop").click()
    add = section.get_by_role("button", name="Add the sample")
    expect(add).to_be_focused()
    expect(section.get_by_label("Minutes")).to_have_value("4")
    expect(section.get_by_label("Seconds")).to_have_value("50")
    section.get_by_label("Note").fill("VPN")
    add.click()
    expect(section).not_to_contain_text("Not measured")
    expect(section).to_contain_text("4min40s")
    expect(section).to_contain_text("n = 5")
    assert PhoneHandOff.objects.latest("at").seconds == 290
    section.get_by_text("5 samples").scroll_into_view_if_needed()
    section.get_by_role("link", name="Remove the sample of 4 min 50 s").click()
    page.get_by_role("button", name="Remove it").click()
    expect(section).to_contain_text("Not measured: 4 of 5 samples.")


def test_another_period_brings_its_figures_and_leaves_the_stopwatch_running(open_as, measured, olga):
    phone.add(olga.account, by=olga, seconds=280)
    page = open_as(olga, PAGE)
    section = page.get_by_role("region", name="Hand-offs by phone, measured")
    section.get_by_role("button", name="Start").click()
    before = section.locator("#baseline").inner_text()
    page.get_by_role("link", name="7 days").click()
    expect(page.locator("#announced")).to_contain_text("Showing")
    expect(section.locator("#baseline")).not_to_have_text(before)
    expect(section.locator("#baseline")).to_have_count(1)
    section.get_by_role("button", name="Stop").click()
    expect(section.get_by_label("Seconds")).not_to_have_value("0")


def test_it_is_typed_without_scripts(open_as, server, olga):
    page = open_as(olga, PAGE, java_script_enabled=False)
    expect(page.get_by_role("button", name="Start")).to_be_hidden()
    page.get_by_label("Minutes").fill("4")
    page.get_by_label("Note").fill("VPN")
    page.get_by_role("button", name="Add the sample").click()
    expect(page.locator("#phone")).to_contain_text("Not measured: 1 of 5 samples.")
    expect(page.locator("#phone")).to_contain_text("VPN")


@pytest.mark.parametrize(("viewport", "scheme"), [({"width": 1280, "height": 860}, "light"), (NARROW, "dark")])
def test_nothing_for_axe_and_nothing_sticks_out(open_as, measured, olga, viewport, scheme):
    few = open_as(olga, PAGE, viewport=viewport, color_scheme=scheme, bypass_csp=True)
    expect(few.get_by_text("Not measured")).to_be_visible()
    phone.add(olga.account, by=olga, seconds=280)
    for address in (PAGE, "/analytics/causes/", f"/analytics/phone/{measured[0].pk}/remove/"):
        page = open_as(olga, address, viewport=viewport, color_scheme=scheme, bypass_csp=True)
        if "causes" in address:
            page.get_by_text("These 3 sessions").click()
        found = Axe().run(page)
        assert found.violations_count == 0, f"{address}: {found.generate_report()}"
        assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0, address
        page.context.close()
