"""A rehearsal in a demonstration that runs: begun on the login page, seen in the queue, raced by the rival, stopped."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as ours
from playwright.sync_api import expect

from resolutionflow.demo import running
from tests.browser.test_pages import NARROW
from tests.serving import Server


@pytest.fixture(scope="module")
def server_process(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[Server]:
    """In a data directory with the mark of a demonstration."""
    place = tmp_path_factory.mktemp("demo")
    (place / "demo").write_text("")
    with django_db_blocker.unblock():
        server = Server(RESOLUTIONFLOW_DATA_DIR=str(place), SECRET_KEY=ours.SECRET_KEY).start()
    yield server
    server.stop()


@pytest.fixture
def demo(server, ann, ben, olga, settings) -> Iterator[None]:
    settings.DEMO = True
    yield
    running.stop()


def test_it_begins_on_the_login_page_arrives_in_the_queue_and_is_stopped_there(open_as, server, demo, ben):
    stranger = open_as(None, "/login/")
    bens = open_as(ben, "/queue/")
    expect(bens.locator("[data-connection]")).to_have_attribute("data-connection", "live")
    stranger.get_by_role("button", name="Rehearse: five minutes").click()
    expect(bens.locator("[data-handoff]")).to_have_count(1)
    expect(stranger.get_by_role("definition").first).to_have_text("1")
    bens.reload()
    strip = bens.locator(".rehearsal")
    expect(strip).to_contain_text("against Rita Rival")
    strip.get_by_role("button", name="Stop").click()
    expect(bens.get_by_role("heading", name="What came of it")).to_be_visible()
    assert running.running() is None
    bens.goto(f"{server.url}/queue/")
    expect(strip).to_have_count(0)


def test_the_rival_picks_up_what_nobody_takes_and_its_card_leaves(open_as, demo, ben):
    bens = open_as(ben, "/queue/")
    expect(bens.locator("[data-connection]")).to_have_attribute("data-connection", "live")
    running.start(every=200, haste=8, seed=4)
    expect(bens.locator("[data-handoff]")).to_have_count(1)
    expect(bens.locator("[data-handoff]")).to_have_count(0)
    expect(bens.locator("[data-today-counts] dd").nth(1)).to_have_text("1")


def test_its_page_has_nothing_for_axe_and_nothing_sticks_out(open_as, demo, ben):
    for path in ("/rehearsal/", "/login/", "/queue/"):
        for _ in ("before", "meanwhile"):
            page = open_as(ben if path == "/queue/" else None, path, viewport=NARROW, bypass_csp=True)
            found = Axe().run(page)
            assert found.violations_count == 0, f"{path}: {found.generate_report()}"
            assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0, f"{path} sticks out"
            if running.running() is None:
                running.start(every=200, rival=False)
        running.stop()
