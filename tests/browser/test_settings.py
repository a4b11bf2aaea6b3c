"""The account's settings in a browser: where a reference would lead, and what is asked before anything is removed."""

from playwright.sync_api import expect

from escalations.actions import channels
from escalations.models import Channel
from escalations.models.channel import TOLD
from escalations.notifications.sealed import unseal
from tests.factories import HandoffFactory

HOOK = "https://hooks.harbor.example/escalations?key=Zy9xWv8u"


def test_an_example_is_put_in_and_shows_where_a_reference_would_lead(open_as, server, olga, ann, harbor):
    HandoffFactory(by=ann)
    page = open_as(olga, "/settings/")
    expect(page.locator("[data-preview]")).to_have_text("References are plain text now.")
    page.get_by_text("Examples for ConnectWise").click()
    page.get_by_role("button", name="Use the example for HaloPSA").click()
    expect(page.locator("[data-preview] a")).to_have_attribute("href", "https://yourteam.halopsa.com/tickets?id=48213")
    page.get_by_label("Address of a ticket").fill("javascript:alert('{ticket}')")
    expect(page.locator("[data-preview] a")).to_have_count(0)
    page.get_by_label("Address of a ticket").fill("https://psa.example/{ticket}")
    page.get_by_role("button", name="Save: Ticket links").click()
    expect(page.locator("#notice [role=status]")).to_have_text("Ticket links: saved.")
    page.goto(f"{server.url}/queue/")
    link = page.locator(".card").get_by_role("link", name="#48213")
    expect(link).to_have_attribute("href", "https://psa.example/%2348213")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Outlook asks")).to_be_focused()


def test_keeping_sessions_for_fewer_days_asks_before_it_is_so(open_as, server, olga, harbor):
    page = open_as(olga, "/settings/")
    page.get_by_label("Days to keep closed sessions").fill("30")
    page.get_by_role("button", name="Save: How long").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing is changed yet")
    page.get_by_label("Yes, keep closed sessions for 30 days only").check()
    page.get_by_role("button", name="Save: How long").click()
    expect(page.locator("#notice [role=status]")).to_have_text("How long sessions are kept: saved.")
    expect(page.get_by_label("Days to keep closed sessions")).to_have_value("30")
    harbor.refresh_from_db()
    assert harbor.keep_days == 30


def test_a_channel_is_edited_and_gets_a_new_secret(open_as, server, olga):
    _, old = channels.add(by=olga, kind="webhook", name="Hook", target=HOOK, kinds=TOLD, priorities=["high"])
    page = open_as(olga, "/settings/channels/")
    page.get_by_role("link", name="Edit Hook").click()
    expect(page.get_by_role("heading", name="Edit Hook")).to_be_visible()
    expect(page.get_by_label("New address")).to_have_value("")
    expect(page.get_by_label("High")).to_be_checked()
    page.get_by_label("Name").fill("Our desk")
    page.get_by_label("Urgent").check()
    page.get_by_label("New address").fill("ftp://hooks.harbor.example/")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".error")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("Our desk")
    expect(page.get_by_label("Urgent")).to_be_checked()
    page.get_by_label("New address").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#notice [role=status]")).to_contain_text("Saved.")
    kept = Channel.objects.get()
    assert (kept.name, kept.priorities, unseal(kept.sealed_target)) == ("Our desk", ["high", "urgent"], HOOK)
    page.get_by_role("link", name="Edit Our desk").click()
    page.get_by_role("link", name="New secret").click()
    page.get_by_role("button", name="Make a new secret").click()
    expect(page.get_by_role("heading", name="Our desk has a new secret")).to_be_visible()
    shown = page.get_by_label("Signing secret").input_value()
    assert shown == unseal(Channel.objects.get().sealed_secret) != old
    page.get_by_role("link", name="I have copied it").click()
    expect(page.get_by_role("heading", name="Channels", exact=True)).to_be_visible()
    assert shown not in page.content()
