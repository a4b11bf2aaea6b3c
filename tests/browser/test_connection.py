"""The page and its connection on bad networks: sleep, back and forward, dead sockets, blocked sockets."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_queue import escalate, is_live, titles
from tests.proxy import Proxy
from tests.serving import Server, cookie_of


@pytest.fixture
def through(browser, server: Server):
    """`through(proxy, ben)` is ben's queue page, reached through the proxy."""
    contexts = []

    def open_page(proxy: Proxy, user) -> Page:
        context = browser.new_context()
        contexts.append(context)
        context.add_cookies([{"name": "sessionid", "value": cookie_of(user), "url": proxy.url}])
        page = context.new_page()
        page.goto(f"{proxy.url}/queue/")
        return page

    yield open_page
    for context in contexts:
        context.close()


def state(page: Page) -> Callable[..., None]:
    return lambda wanted, seconds=10: expect(page.locator("[data-connection]")).to_have_attribute(
        "data-connection", wanted, timeout=seconds * 1000
    )


def test_a_page_that_one_comes_back_to_shows_what_happened_meanwhile(open_as, server, ann, ben):
    page = open_as(ben, "/queue/")
    is_live(page)
    page.goto(f"{server.url}/sessions/")
    escalate(server, ann, "while away")
    page.go_back()
    expect(page.locator("#cards > li")).to_have_count(1)
    is_live(page)
    escalate(server, ann, "and now")
    expect(page.locator("#cards > li")).to_have_count(2)


def test_a_page_that_the_browser_froze_and_restored_fetches_and_goes_on(open_as, server, ann, ben):
    """What Chromium does for its back-forward cache, which a page kept out of caches only sometimes enters."""
    page = open_as(ben, "/queue/")
    is_live(page)
    page.evaluate("() => dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
    escalate(server, ann, "while frozen")
    assert titles(page) == []
    page.evaluate("() => dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    expect(page.locator("#cards > li")).to_have_count(1)
    is_live(page)


def test_after_a_sleep_with_the_lid_closed_the_page_is_right_at_once(open_as, server, ann, ben):
    """Asleep nothing runs; frames pile up or are lost."""
    page = open_as(ben, "/queue/")
    is_live(page)
    session = page.context.new_cdp_session(page)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    for title in ("one", "two"):
        escalate(server, ann, title)
    session.send("Page.setWebLifecycleState", {"state": "active"})
    expect(page.locator("#cards > li")).to_have_count(2, timeout=5000)
    is_live(page)
    assert titles(page) == ["two", "one"]


def test_a_socket_that_looks_open_but_is_dead_is_found_out_and_until_there_is_another_the_page_asks(
    through, server, ann, ben
):
    with Proxy(server.port) as proxy:
        page = through(proxy, ben)
        is_live(page)
        proxy.swallow()
        escalate(server, ann, "swallowed")
        state(page)("reconnecting", 35)
        assert titles(page) == []
        proxy.refuse_upgrades = True  # what comes back of the network lets plain requests through only
        proxy.pass_on()
        expect(page.locator("#cards > li")).to_have_count(1, timeout=15_000)
        state(page)("polling")
        proxy.refuse_upgrades = False
        state(page)("live", 15)
        escalate(server, ann, "live again")
        expect(page.locator("#cards > li")).to_have_count(2)


def test_where_sockets_are_blocked_the_page_says_so_and_asks_every_five_seconds(through, server, ann, ben):
    with Proxy(server.port, refuse_upgrades=True) as proxy:
        page = through(proxy, ben)
        state(page)("polling", 15)
        expect(page.locator("[data-connection-words]")).to_have_text(
            "Live updates are blocked here; checking every 5 seconds"
        )
        escalate(server, ann, "polled")
        expect(page.locator("#cards > li")).to_have_count(1, timeout=7000)


def test_while_the_database_is_away_buttons_rest_and_say_why_and_then_work_again(open_as, server, ann, ben):
    page = open_as(ben, "/queue/")
    sockets = []
    page.route_web_socket("**/ws/queue/", lambda socket: sockets.append((socket, socket.connect_to_server())))
    page.reload()
    is_live(page)
    escalate(server, ann, "the one")
    expect(page.locator("#cards > li")).to_contain_text("Assessment ready")
    button = page.get_by_role("button", name="Pick Up")
    button.focus()
    sockets[-1][0].send('{"type": "unavailable"}')
    state(page)("unavailable")
    expect(button).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("The database does not answer")
    expect(button).to_be_focused()
    sockets[-1][0].send('{"type": "heartbeat", "cursor": 1}')
    is_live(page)
    page.keyboard.press("Enter")
    page.wait_for_url("**/handoffs/**")
