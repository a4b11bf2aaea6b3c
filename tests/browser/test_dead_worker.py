"""A worker that is dead: the handoff says so after its deadline, and everything else works."""

import httpx
import pytest
from django.db import connection
from playwright.sync_api import expect

from tests.factories import HandoffFactory, SessionFactory
from tests.serving import Server, post


@pytest.fixture
def server(server_process, transactional_db):
    """The web alone, with a short budget; the server of the other tests, whose worker lives, rests meanwhile."""
    server_process.stop()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_workers")  # of workers that other tests killed
    server = Server("--no-worker", ASSESSMENT_BUDGET_SECONDS="1").start()
    yield server
    server.stop()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    server_process.start()


def test_without_a_worker_the_assessment_reads_unavailable_and_the_rest_works(open_as, server, ann, ben):
    session = SessionFactory(by=ann)
    bens = open_as(ben, "/queue/")
    expect(bens.locator("[data-connection]")).to_have_attribute("data-connection", "live")
    answer = post(server, ann, f"/sessions/{session.pk}/escalate/", reason="Stuck.", priority="normal")
    assert answer.status_code == 302
    card = bens.locator("#cards > li")
    expect(card).to_contain_text("Assessment in progress")
    expect(card).to_contain_text("Assessment unavailable")  # by itself, after the deadline
    card.get_by_role("button", name="Pick Up").click()
    bens.wait_for_url("**/handoffs/**")
    expect(bens.locator(".assessment")).to_contain_text("Assessment unavailable")
    expect(bens.get_by_role("button", name="Try again")).to_be_visible()
    bens.get_by_role("link", name="Continue the session").click()
    bens.wait_for_url("**/sessions/**")
    expect(bens.locator("[data-connection]")).to_have_attribute("data-connection", "live")
    bens.get_by_label("Message").fill("I go on without it.")
    bens.keyboard.press("Enter")
    expect(bens.get_by_role("log")).to_contain_text("I go on without it.")
    assert httpx.get(f"{server.url}/readyz").status_code == 503


def test_pending_turns_into_unavailable_on_an_open_context_screen_and_can_be_tried_again(
    open_as, server, ann, ben, settings
):
    settings.ASSESSMENT_BUDGET_SECONDS = 2
    handoff = HandoffFactory(by=ann, session=SessionFactory(by=ann), picker=ben)
    page = open_as(ben, f"/handoffs/{handoff.pk}/")
    expect(page.locator(".assessment")).to_contain_text("Assessment unavailable")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".assessment")).to_contain_text("Assessment in progress")
    expect(page.locator(".assessment")).to_contain_text("Assessment unavailable")
