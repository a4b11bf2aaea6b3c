"""The suggested steps under the composer, with the mouse and with the keyboard alone, and how a step went."""

import re

import pytest
from playwright.sync_api import expect

from escalations.actions import sessions
from escalations.models import Assessment, Message, TriedStep
from tests.browser.assessed import STEPS, assessed_handoff
from tests.factories import HandoffFactory, SessionFactory
from tests.serving import post


@pytest.fixture
def handoff(server, ann, ben, settings):
    return assessed_handoff(by=ann, picker=ben, settings=settings)


@pytest.fixture
def page(open_as, handoff, ben):
    page = open_as(ben, f"/sessions/{handoff.session_id}/")
    expect(page.locator("[data-connection]")).to_have_attribute("data-connection", "live")
    return page


def box(page):
    return page.get_by_label("Message", exact=True)


def chip(page, number):
    return page.get_by_role("group", name="Suggested steps").get_by_role("button").nth(number - 1)


def test_a_chip_fills_an_empty_composer_and_sends_nothing(page, handoff):
    lines = handoff.session.messages.count()
    chip(page, 2).click()
    expect(box(page)).to_have_value(STEPS[1])
    expect(box(page)).to_be_focused()
    assert handoff.session.messages.count() == lines


def test_where_a_message_comes_from_follows_undo_and_redo(page):
    box(page).fill("My own words")
    for keys in (["Control+z"], ["Control+z", "Control+Shift+z"]):
        chip(page, 1).click()
        for key in keys:
            page.keyboard.press(key)
        draft = box(page).input_value()
        page.keyboard.press("Enter")
        expect(box(page)).to_have_value("")
        page.keyboard.type("And once more")
        if keys == ["Control+z"]:
            assert draft == "My own words"
    uses = (
        Message.objects.filter(kind="engineer", number__gt=1).order_by("number").values_list("step_use", "step_index")
    )
    assert list(uses) == [("", None), ("sent_edited", 0)]


def test_emptying_the_box_begins_anew(page):
    chip(page, 1).click()
    box(page).fill("")
    page.keyboard.type("Something else")
    page.keyboard.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("Something else")
    assert Message.objects.get(body="Something else").step_use == ""


def test_numbers_press_chips_where_nothing_is_typed(page):
    page.keyboard.press("3")
    expect(box(page)).to_have_value(STEPS[2])
    page.keyboard.press("1")
    expect(box(page)).to_have_value(STEPS[2] + "1")
    page.keyboard.press("Escape")
    expect(box(page)).not_to_be_focused()
    page.keyboard.press("9")
    page.keyboard.press("Control+1")
    expect(box(page)).to_have_value(STEPS[2] + "1")
    page.keyboard.press("1")
    expect(box(page)).to_have_value(f"{STEPS[2]}1 {STEPS[0]}")


def test_by_keyboard_alone_from_the_chip_to_how_it_went(page, handoff):
    def go_to(control, key):
        for _ in range(40):
            if control.evaluate("element => element === document.activeElement"):
                return
            page.keyboard.press(key)
        pytest.fail(f"{control} cannot be reached with {key}")

    box(page).focus()
    go_to(chip(page, 1), "Tab")
    page.keyboard.press("Enter")
    expect(box(page)).to_have_value(STEPS[0])
    page.keyboard.press("Enter")
    question = page.get_by_role("group", name="Did it work?")
    expect(question).to_have_count(1)
    expect(chip(page, 1)).to_have_attribute("data-used", "")
    go_to(question.get_by_role("button", name="Worked"), "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#steps > li")).to_have_text([re.compile(rf"Worked: {STEPS[0]}\s*Ben \d\d:\d\dmessage \d+")])
    expect(question).to_have_count(0)
    expect(chip(page, 1)).to_have_attribute("data-outcome", "worked")
    expect(page.locator(".suggestion").first).to_contain_text("Recorded as tried: Worked")
    step = TriedStep.objects.get()
    assert (step.outcome, step.step_handoff, step.step_index) == ("worked", handoff, 0)
    page.reload()
    expect(page.get_by_role("group", name="Did it work?")).to_have_count(0)
    expect(chip(page, 1)).to_have_attribute("data-outcome", "worked")


def test_a_suggestion_and_ones_own_words_are_recorded_with_one_press(page, handoff, ben):
    page.locator(".suggestion").nth(2).get_by_role("button", name="Inconclusive").click()
    expect(page.locator("#steps")).to_contain_text(STEPS[2])
    expect(chip(page, 3)).to_have_attribute("data-outcome", "inconclusive")
    box(page).fill("Rebooted it, twice")
    page.keyboard.press("Enter")
    said = page.locator(".message", has_text="Rebooted it, twice")
    said.hover()
    said.get_by_role("button", name="Failed").click()
    expect(page.locator("#steps")).to_contain_text("Rebooted it, twice")
    said.get_by_role("link", name="Failed").click()
    expect(page.locator("#steps > li", has_text="Rebooted it, twice")).to_be_focused()
    assert list(TriedStep.objects.values_list("outcome", flat=True)) == ["inconclusive", "failed"]


def test_chips_are_put_away_and_come_back(page):
    page.get_by_role("button", name="Hide suggested steps").click()
    expect(page.get_by_role("group", name="Suggested steps")).to_have_count(0)
    expect(page.get_by_role("button", name="Show 3 suggested steps")).to_be_focused()
    page.keyboard.press("1")
    expect(box(page)).to_have_value("")
    page.reload()
    expect(page.get_by_role("group", name="Suggested steps")).to_have_count(0)
    page.get_by_role("button", name="Show 3 suggested steps").click()
    expect(chip(page, 3)).to_be_visible()


def test_a_step_recorded_twice_is_merged_in_place(page):
    for outcome in ("failed", "worked"):
        page.get_by_label("Step", exact=True).fill("Restarted the broker service")
        page.get_by_label("Outcome").select_option(outcome)
        page.get_by_role("button", name="Record a step").click()
        expect(page.locator(f"#steps [data-outcome={outcome}]")).to_be_visible()
    page.get_by_role("group", name="The same step twice?").get_by_role("button", name="Merge them").click()
    expect(page.locator("#steps > li")).to_have_count(1)
    expect(page.locator("#steps > li")).to_contain_text("Before: failed, Ben")
    expect(page.locator("#steps > li")).to_be_focused()


PLACE = """() => { const box = document.querySelector("[data-composer] textarea");
  return [box.getBoundingClientRect().top, scrollY, box.value, box.selectionStart, document.activeElement === box] }"""


@pytest.mark.parametrize("width", [1280, 360])
def test_steps_that_come_late_move_nothing_while_somebody_writes(width, open_as, server, ann, ben, settings):
    settings.ASSESSMENT_MODEL = "none"
    session = SessionFactory(by=ann, problem="")
    for number in range(30):
        sessions.post(session, by=ann, body=f"Line {number}")
    handoff = HandoffFactory(by=ann, session=session, picker=ben)
    Assessment.objects.filter(handoff=handoff).update(state="timed_out", reason="It took longer than 5 seconds.")
    SessionFactory(by=ben, resolved=True)
    page = open_as(ben, f"/sessions/{session.pk}/", viewport={"width": width, "height": 740})
    expect(page.locator("[data-connection]")).to_have_attribute("data-connection", "live")
    box(page).focus()
    page.keyboard.type("half a thought")
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    before = page.evaluate(PLACE)
    assert post(server, ben, f"/handoffs/{handoff.pk}/assess/").status_code == 302
    expect(chip(page, 1)).to_be_visible()
    assert page.evaluate(PLACE) == before
    page.keyboard.type("!")
    expect(box(page)).to_have_value("half a th!ought")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(box(page)).to_have_value("")
    assert page.locator(".write[data-late]").count() == 0
