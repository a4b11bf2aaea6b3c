"""The bell, desktop notifications and the sound, in Chromium, with two people and with several tabs."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db.models.functions import Now
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from escalations.actions import jobs, offers, preferences
from escalations.models import Handoff
from escalations.notifications import titles
from resolutionflow.accounts.models import User
from tests.factories import HandoffFactory, SessionFactory
from tests.serving import Server, post

# What the browser would show and play, and whether it is asked. It says yes, unless told otherwise.
STUB = """
Object.assign(window, { notified: [], played: 0, asked: 0 });
window.Notification = class extends EventTarget {
  static permission = localStorage.getItem("permission") ?? "granted";
  static async requestPermission() { window.asked += 1; this.permission = localStorage.getItem("answer") }
  constructor(title, { tag }) { super(); this.is = { title, tag, closed: false }; notified.push(this) }
  close() { this.is.closed = true }
};
const part = () => ({ frequency: {}, gain: { setValueAtTime() {}, linearRampToValueAtTime() {},
  exponentialRampToValueAtTime() {} }, connect: (next) => next, start() {}, stop() {} });
window.AudioContext = class {
  currentTime = 0;
  resume() { window.played += 1 }
  createOscillator = part;
  createGain = part;
};
"""


@pytest.fixture
def open_stubbed(open_as, server) -> Callable[..., Page]:
    def open_page(user: User, path: str, **kept: str) -> Page:
        page = open_as(user, "/account/password/")
        for name, value in kept.items():
            page.evaluate("([name, value]) => localStorage.setItem(name, value)", [name, value])
        page.context.add_init_script(STUB)
        return go(page, server, path)

    return open_page


def go(page: Page, server: Server, path: str) -> Page:
    page.goto(server.url + path)
    says(page, "none")
    return page


def wants(user: User, **wanted: object) -> None:
    preferences.keep(preferences.of(user, user.account), **wanted)


def escalate(server: Server, user: User, title: str = "No Wi-Fi", priority: str = "normal") -> Handoff:
    session = SessionFactory(by=user, title=title, problem="")
    told = {"reason": "Stuck.", "priority": priority}
    assert post(server, user, f"/sessions/{session.pk}/escalate/", **told).status_code == 302
    return session.handoffs.get()


def says(page: Page, count: str) -> None:
    expect(page.locator("[data-bell-button]")).to_have_attribute("aria-label", f"Notifications, {count} unread")


def listens(page: Page) -> None:
    """Until this tab hears frames, for all tabs of its browser."""
    if "/queue/" in page.url:
        expect(page.locator("[data-connection]")).to_have_attribute("data-connection", "live")
    else:
        expect(page.locator("[data-bell][data-hears]")).to_have_count(1)


def notified(page: Page) -> list[str]:
    return page.evaluate("() => notified.map(({ is }) => is.title)")


def test_the_bell_counts_on_a_session_page_and_its_panel_tells_and_reads(open_as, server, ann, ben, olga):
    anns, bens = (open_as(user, f"/sessions/{SessionFactory(by=user).pk}/") for user in (ann, ben))
    says(bens, "none")
    says(anns, "none")
    handoff = escalate(server, ann, "The first")
    says(bens, "1")
    expect(bens.locator("[data-bell-count]")).to_have_text("1")
    expect(bens.locator("[data-bell-said]")).to_have_text("Notifications, 1 unread")
    assert post(server, olga, f"/handoffs/{handoff.pk}/pick-up/").status_code == 302
    escalate(server, ann, "The second", "urgent")
    says(bens, "2")
    button, panel = bens.locator("[data-bell-button]"), bens.get_by_role("dialog", name="Notifications")
    button.focus()
    bens.keyboard.press("Enter")
    expect(panel.locator("li[data-unread]")).to_have_count(2)
    newest, oldest = panel.get_by_role("listitem").all()
    expect(newest).to_contain_text("Escalation from Ann · #48213: The second")
    expect(newest).to_contain_text("Urgent")
    expect(newest).to_contain_text("Waiting")
    expect(oldest).to_contain_text("Picked up by Olga Owner")
    says(bens, "none")
    bens.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(button).to_be_focused()
    says(anns, "none")
    bens.reload()
    says(bens, "none")


def test_who_sees_only_some_of_them_marks_the_rest_by_hand(open_as, server, ann, ben):
    preferences.of(ben, ben.account)
    for _ in range(11):
        HandoffFactory(by=ann)
    page = open_as(ben, "/account/", viewport={"width": 360, "height": 740}, bypass_csp=True)
    says(page, "11")
    page.locator("[data-bell-button]").click()
    panel = page.get_by_role("dialog", name="Notifications")
    expect(panel.locator("li[data-unread]")).to_have_count(10)
    says(page, "11")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
    panel.get_by_role("button", name="Mark all as read").click()
    expect(panel.locator("li[data-unread]")).to_have_count(0)
    says(page, "none")


def test_a_desktop_notification_has_the_cards_title_and_opens_the_handoff(open_stubbed, server, ann, ben):
    wants(ben, desktop="high")
    page = open_stubbed(ben, f"/sessions/{SessionFactory(by=ben).pk}/")
    listens(page)
    escalate(server, ann, "Not urgent enough")
    handoff = escalate(server, ann, "Outlook fails to sync since the tenant was moved to another region", "urgent")
    says(page, "2")
    assert notified(page) == [titles.of(handoff)]
    assert titles.of(handoff).startswith("Escalation from Ann · #48213: Outlook fails to sync")
    assert page.evaluate("() => notified[0].is.tag") == str(handoff.pk)
    with page.context.expect_page() as opened:
        page.evaluate("() => { notified[0].dispatchEvent(new Event('click')) }")
    opened.value.wait_for_url(f"**/handoffs/{handoff.pk}/")
    assert post(server, ben, f"/handoffs/{handoff.pk}/pick-up/").status_code == 302
    page.wait_for_function("() => notified[0].is.closed")


def test_several_tabs_ring_once_and_the_next_one_takes_over(open_stubbed, server, ann, ben):
    wants(ben, desktop="low", sound="low")
    first = open_stubbed(ben, "/queue/")
    listens(first)
    tabs = [first, *(go(first.context.new_page(), server, path) for path in ("/queue/", "/sessions/", "/account/"))]
    for tab in tabs:
        tab.locator("h1").click()  # before that a browser plays nothing
    escalate(server, ann)
    for tab in tabs:
        says(tab, "1")
    assert [len(notified(tab)) for tab in tabs] == [1, 0, 0, 0]
    assert [tab.evaluate("() => played") for tab in tabs] == [1, 0, 0, 0]
    first.close()
    left = tabs[1:]
    escalate(server, ann, "Another one")  # whether or not the next one listens yet
    for tab in left:
        says(tab, "2")
    assert sum(len(notified(tab)) for tab in left) == 1
    assert sum(tab.evaluate("() => played") for tab in left) == 1
    left[2].locator("[data-bell-button]").click()
    for tab in left:
        says(tab, "none")


def offer(server: Server, held: Handoff, to: User) -> None:
    assert post(server, held.picked_up_by, f"/handoffs/{held.pk}/hand-to/", to=str(to.pk)).status_code == 302


def in_the_panel(page: Page) -> Locator:
    """The newest line of the bell's panel, once it is opened and loaded."""
    page.locator("[data-bell-button]").click()
    return page.get_by_role("dialog", name="Notifications").get_by_role("listitem").first


def held_by(picker: User, by: User, title: str = "No Wi-Fi", priority: str = "normal") -> Handoff:
    return HandoffFactory(by=by, session=SessionFactory(by=by, title=title), picker=picker, priority=priority)


@pytest.mark.parametrize(("answer", "words"), [("accept", "Olga accepted"), ("decline", "Olga declined")])
def test_an_offer_and_its_answer_are_on_the_bells_of_the_two_whom_they_concern(
    answer, words, open_as, server, ann, ben, olga, adam, zoe
):
    held = held_by(ben, ann)
    for person in (ben, olga, adam):
        preferences.of(person, person.account)
    bens, olgas, adams = (open_as(user, f"/sessions/{SessionFactory(by=user).pk}/") for user in (ben, olga, adam))
    zoes = open_as(zoe, "/account/")
    for page in (bens, olgas, adams, zoes):
        listens(page)
        says(page, "none")
    offer(server, held, olga)
    says(olgas, "1")
    expect(olgas.locator("[data-bell-said]")).to_have_text("Notifications, 1 unread")
    says(bens, "none")
    line = in_the_panel(olgas)
    expect(line).to_contain_text("Ben offers you · #48213: No Wi-Fi")
    expect(line).to_contain_text("Waits for your answer")
    says(olgas, "none")
    line.get_by_role("link").click()
    olgas.get_by_role("button", name=answer.capitalize()).click()
    says(bens, "1")
    line = in_the_panel(bens)
    expect(line).to_contain_text(f"{words} · #48213: No Wi-Fi")
    says(bens, "none")
    escalate(server, ann, "Something else")
    says(adams, "1")  # which would have counted the others before
    says(olgas, "1")
    says(bens, "1")
    says(zoes, "none")


def test_on_the_queue_page_the_answer_is_said_and_counted(open_as, server, ann, ben, olga):
    held = held_by(ben, ann)
    preferences.of(ben, ben.account)
    page = open_as(ben, "/queue/")
    listens(page)
    offer(server, held, olga)
    escalate(server, ann, "Something else")
    says(page, "1")
    expect(page.locator("[data-bell-said]")).to_have_text("")  # the list of cards says it
    assert post(server, olga, f"/handoffs/{held.pk}/decline/").status_code == 302
    says(page, "2")
    expect(page.locator("[data-bell-said]")).to_have_text("Notifications, 2 unread")


def test_what_the_lease_returns_is_on_the_bell_of_who_had_it_and_on_no_other(open_as, server, ann, ben, olga):
    held = held_by(ben, ann)
    for person in (ben, olga):
        preferences.of(person, person.account)
    bens, olgas = open_as(ben, "/account/"), open_as(olga, "/account/")
    for page in (bens, olgas):
        listens(page)
        says(page, "none")
    Handoff.objects.filter(pk=held.pk).update(lease_ends_at=Now())
    jobs.defer(jobs.LEASE, handoff_id=str(held.pk))
    says(bens, "1")
    line = in_the_panel(bens)
    expect(line).to_contain_text("Returned from you · #48213: No Wi-Fi")
    expect(line).to_contain_text("Waiting")
    escalate(server, ann, "Something else")
    says(olgas, "1")


def test_an_offer_rings_once_however_many_tabs_there_are_and_stops_when_it_ends(open_stubbed, server, ann, ben, olga):
    wants(olga, desktop="high", sound="high")
    small, held = held_by(ben, ann), held_by(ben, ann, "Nobody can print", "urgent")
    preferences.read(preferences.of(olga, olga.account), olga.account, up_to=10**9)
    first = open_stubbed(olga, "/account/")
    listens(first)
    tabs = [first, *(go(first.context.new_page(), server, path) for path in ("/queue/", "/sessions/"))]
    for tab in tabs:
        tab.locator("h1").click()
    offer(server, small, olga)
    for tab in tabs:
        says(tab, "1")
    offer(server, held, olga)
    for tab in tabs:
        says(tab, "2")
    assert [notified(tab) for tab in tabs] == [["Ben offers you · #48213: Nobody can print"], [], []]
    assert [tab.evaluate("() => played") for tab in tabs] == [1, 0, 0]
    with first.context.expect_page() as opened:
        first.evaluate("() => { notified[0].dispatchEvent(new Event('click')) }")
    opened.value.wait_for_url(f"**/handoffs/{held.pk}/")
    offer_again = f"/handoffs/{held.pk}/withdraw/"
    assert post(server, ben, offer_again).status_code == 302
    offer(server, held, olga)
    first.wait_for_function("() => notified.length === 2 && notified[0].is.closed && !notified[1].is.closed")
    assert post(server, ben, offer_again).status_code == 302
    first.wait_for_function("() => notified[1].is.closed")


def test_in_quiet_hours_an_offer_counts_and_does_not_ring(open_stubbed, server, ann, ben, olga):
    now = timezone.localtime(timezone=olga.account.tz)
    hours = {"quiet_from": (now - timedelta(hours=1)).time(), "quiet_until": (now + timedelta(hours=1)).time()}
    wants(olga, desktop="low", sound="low", **hours)
    one, other = held_by(ben, ann), held_by(ben, ann, "Another one")
    preferences.read(preferences.of(olga, olga.account), olga.account, up_to=10**9)
    page = open_stubbed(olga, "/account/")
    listens(page)
    page.locator("h1").click()
    offer(server, one, olga)
    says(page, "1")
    assert (notified(page), page.evaluate("() => played")) == ([], 0)
    wants(olga, quiet_from=None, quiet_until=None)
    page.reload()
    listens(page)
    offer(server, other, olga)
    says(page, "2")
    assert notified(page) == ["Ben offers you · #48213: Another one"], "and what came before does not ring late"


def test_an_offer_whose_frame_is_lost_is_found_when_the_socket_is_back(open_stubbed, ann, ben, olga):
    wants(olga, desktop="low")
    held = held_by(ben, ann)
    preferences.read(preferences.of(olga, olga.account), olga.account, up_to=10**9)
    page = open_stubbed(olga, "/account/")
    listens(page)
    offers.hand_to(held, by=ben, to=olga)  # by no server, so nobody is told
    page.context.set_offline(True)
    page.context.set_offline(False)
    says(page, "1")
    assert notified(page) == ["Ben offers you · #48213: No Wi-Fi"]


def test_a_bell_that_gets_no_answer_holds_up_no_page(open_as, server, ann, ben):
    preferences.of(ben, ben.account)
    page = open_as(ben, "/account/")
    page.route("**/notifications/**", lambda route: route.abort())
    page.goto(f"{server.url}/queue/")
    listens(page)
    escalate(server, ann)
    expect(page.locator(".card")).to_have_count(1)
    page.unroute("**/notifications/**")
    page.reload()
    says(page, "1")


# Ten frames at once, as the queue hands them to the bell; the third is picked up at the same time.
BURST = """() => {
  const start = Number(document.querySelector("[data-live]").dataset.liveCursor);
  const tell = (type, number, handoff, html) => document.dispatchEvent(
    new CustomEvent("queue-frame", { detail: { type, cursor: start + number, handoff, html } }));
  for (let number = 1; number <= 10; number += 1) {
    const data = `data-handoff="h${number}" data-from="ann" data-priority="low" data-title="Escalation ${number}"`;
    tell("handoff_created", number, `h${number}`, `<li ${data}></li>`);
  }
  tell("handoff_picked_up", 11, "h3", "");
}"""


def test_a_burst_is_one_notification_and_then_one_for_the_rest(open_stubbed, server, ben):
    wants(ben, desktop="low", sound="low")
    page = open_stubbed(ben, "/queue/")
    listens(page)
    page.locator("h1").click()
    page.evaluate(BURST)
    says(page, "10")
    assert notified(page) == ["Escalation 1"]
    page.wait_for_function("() => notified.length > 1")
    assert notified(page) == ["Escalation 1", "8 escalations are waiting"]
    assert page.evaluate("() => played") == 2


def test_what_came_between_two_pages_rings_on_the_next_one(open_stubbed, server, ann, ben):
    wants(ben, desktop="low")
    page = open_stubbed(ben, "/account/")
    listens(page)
    page.goto(f"{server.url}/healthz")
    handoff = escalate(server, ann)
    page.goto(f"{server.url}/sessions/")
    says(page, "1")
    assert notified(page) == [titles.of(handoff)]
    page.goto(f"{server.url}/account/")
    listens(page)
    assert notified(page) == [], "not once more"


def test_in_quiet_hours_the_bell_counts_and_nothing_rings(open_stubbed, server, ann, ben):
    now = timezone.localtime(timezone=ben.account.tz)
    hours = {"quiet_from": (now - timedelta(hours=1)).time(), "quiet_until": (now + timedelta(hours=1)).time()}
    wants(ben, desktop="low", sound="low", **hours)
    page = open_stubbed(ben, "/account/")
    listens(page)
    page.locator("h1").click()
    escalate(server, ann)
    says(page, "1")
    assert (notified(page), page.evaluate("() => played")) == ([], 0)
    wants(ben, quiet_from=None, quiet_until=None)
    page.reload()
    listens(page)
    escalate(server, ann)
    says(page, "2")
    assert len(notified(page)) == 1


@pytest.mark.parametrize(("answer", "words"), [("granted", "allowed in this browser"), ("denied", "To undo that")])
def test_permission_is_asked_for_by_a_button_and_never_on_load(open_stubbed, server, ann, ben, answer, words):
    wants(ben, desktop="low", sound="low")
    page = open_stubbed(ben, "/queue/", permission="default", answer=answer)
    listens(page)
    escalate(server, ann)
    says(page, "1")
    assert (page.evaluate("() => asked"), notified(page)) == (0, [])
    page.goto(f"{server.url}/account/notifications/")
    said = page.locator("[data-permission-words]")
    expect(said).to_contain_text("not allowed in this browser yet")
    assert page.evaluate("() => asked") == 0
    page.get_by_role("button", name="Allow desktop notifications here").click()
    expect(said).to_contain_text(words)
    assert page.evaluate("() => asked") == 1
    expect(page.get_by_role("button", name="Show me one")).to_have_count(1 if answer == "granted" else 0)


def test_without_scripts_there_is_a_page(open_as, server, ann, ben):
    preferences.of(ben, ben.account)
    HandoffFactory(by=ann)
    page = open_as(ben, "/sessions/", java_script_enabled=False)
    page.get_by_role("link", name="Notifications").click()
    expect(page.get_by_text("1 unread.")).to_be_visible()
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.get_by_text("None unread.")).to_be_visible()
    page.get_by_role("link", name="Choose what you hear of").click()
    page.get_by_label("A short sound").select_option("Urgent ones only")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    expect(page.get_by_label("A short sound")).to_have_value("urgent")
