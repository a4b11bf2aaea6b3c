"""The page of figures in Chromium: its period, its lists, its chart, what is live in it, narrow and on paper."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.factories import HandoffFactory, SessionFactory
from tests.serving import post

PAGE = "/analytics/escalations/"
NARROW = {"width": 360, "height": 740}


@pytest.fixture
def busy(server, ann, ben):
    for number in range(3):
        HandoffFactory(by=ann, picker=ben, resolved=True, session=SessionFactory(by=ann, title=f"solved {number}"))
    HandoffFactory(by=ann, taken_back=True)
    return HandoffFactory(by=ann, session=SessionFactory(by=ann, title="still waiting"))


def shown_period(page: Page) -> str:
    return page.locator(".segments [aria-current]").inner_text()


def test_the_period_changes_without_a_reload_and_back_leads_back(open_as, busy, olga):
    page = open_as(olga, PAGE)
    page.evaluate("() => { window.name = 'the same page' }")
    assert shown_period(page) == "30 days"
    page.get_by_role("link", name="90 days").click()
    expect(page.get_by_role("heading", name="Conversion by week")).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?period=90d$"))
    page.get_by_role("link", name="7 days").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#trend-table tbody tr")).to_have_count(7)
    expect(page.get_by_role("link", name="7 days")).to_be_focused()
    expect(page.locator("#announced")).to_contain_text("Showing")
    page.go_back()
    expect(page.get_by_role("heading", name="Conversion by week")).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?period=90d$"))
    assert shown_period(page) == "90 days"
    page.reload()
    assert shown_period(page) == "90 days"


def test_an_own_period_and_a_bad_one(open_as, busy, olga):
    page = open_as(olga, PAGE)
    last = page.get_by_label("to", exact=True).input_value()
    page.get_by_label("From").fill(last)
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#trend-table tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile(rf"from={last}&to={last}$"))
    page.get_by_label("From").fill("2019-01-01")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("more than 366 days")
    expect(page.locator("#trend-table tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile(rf"from={last}&to={last}$"))


def test_a_figure_opens_the_escalations_that_it_counts(open_as, busy, olga):
    page = open_as(olga, PAGE)
    conversion = page.get_by_role("region", name="Conversion rate")
    expect(conversion).to_contain_text("100 %")
    conversion.get_by_role("link", name="3").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Conversion rate: those that count")
    expect(page.locator("#opened tbody tr")).to_have_count(3)
    page.get_by_role("link", name="solved 1").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("solved 1")
    page.go_back()
    page.get_by_role("link", name="Escalated ↓").click()
    expect(page.locator("#opened tbody tr").first).to_contain_text("solved 0")


def test_the_chart_has_words_and_a_table_with_the_same_rows(open_as, busy, olga):
    page = open_as(olga, f"{PAGE}?period=7d")
    chart = page.get_by_role("img", name="Conversion rate and escalations by day")
    expect(chart).to_be_visible()
    expect(chart.locator("rect.bar.partial")).to_have_count(1)
    expect(chart.locator("circle.dot")).to_have_count(1)  # one day with a rate between days without
    table = page.get_by_role("table").filter(has_text="Median wait")
    expect(table.get_by_role("row")).to_have_count(8)
    today = table.get_by_role("row").nth(1)
    expect(today).to_contain_text("so far")
    assert today.get_by_role("cell").all_inner_texts()[:3] == ["5", "3", "3"]
    assert table.get_by_role("row").nth(2).get_by_role("cell").all_inner_texts() == ["0", "0", "0", "–", "–"]


def test_the_waiting_are_live(open_as, server, busy, ann, ben, olga):
    page = open_as(olga, PAGE)
    expect(page.locator("[data-connection]")).to_have_attribute("data-connection", "live")
    expect(page.locator("#waiting")).to_contain_text("1 waiting in the queue now, the oldest for")
    session = SessionFactory(by=ann, title="another", problem="")
    post(server, ann, f"/sessions/{session.pk}/escalate/", reason="Stuck.", priority="normal")
    expect(page.locator("#waiting .num")).to_have_text("2")
    for handoff in (busy, session.handoffs.get()):
        post(server, ben, f"/handoffs/{handoff.pk}/pick-up/")
    expect(page.locator("#waiting")).to_have_text("0 waiting in the queue now")
    page.get_by_role("link", name="7 days").click()
    expect(page.locator("#trend-table tbody tr")).to_have_count(7)
    expect(page.locator("#waiting")).to_have_text("0 waiting in the queue now")


@pytest.mark.parametrize(
    ("viewport", "scheme"),
    [({"width": 1280, "height": 860}, "light"), (NARROW, "dark"), (NARROW, "light")],
    ids=["wide", "360 dark", "360"],
)
def test_nothing_for_axe_and_nothing_sticks_out(open_as, busy, olga, scheme, viewport):
    for address in (f"{PAGE}?period=8d", f"{PAGE}handoffs/", f"{PAGE}?from=2020-01-01&to=2020-01-02"):
        page = open_as(olga, address, viewport=viewport, color_scheme=scheme, bypass_csp=True)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{address}: {found.generate_report()}"
        assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0, address
        page.context.close()


def test_on_paper_there_are_figures_and_no_controls(open_as, busy, olga):
    page = open_as(olga, PAGE)
    page.emulate_media(media="print")
    for gone in (".top", ".periods", ".csv"):
        expect(page.locator(gone).first).to_be_hidden()
    for there in ("#figure-conversion_rate", ".chart", "#trend-table", "#people-heading"):
        expect(page.locator(there)).to_be_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_without_scripts_the_period_still_changes(open_as, busy, olga):
    page = open_as(olga, PAGE, java_script_enabled=False)
    page.get_by_role("link", name="7 days").click()
    assert shown_period(page) == "7 days"
    page.get_by_label("From").fill("2019-01-01")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("alert")).to_contain_text("more than 366 days")
    assert shown_period(page) == "7 days"


def test_the_csv_is_downloaded_while_it_is_written(open_as, busy, olga):
    page = open_as(olga, f"{PAGE}handoffs/")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename.startswith("escalations-2")
    lines = download.value.path().read_text().splitlines()
    assert len(lines) == 6
    assert "still waiting" in lines[1]
