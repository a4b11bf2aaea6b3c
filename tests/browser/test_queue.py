"""The live queue in Chromium: order, arrival, leaving, losing a race, and coming back after trouble."""

import itertools
from concurrent.futures import ThreadPoolExecutor

from playwright.sync_api import Page, Route, expect

from escalations.actions import handoffs
from escalations.models import Handoff
from tests.factories import HandoffFactory, SessionFactory
from tests.serving import Server, cookie_of, post, post_as


def escalate(server: Server, user, title: str) -> Handoff:
    session = SessionFactory(by=user, title=title, problem="")
    assert (
        post(server, user, f"/sessions/{session.pk}/escalate/", reason="Stuck.", priority="normal").status_code == 302
    )
    return session.handoffs.get()


def titles(page: Page) -> list[str]:
    return [text.strip() for text in page.locator("#cards h2").all_text_contents()]


def is_live(page: Page) -> None:
    expect(page.locator("[data-connection]")).to_have_attribute("data-connection", "live")


def test_arrivals_stand_on_top_and_established_cards_keep_their_order(open_as, server, ann, ben):
    for title in ("first", "second"):
        HandoffFactory(by=ann, session=SessionFactory(by=ann, title=title))
    page = open_as(ben, "/queue/")
    is_live(page)
    assert titles(page) == ["first", "second"]
    escalate(server, ann, "third")
    escalate(server, ann, "fourth")
    expect(page.locator("#cards > li")).to_have_count(4)
    assert titles(page) == ["fourth", "third", "first", "second"]
    page.reload()
    assert titles(page) == ["first", "second", "third", "fourth"]


def test_an_arriving_card_slides_in_and_its_mark_is_gone_soon(open_as, server, ann, ben):
    page = open_as(ben, "/queue/")
    is_live(page)
    page.evaluate(
        """() => { window.seen = []; new MutationObserver(changes => {
             for (const c of changes) for (const n of c.addedNodes)
               if (n.dataset) window.seen.push([n.hasAttribute("data-arriving"), getComputedStyle(n).animationName])
           }).observe(document.getElementById("cards"), {childList: true}) }"""
    )
    escalate(server, ann, "new")
    card = page.locator("#cards > li")
    expect(card).to_have_count(1)
    assert page.evaluate("() => window.seen") == [[True, "slide-in"]]  # the assessment that lands changes it in place
    expect(page.locator("[data-arriving]")).to_have_count(0, timeout=1500)


def test_with_reduced_motion_it_fades(open_as, server, ann, ben):
    page = open_as(ben, "/queue/", reduced_motion="reduce")
    is_live(page)
    page.evaluate(
        """() => new MutationObserver(([c]) => window.name = getComputedStyle(c.addedNodes[0]).animationName)
             .observe(document.getElementById("cards"), {childList: true})"""
    )
    escalate(server, ann, "new")
    expect(page.locator("#cards > li")).to_have_count(1)
    assert page.evaluate("() => window.name") == "fade-in"


def test_ones_own_card_offers_take_back_and_viewers_get_no_button(open_as, server, ann, ben, vic):
    HandoffFactory(by=ann)
    anns, bens, vics = (open_as(user, "/queue/") for user in (ann, ben, vic))
    assert [button.inner_text() for button in bens.locator("#cards button:visible").all()] == ["Pick Up"]
    assert bens.locator("#cards button:visible").bounding_box()["height"] >= 44
    assert [button.inner_text() for button in anns.locator("#cards button:visible").all()] == ["Take back"]
    expect(anns.get_by_text("Yours, waiting")).to_be_visible()
    expect(vics.locator("#cards > li")).to_have_count(1)
    assert vics.locator("#cards button:visible").count() == 0
    anns.get_by_role("button", name="Take back").click()
    anns.wait_for_url("**/sessions/**")
    expect(bens.locator("#cards > li")).to_have_count(0)
    expect(bens.get_by_text("Nobody is waiting.")).to_be_visible()


def test_the_loser_of_a_race_hears_who_won_and_is_offered_the_next(open_as, server, ann, ben, olga):
    lost = HandoffFactory(by=ann, session=SessionFactory(by=ann, title="the one that all want"))
    HandoffFactory(by=ann, session=SessionFactory(by=ann, title="the next one"))
    page = open_as(ben, "/queue/")

    def olga_is_faster(route: Route) -> None:
        handoffs.pick_up(lost, by=olga)  # in this process: no frame tells ben in time
        route.continue_()

    page.route(f"**/handoffs/{lost.pk}/pick-up/", olga_is_faster)
    page.locator(f"#handoff-{lost.pk}").get_by_role("button", name="Pick Up").click()
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("Olga Owner has it since")
    expect(notice).to_contain_text("the next one")
    notice.get_by_role("button", name="Pick this up").click()
    page.wait_for_url("**/handoffs/**")
    expect(page.get_by_role("heading", level=1)).to_have_text("the next one")


def test_the_title_counts_arrivals_while_the_tab_is_hidden(open_as, server, ann, ben):
    page = open_as(ben, "/queue/")
    is_live(page)
    page.evaluate("() => Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    escalate(server, ann, "one")
    escalate(server, ann, "two")
    expect(page).to_have_title("(2) Queue · ResolutionFlow")
    page.evaluate("() => { delete document.hidden; dispatchEvent(new Event('focus')) }")
    expect(page).to_have_title("Queue · ResolutionFlow")


def test_what_came_while_offline_is_there_within_three_seconds_of_coming_back(open_as, server, ann, ben):
    page = open_as(ben, "/queue/")
    is_live(page)
    page.context.set_offline(True)
    expect(page.locator("[data-connection]")).to_have_attribute("data-connection", "reconnecting")
    for title in ("one", "two", "three"):
        escalate(server, ann, title)
    page.context.set_offline(False)
    expect(page.locator("#cards > li")).to_have_count(3, timeout=3000)
    is_live(page)
    assert titles(page) == ["three", "two", "one"]


def test_a_lost_frame_is_noticed_with_the_next_one(open_as, server, ann, ben):
    page = open_as(ben, "/queue/")
    is_live(page)
    handoffs.escalate(SessionFactory(by=ann, title="unannounced", problem=""), by=ann, reason="Stuck.")
    escalate(server, ann, "announced")
    expect(page.locator("#cards > li")).to_have_count(2)
    assert titles(page) == ["announced", "unannounced"]


def test_focus_survives_a_card_that_changes(open_as, server, ann, ben):
    handoff = HandoffFactory(by=ann)
    page = open_as(ben, "/queue/")
    is_live(page)
    page.get_by_role("button", name="Pick Up").focus()
    page.locator(f"#handoff-{handoff.pk}").evaluate("card => card.dataset.old = 'yes'")
    escalate(server, ann, "another")
    expect(page.locator(f"#handoff-{handoff.pk} [data-assessment=ready]")).to_be_visible()
    assert page.locator("#cards > li").first.evaluate("card => card.contains(document.activeElement)") is False
    assert page.locator(f"#handoff-{handoff.pk}").evaluate("card => card.contains(document.activeElement)")


def test_a_double_click_picks_up_once(open_as, server, ann, ben):
    handoff = HandoffFactory(by=ann)
    page = open_as(ben, "/queue/")
    page.get_by_role("button", name="Pick Up").dblclick()
    page.wait_for_url("**/handoffs/**")
    expect(page.get_by_role("heading", name="Start here")).to_be_visible()
    assert handoff.events.filter(kind="handoff_picked_up").count() == 1


def test_without_scripts_the_buttons_still_work(open_as, server, ann, ben):
    HandoffFactory(by=ann)
    page = open_as(ben, "/queue/", java_script_enabled=False)
    page.get_by_role("button", name="Pick Up").click()
    assert "/handoffs/" in page.url
    page.get_by_role("link", name="Continue the session").click()
    page.get_by_label("Message").fill("Works without scripts.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("log")).to_contain_text("Works without scripts.")


def test_somebody_signed_out_elsewhere_is_taken_to_the_login(open_as, server, ann, ben):
    page = open_as(ben, "/queue/")
    is_live(page)
    page.context.clear_cookies(name="sessionid")
    escalate(server, ann, "new")
    page.get_by_role("button", name="Pick Up").click()
    page.wait_for_url("**/login/**")


def test_a_burst_is_announced_once_when_it_is_over(open_as, server, ann, ben):
    page = open_as(ben, "/queue/")
    is_live(page)
    page.evaluate(
        """() => { const region = document.querySelector("[role=region]"); window.busy = [];
             new MutationObserver(() => window.busy.push(region.getAttribute("aria-busy")))
               .observe(region, {attributes: true, attributeFilter: ["aria-busy"]}) }"""
    )
    sessions = [SessionFactory(by=ann, title=f"number {number}", problem="") for number in range(5)]
    cookie = cookie_of(ann)
    with ThreadPoolExecutor(len(sessions)) as pool:  # at once: on a busy machine one after the other is no burst
        for session in sessions:
            told = {"reason": "Stuck.", "priority": "normal"}
            pool.submit(post_as, cookie, server, f"/sessions/{session.pk}/escalate/", **told)
    expect(page.locator("#cards > li")).to_have_count(5)
    expect(page.locator("[aria-live=polite][aria-busy]")).to_have_count(0)
    assert page.evaluate("() => window.busy.filter(busy => busy === null).length") == 1


def test_a_long_burst_of_twenty_is_announced_every_three_seconds_at_most(open_as, server, ann, ben):
    page = open_as(ben, "/queue/")
    is_live(page)
    page.evaluate(
        """() => { const region = document.querySelector("[role=region]"); window.told = [];
             new MutationObserver(() => region.hasAttribute("aria-busy") || window.told.push(performance.now()))
               .observe(region, {attributes: true, attributeFilter: ["aria-busy"]}) }"""
    )
    page.clock.install()
    for number in range(20):
        escalate(server, ann, f"number {number}")
        expect(page.locator("#cards > li")).to_have_count(number + 1)
        page.clock.run_for(1_100)  # longer than what ends a burst
    page.clock.run_for(3_000)
    expect(page.locator("[aria-live=polite][aria-busy]")).to_have_count(0)
    told = page.evaluate("() => window.told")
    assert len(told) > 1
    apart = [later - earlier for earlier, later in itertools.pairwise(told)]
    assert min(apart) > 2_950, apart  # the observer hears of each a little later than it was


def test_todays_counts_keep_up_and_a_fetch_puts_them_right(open_as, server, ann, ben):
    page = open_as(ben, "/queue/")
    is_live(page)
    counts = page.locator("[data-today-counts] dd")
    expect(counts).to_have_text(["0", "0", "0"])
    handoff = escalate(server, ann, "the one")
    expect(counts).to_have_text(["1", "0", "0"])
    post(server, ben, f"/handoffs/{handoff.pk}/pick-up/")
    expect(counts).to_have_text(["1", "1", "0"])
    page.evaluate("() => (document.querySelector('#cards').dataset.today = '7 1 0')")
    page.context.set_offline(True)
    escalate(server, ann, "another")
    page.context.set_offline(False)
    expect(counts).to_have_text(["2", "1", "0"])
