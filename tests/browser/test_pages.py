"""Every page in light and dark, wide, at 360 px and at 400 %, with reduced motion and forced colours: nothing for axe
to find, nothing that sticks out."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from escalations.actions import assessments, channels, drafts, handoffs, jobs, sessions, steps
from escalations.actions.suggestions import SuggestedStep
from escalations.models import AISession, Assessment, Handoff, Lesson
from tests.attached import attach, sent
from tests.browser.assessed import STEPS, assessed_handoff
from tests.factories import HandoffFactory, SessionFactory
from tests.serving import post

WIDE = {"width": 1280, "height": 860}
NARROW = {"width": 360, "height": 740}
ZOOMED = {"width": 320, "height": 215}  # what 400 % leave of 1280 by 860
PLAIN = {"color_scheme": "light", "reduced_motion": "no-preference", "forced_colors": "none"}
# Buttons change their colour softly, also into another scheme's: axe is to see the colour, not the way there.
AT_ONCE = "* { transition: none !important }"
# There the system paints the text; axe holds what the sheet had wanted (-webkit-text-fill-color) against its ground.
SYSTEM_COLOURS = {"rules": {"color-contrast": {"enabled": False}}}
WAYS = {
    "wide": (WIDE, {}),
    "wide, dark": (WIDE, {"color_scheme": "dark"}),
    "360 px": (NARROW, {}),
    "360 px, dark": (NARROW, {"color_scheme": "dark"}),
    "400 %": (ZOOMED, {"reduced_motion": "reduce"}),
    "forced colours": (WIDE, {"forced_colors": "active", "color_scheme": "dark", "reduced_motion": "reduce"}),
}
LONG = "Kraftfahrzeughaftpflichtversicherungsgesellschaft_without_any_place_to_break_" * 2


@pytest.fixture
def places(server, ann, ben, olga, settings) -> dict[str, str]:
    """The address of each page, with something on it."""
    SessionFactory(by=ann, resolved=True)
    waiting = HandoffFactory(by=ann, priority="urgent", session=SessionFactory(by=ann, title=LONG[:200]))
    picked = assessed_handoff(by=ann, picker=ben, settings=settings, client_name=LONG[:100], problem=LONG)
    own = SessionFactory(by=ben, title=LONG[:200])
    close = steps.record_step(own, by=ben, description=LONG, outcome="failed")
    solved = HandoffFactory(by=ben, session=own, picker=ann)
    sessions.resolve(solved.session, by=ann, resolution=LONG)
    Lesson.objects.filter(handoff=solved).update(closest=close, compared_at=solved.picked_up_at)
    step = SuggestedStep(picked, 0, STEPS[0])
    sessions.post(picked.session, by=ben, body=f"{STEPS[0]} {LONG}", step=step)  # asks how it went
    for outcome in ("failed", "worked", "worked"):  # of which two are merged, and the third could be
        tried = sessions.record_step(picked.session, by=ben, description=LONG, outcome=outcome, note="Nothing")
    steps.merge(*picked.session.steps.exclude(pk=tried.pk), by=ben)
    told = {"target": "https://hooks.example.org/", "kinds": ["handoff_created"], "priorities": ["high"]}
    channel, _ = channels.add(by=olga, kind="webhook", name=LONG[:60], **told)
    return {
        "login": "/login/",
        "queue": "/queue/",
        "sessions": "/sessions/",
        "search": "/sessions/?q=outlook+0x8004",
        "session of ben": f"/sessions/{picked.session_id}/",
        "session of ann": f"/sessions/{waiting.session_id}/",
        "session with files": f"/sessions/{with_files(ben).pk}/",
        "unsent draft": f"/sessions/{unsent(ben, ann).session_id}/",
        "escalate": f"/sessions/{SessionFactory(by=ben).pk}/?open=escalate",
        "resolve": f"/sessions/{picked.session_id}/?open=resolve",
        "handoff": f"/handoffs/{picked.pk}/",
        "resolved handoff": f"/handoffs/{solved.pk}/",
        "runbook": "/runbooks/vpn/",
        "help": "/help/",
        "your account": "/account/",
        "settings": "/settings/",
        "notifications": "/notifications/",
        "notification settings": "/account/notifications/",
        "channels": "/settings/channels/",
        "add a channel": "/settings/channels/add/webhook/",
        "edit a channel": f"/settings/channels/{channel.pk}/edit/",
        "a channel's new secret": f"/settings/channels/{channel.pk}/secret/",
        "remove a channel": f"/settings/channels/{channel.pk}/remove/",
        "not found": "/handoffs/00000000-0000-4000-8000-000000000000/",
    }


def with_files(by) -> AISession:
    """Sent and waiting ones, and a draft."""
    session = SessionFactory(by=by)
    sent(session, by=by, name=f"{LONG[:100]}.png")
    sent(session, by=by, name="setup.log", content=LONG.encode())
    attach(session, by=by, name=f"{LONG[:100]}.log", content=b"x")
    drafts.keep(session, by=by, field="message", text=LONG, sent=0, page="p", turn=1)
    return session


def unsent(by, picker) -> Handoff:
    handoff = HandoffFactory(by=by)
    drafts.keep(handoff.session, by=by, field="message", text=LONG, sent=0, page="p", turn=1)
    attach(handoff.session, by=by, name=f"{LONG[:100]}.png")
    handoffs.pick_up(handoff, by=picker)
    return handoff


def test_no_page_has_anything_for_axe_or_sticks_out_however_it_is_looked_at(open_as, places, ben, olga):
    for name, address in places.items():
        person = None if name == "login" else olga if address.startswith("/settings/") else ben
        page = open_as(person, address, bypass_csp=True)
        page.add_style_tag(content=AT_ONCE)
        axe = Axe()
        for way, (viewport, media) in WAYS.items():
            page.set_viewport_size(viewport)
            page.emulate_media(**{**PLAIN, **media})
            for helping in page.locator("details.help").all():
                helping.evaluate("details => details.open = true")
            found = axe.run(page, options=SYSTEM_COLOURS if "forced_colors" in media else None)
            assert found.violations_count == 0, f"{name}, {way}: {found.generate_report()}"
            assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0, f"{name}, {way}"
        page.context.close()


def test_axe_would_find_a_field_without_a_label(open_as, ben):
    page = open_as(ben, "/sessions/", bypass_csp=True)
    page.locator(".field label").first.evaluate("label => label.remove()")
    page.locator(".field input").first.evaluate("input => input.placeholder = ''")
    assert Axe().run(page).violations_count > 0


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("pending", "Assessment in progress"),
        ("ready", "Likely cause"),
        ("timed_out", "Assessment unavailable"),
        ("failed", "Assessment unavailable"),
        ("disabled", "AI is switched off"),
    ],
)
def test_the_context_screen_stands_in_each_state_of_the_assessment(
    open_as, ann, ben, settings, monkeypatch, state, words
):
    settings.ASSESSMENT_MODEL = "none" if state == "disabled" else "playbook"
    settings.ASSESSMENT_BUDGET_SECONDS = 60
    monkeypatch.setattr(jobs, "defer", lambda *_, **__: None)  # the worker has nothing to do with it
    handoff = HandoffFactory(by=ann, picker=ben)
    if state == "ready":
        data = {
            "summary_prose": "It loops.",
            "what_we_know": ["Modern auth is on"],
            "likely_cause": "A token.",
            "suggested_steps": [],
            "confidence": "low",
            "sources": [],
        }
        assessments.store(handoff, data=data, made_by="playbook")
    elif state in {"timed_out", "failed"}:
        assessments.give_up(handoff, state=Assessment.State(state), reason="It took longer.", attempt=2)
    page = open_as(ben, f"/handoffs/{handoff.pk}/")
    headings = page.get_by_role("heading", level=2).all_text_contents()
    assert headings == ["Problem summary", "What's been tried", "AI assessment", "Start here"]
    section = page.locator(".assessment")
    expect(section).to_contain_text(words)
    expect(section.get_by_role("button", name="Try again")).to_have_count(int(state in {"timed_out", "failed"}))
    expect(page.get_by_role("link", name="Continue the session")).to_be_visible()


def test_a_late_assessment_lands_in_place_without_moving_focus_or_scroll(open_as, server, ann, ben, settings):
    settings.ASSESSMENT_MODEL = "none"
    handoff = HandoffFactory(by=ann, picker=ben)
    Assessment.objects.filter(handoff=handoff).update(state="timed_out", reason="It took longer than 5 seconds.")
    page = open_as(ben, f"/handoffs/{handoff.pk}/", viewport=NARROW)
    expect(page.locator(".assessment")).to_contain_text("Assessment unavailable")
    button = page.get_by_role("link", name="Continue the session")
    button.focus()
    page.evaluate("() => scrollTo(0, 150)")
    assert post(server, ben, f"/handoffs/{handoff.pk}/assess/").status_code == 302
    expect(page.locator(".assessment")).to_contain_text("Likely cause")
    expect(button).to_be_focused()
    assert page.evaluate("() => scrollY") == 150


def test_a_late_assessment_brings_its_chips_and_leaves_the_draft_alone(open_as, server, ann, ben, settings):
    settings.ASSESSMENT_MODEL = "none"
    handoff = HandoffFactory(by=ann, picker=ben)
    Assessment.objects.filter(handoff=handoff).update(state="timed_out", reason="It took longer than 5 seconds.")
    page = open_as(ben, f"/sessions/{handoff.session_id}/")
    expect(page.locator("[data-connection]")).to_have_attribute("data-connection", "live")
    expect(page.get_by_role("group", name="Suggested steps")).to_have_count(0)
    box = page.get_by_label("Message")
    box.fill("half a thought")
    box.evaluate("box => box.setSelectionRange(4, 4)")
    assert post(server, ben, f"/handoffs/{handoff.pk}/assess/").status_code == 302
    expect(page.get_by_role("group", name="Suggested steps").get_by_role("button").first).to_be_visible()
    expect(box).to_have_value("half a thought")
    expect(box).to_be_focused()
    assert box.evaluate("box => box.selectionStart") == 4


def test_a_chip_inserts_at_the_caret_and_one_undo_brings_the_draft_back(open_as, server, ann, ben):
    handoff = HandoffFactory(by=ann)
    page = open_as(ben, "/queue/")
    expect(page.locator("[data-assessment=ready]")).to_be_visible()
    handoffs.pick_up(handoff, by=ben)
    page.goto(f"{server.url}/sessions/{handoff.session_id}/")
    box = page.get_by_label("Message")
    chip = page.get_by_role("group", name="Suggested steps").get_by_role("button").first
    suggested = chip.get_attribute("data-text")
    box.fill("before after")
    box.evaluate("box => box.setSelectionRange(6, 6)")
    chip.click()
    expect(box).to_have_value(f"before {suggested} after")
    expect(box).to_be_focused()
    page.keyboard.press("Control+z")
    expect(box).to_have_value("before after")
    assert handoff.session.messages.filter(kind="engineer").count() == 0


def test_an_answer_is_recorded_as_a_tried_step_with_one_press(open_as, server, ann):
    SessionFactory(by=ann, resolved=True, resolution="Deleted the cached token of the old tenant.")
    page = open_as(ann, f"/sessions/{SessionFactory(by=ann).pk}/")
    answer = page.locator("[data-kind=copilot]").first
    expect(answer).to_be_visible()
    answer.get_by_role("button", name="Failed").click()
    expect(page.locator("#steps > li")).to_have_count(1)
    expect(page.locator("#steps")).to_contain_text(answer.locator(".told").inner_text().split("\n")[0])


def test_what_was_typed_is_kept_when_something_is_wrong_with_it(open_as, server, ann):
    session = SessionFactory(by=ann)
    page = open_as(ann, f"/sessions/{session.pk}/")
    page.get_by_role("button", name="Escalate", exact=True).click()
    reason = page.get_by_label("Reason")
    reason.evaluate("field => field.removeAttribute('maxlength')")
    reason.fill("x" * 2001)
    page.get_by_role("button", name="Escalate now").click()
    expect(page.get_by_text("Ensure this value has at most 2000 characters")).to_be_visible()
    expect(page.get_by_label("Reason")).to_have_value("x" * 2001)
    assert not session.handoffs.exists()


def test_a_double_click_starts_one_session(open_as, server, ann):
    page = open_as(ann, "/sessions/")
    page.get_by_label("Title").fill("Only once")
    page.get_by_role("button", name="Start", exact=True).dblclick()
    page.wait_for_url("**/sessions/*-*/")
    assert ann.started_sessions.count() == 1
