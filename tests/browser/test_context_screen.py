"""The context screen: what everything rests on, whether it helped, and how it becomes the session."""

import re

import pytest
from playwright.sync_api import expect

from escalations.actions import sessions
from escalations.models import Feedback
from tests.browser.assessed import WARNING, assessed_handoff
from tests.serving import post

# Tells with which navigation each document came.
NOTE_TRANSITIONS = """addEventListener("pagereveal", (event) => {
  window.cameWith = event.viewTransition ? "transition" : "nothing";
  event.viewTransition?.ready.then(() => window.moved = document.getAnimations().map(
    (animation) => animation.effect.pseudoElement).filter(Boolean));
})"""


@pytest.fixture
def handoff(server, ann, ben, settings):
    return assessed_handoff(by=ann, picker=ben, settings=settings, talk=30)


@pytest.fixture
def address(handoff):
    return f"/handoffs/{handoff.pk}/"


def test_a_source_leads_to_what_it_names(open_as, server, handoff, address, ben):
    page = open_as(ben, address)
    for name, anchor in (
        ("Message 1", f"#message-{handoff.session.messages.earliest('number').pk}"),
        ("Session “Old case”", "#resolution"),
        ("Runbook “Sign-in and passwords”", "#runbook"),
    ):
        page.locator(".assessment").get_by_role("link", name=name).first.click()
        page.wait_for_url(re.compile(re.escape(anchor) + "$"))
        expect(page.locator(anchor)).to_be_focused()
        expect(page.locator(anchor)).to_be_in_viewport()
        page.goto(server.url + address)


def test_a_source_within_the_session_scrolls_to_it(open_as, handoff, ben):
    first = handoff.session.messages.earliest("number")
    step = sessions.record_step(
        handoff.session, by=ben, description="Asked again", outcome="failed", source_message=first
    )
    page = open_as(ben, f"/sessions/{handoff.session_id}/")
    target = page.locator(f"#message-{first.pk}")
    expect(target).not_to_be_in_viewport()
    page.locator(f"#step-{step.pk}").get_by_role("link").click()
    expect(target).to_be_focused()
    expect(target).to_be_in_viewport()


def test_what_rests_on_nothing_is_marked_and_what_destroys_carries_a_warning(open_as, address, ben):
    section = open_as(ben, address).locator(".assessment")
    marked = section.locator("p, li").filter(has=section.page.locator(".unsupported"))
    expect(marked).to_have_text([re.compile("The moon."), re.compile("Read the sign-in log")])
    expect(section.locator("li", has_text="Wipe the profile")).to_contain_text(f"Warning: {WARNING}")


def test_the_picker_votes_and_the_last_vote_counts(open_as, address, ben):
    page = open_as(ben, address)
    form = page.get_by_role("form", name="Feedback about the assessment")
    form.get_by_role("button", name="Yes").click()
    expect(form.get_by_role("button", name="Yes")).to_have_attribute("aria-pressed", "true")
    expect(form.get_by_role("button", name="Yes")).to_be_focused()
    form.get_by_label("Why? (optional)").fill("The token it was")
    page.keyboard.press("Enter")
    expect(form.get_by_role("status")).to_contain_text("The token it was")
    assert list(Feedback.objects.values_list("helpful", "why")) == [(True, "The token it was")]
    form.get_by_role("button", name="No").click()
    expect(form.get_by_role("button", name="No")).to_have_attribute("aria-pressed", "true")
    assert list(Feedback.objects.values_list("helpful", flat=True)) == [False]


def test_what_happens_meanwhile_is_listed_and_what_is_unfolded_stays_so(open_as, server, handoff, address, ben):
    page = open_as(ben, address)
    expect(page.locator("#since-heading")).to_be_visible()
    for number in range(4):
        post(server, ben, f"/sessions/{handoff.session_id}/messages/", body=f"Afterwards {number}")
    since = page.get_by_role("region", name="Since the escalation")
    expect(since.get_by_role("link", name="Afterwards 3")).to_be_visible()
    since.get_by_text(re.compile(r"^\d+ earlier$")).click()
    expect(since.get_by_role("link", name="Afterwards 0")).to_be_visible()
    post(server, ben, f"/sessions/{handoff.session_id}/messages/", body="Afterwards 4")
    expect(since.get_by_role("link", name="Afterwards 4")).to_be_visible()
    expect(since.get_by_role("link", name="Afterwards 0")).to_be_visible()
    since.get_by_role("link", name="Afterwards 0").click()
    expect(page.locator(".message", has_text="Afterwards 0")).to_be_focused()


@pytest.mark.parametrize(("motion", "came"), [("no-preference", "transition"), ("reduce", "nothing")])
def test_the_screen_dissolves_into_the_session_and_back(motion, came, open_as, server, handoff, address, ben):
    page = open_as(ben, "/queue/", reduced_motion=motion)
    page.add_init_script(NOTE_TRANSITIONS)
    page.goto(server.url + address)
    page.get_by_role("link", name="Continue the session").click()
    page.wait_for_url(f"**/sessions/{handoff.session_id}/")
    assert page.evaluate("cameWith") == came
    if came == "transition":
        page.wait_for_function("window.moved")
        assert {"title", "tried", "way-in"} <= set(re.findall(r"\((.+?)\)", " ".join(page.evaluate("moved"))))
    page.go_back()
    expect(page.get_by_role("heading", name="Start here")).to_be_visible()
    assert page.url == server.url + address
    page.go_forward()
    page.get_by_role("link", name="Handoff context").click()
    page.wait_for_url(f"**{address}")
    assert page.evaluate("cameWith") == came
