"""A tour of every page, the admin and the API's documentation included: the content policy is breached nowhere.

And what a browser keeps of them: after signing out nothing, not even on the way back.
"""

import re

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from playwright.sync_api import expect
from procrastinate.contrib.django import app

from analytics import phone
from escalations.actions import channels, feedback
from resolutionflow.accounts.models import ApiToken
from tests.attached import sent
from tests.browser.assessed import assessed_handoff
from tests.factories import HandoffFactory, SessionFactory

ONE = re.compile(r"/(?:[0-9a-f]{8}-[0-9a-f-]{27}|\d+)(?=/)")
LINKS = (
    "links => links.map(link => new URL(link.href)).filter(to => to.origin === location.origin).map(to => to.pathname)"
)


@pytest.fixture
def places(server, ann, ben, olga, settings) -> list[str]:
    waiting = HandoffFactory(by=ann, priority="urgent")
    picked = assessed_handoff(by=ann, picker=ben, settings=settings)
    feedback.judge(picked, by=ben, helpful=True, why="It was the token.")
    done = SessionFactory(by=ben, resolved=True)
    solved = HandoffFactory(by=ben, picker=ann, resolved=True)
    sample = phone.add(olga.account, by=olga, seconds=290)
    told = {"target": "https://hooks.example.org/", "kinds": ["handoff_created"], "priorities": ["high"]}
    channel, _ = channels.add(by=olga, kind="webhook", name="Hook", **told)
    sent(picked.session, by=ben)
    ApiToken.issue(ann, name="a script")
    app.configure_task("nobody.does.this", queue="nobody", lock="one").defer(number=1, words="two")
    return [
        *("/queue/", "/queue/cards/?base=0", "/sessions/", "/sessions/?state=resolved", "/runbooks/vpn/"),
        *(f"/handoffs/{each.pk}/" for each in (waiting, picked)),
        *(f"/sessions/{each.pk}/" for each in (waiting.session, picked.session, done)),
        f"/sessions/{picked.session_id}/?open=resolve",
        f"/sessions/{SessionFactory(by=ben).pk}/?open=escalate",
        *("/notifications/", "/notifications/panel/", "/account/notifications/"),
        *("/analytics/escalations/", "/analytics/escalations/handoffs/", "/analytics/escalations/waiting/"),
        *("/help/", "/account/", "/settings/"),
        *("/settings/channels/", "/settings/channels/add/slack/"),
        *(f"/settings/channels/{channel.pk}/{page}/" for page in ("edit", "secret", "remove")),
        *("/queue/lessons/", f"/handoffs/{solved.pk}/", "/analytics/causes/", f"/analytics/phone/{sample.pk}/remove/"),
    ]


def test_every_page_of_the_product_keeps_to_the_policy(watch, places, ben, olga, vic):
    managers = "/(analytics|settings)/"
    for person, closed in ((ben, managers), (olga, "nothing"), (vic, f"({managers}|.*notifications/)")):
        watched = watch(person)
        for address in places:
            if not re.match(closed, address):
                watched.open(address)
        assert watched.heard == []
    stranger = watch(None)
    for address in ("/login/", "/login/?next=/queue/", "/"):
        stranger.open(address)
    for address in ("/nowhere/", "/sessions/00000000-0000-4000-8000-000000000000/"):
        watched.page.goto(watched.server_url + address)
    assert stranger.heard + watched.heard == []


def test_every_kind_of_page_of_the_admin_keeps_to_the_policy(watch, places, adam, sam):
    for person, least in ((sam, 35), (adam, 20)):
        watched = watch(person)
        seen: set[str] = set()
        ahead = ["/admin/"]
        while ahead:
            address = ahead.pop()
            watched.open(address)
            seen.add(ONE.sub("/1", address))
            for link in dict.fromkeys(watched.page.eval_on_selector_all("a[href]", LINKS)):
                if link.startswith("/admin/") and ONE.sub("/1", link) not in seen | {ONE.sub("/1", it) for it in ahead}:
                    ahead.append(link)
        assert len(seen) >= least, seen
        assert watched.heard == []


def test_the_operator_reads_a_job_without_a_style_of_its_own(watch, places, sam):
    watched = watch(sam)
    page = watched.open("/admin/procrastinate/procrastinatejob/")
    expect(page.get_by_text("One of its kind runs at a time: one").first).to_be_visible()
    page.get_by_role("link", name=re.compile(r"^\d+$")).first.click()
    expect(page.locator("pre", has_text="two").first).to_be_visible()
    assert watched.heard == []


def test_the_documentation_of_the_api_works_under_the_policy(watch, places, ben):
    watched = watch(ben)
    page = watched.open("/api/docs")
    page.get_by_text("/api/handoffs", exact=True).first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table")).to_contain_text("200")
    expect(page.locator(".live-responses-table")).to_contain_text("Outlook asks for the password")
    assert watched.heard == []


def test_a_breach_would_be_heard(watch, server, ben):
    watched = watch(ben)
    page = watched.open("/queue/")
    page.evaluate(
        "() => document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=canary()><p style=color:red>')"
    )
    page.wait_for_function("() => document.images[document.images.length - 1].complete")
    assert any("script-src-attr" in each for each in watched.heard)
    assert any("style-src-attr" in each for each in watched.heard)
    assert not any("ran" in each for each in watched.heard)


# What stays in the browser


def test_after_signing_out_the_way_back_shows_nothing(open_as, places, ben):
    page = open_as(ben, "/queue/")
    page.get_by_role("link", name="Outlook asks").first.click()
    expect(page.get_by_role("heading", name="Problem summary")).to_be_visible()
    page.get_by_label("account and sign out").click()
    answers = []
    page.on("response", lambda answer: answers.append(answer))
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    # The sign-out's own, or the login page's if the socket's end led there first.
    cleared = {each.header_value("clear-site-data") for each in answers if "/log" in each.url}
    assert '"cache"' in cleared
    for _ in range(2):
        page.go_back()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert "Outlook" not in page.content()


def test_nothing_of_a_page_is_kept_by_the_browser_or_by_htmx(open_as, places, ben):
    page = open_as(ben, "/queue/")
    expect(page.locator("[data-connection]")).to_have_attribute("data-connection", "live")
    assert page.evaluate("() => htmx.config.historyCacheSize") == 0
    kept = page.evaluate("() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }])")
    assert kept in {"[{},{}]", '[{},{"htmx-current-path-for-history":"/queue/"}]'}
    assert page.evaluate("async () => (await caches.keys()).length") == 0


# Cookies


def test_the_cookie_of_a_sign_in_is_out_of_reach_for_scripts(open_as, server, ben):
    page = open_as(None, "/login/")
    ben.password = PBKDF2PasswordHasher().encode("demo", "salt")  # as the server's own settings have it
    ben.save()
    page.get_by_label("E-mail address").fill(ben.email)
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/queue/")
    (cookie,) = [each for each in page.context.cookies() if each["name"] == "sessionid"]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/")
    assert "sessionid" not in page.evaluate("() => document.cookie")
