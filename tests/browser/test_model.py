"""A real model behind the product, as ann and ben see it: answers that come word by word, late assessments, secrets."""

import threading
import time

import pytest
from playwright.sync_api import expect

from escalations.models import AISession, Message
from tests import model_server
from tests.factories import HandoffFactory, SessionFactory
from tests.model_server import after, assessment, says, status
from tests.serving import Server, post


@pytest.fixture(scope="module")
def model():
    with model_server.ModelServer() as server:
        yield server


@pytest.fixture(scope="module")
def server_process(model, django_db_setup, django_db_blocker):
    """The product with this model, and a budget that a test can wait for."""
    with django_db_blocker.unblock():
        server = Server(ASSESSMENT_BUDGET_SECONDS="1.5", **model.settings()).start()
    until = time.monotonic() + 60
    while "can be asked" not in server.said():
        assert time.monotonic() < until, server.said()
        time.sleep(0.05)
    yield server
    server.stop()


def live(page):
    expect(page.locator("[data-connection]")).to_have_attribute("data-connection", "live")


def test_an_answer_comes_word_by_word_while_ann_goes_on_typing(open_as, server, ann, model):
    go_on = threading.Event()

    def speak(handler, asked):
        handler.begin_stream()
        for piece in ["Look at the ", "<b>cached</b> credentials."]:
            handler.piece(piece)
        go_on.wait(20)
        handler.piece(" [s1]\n\nThat is where it was.")
        handler.end_stream()

    SessionFactory(by=ann, resolved=True)
    session = SessionFactory(by=ann, problem="")
    page = open_as(ann, f"/sessions/{session.pk}/")
    live(page)
    model.behave(speak)
    box = page.get_by_label("Message")
    box.fill("Outlook asks for the password")
    page.keyboard.press("Enter")
    draft = page.locator("[data-draft]")
    expect(draft).to_contain_text("Look at the <b>cached</b> credentials.")
    expect(draft).to_have_attribute("aria-busy", "true")
    expect(box).to_have_value("")
    box.type("meanwhile I")
    box.evaluate("box => box.setSelectionRange(4, 4)")
    go_on.set()
    answer = page.locator("[data-kind=copilot]")
    expect(answer).to_contain_text("That is where it was.")
    expect(draft).to_have_count(0)
    expect(answer).to_have_count(1)
    expect(answer.locator(".source")).to_contain_text("Session")
    expect(box).to_have_value("meanwhile I")
    expect(box).to_be_focused()
    assert box.evaluate("box => box.selectionStart") == 4
    shown = page.locator(".log").inner_text()
    page.reload()
    assert page.locator(".log").inner_text() == shown


def test_an_answer_that_breaks_off_is_replaced_by_the_reason(open_as, server, ann, model):
    go_on = threading.Event()

    def break_off(handler, asked):
        handler.begin_stream()
        handler.piece("Look at the ")
        go_on.wait(20)  # and hangs up

    session = SessionFactory(by=ann, problem="")
    page = open_as(ann, f"/sessions/{session.pk}/")
    live(page)
    model.behave(break_off)
    page.get_by_label("Message").fill("It loops.")
    page.keyboard.press("Enter")
    expect(page.locator("[data-draft]")).to_contain_text("Look at the")
    go_on.set()
    expect(page.get_by_role("log")).to_contain_text("FlowPilot answers from your team's sessions instead.")
    expect(page.locator("[data-draft]")).to_have_count(0)
    expect(page.get_by_role("log")).to_contain_text("I found nothing close")


def test_a_models_assessment_names_its_sources_and_what_has_none(open_as, server, ann, ben, model):
    known = SessionFactory(by=ann, resolved=True)
    step = {"text": "Run rm -rf / on the server", "sources": ["s7"]}
    good = {"text": "Look at the cached credentials.", "sources": [{"kind": "session", "id": str(known.pk)}]}
    model.behave(says(assessment(suggested_steps=[good, step])))
    session = SessionFactory(by=ann)
    page = open_as(ben, "/queue/")
    live(page)
    post(server, ann, f"/sessions/{session.pk}/escalate/", reason="Stuck.", priority="normal")
    card = page.locator("#cards > li")
    expect(card.locator("[data-assessment=ready]")).to_be_visible()
    card.get_by_role("button", name="Pick Up").click()
    page.wait_for_url("**/handoffs/**")
    section = page.locator(".assessment")
    expect(section).to_contain_text("Made by openai:test.")
    expect(section.locator(".source", has_text=known.title).first).to_be_visible()
    page.get_by_role("link", name="Continue the session").click()
    chips = page.get_by_role("group", name="Suggested steps").get_by_role("button")
    expect(chips.first).not_to_contain_text("no source")
    expect(chips.last).to_contain_text("no source")
    expect(chips.last).to_contain_text("Changes or removes something")


def test_a_model_that_takes_too_long_is_unavailable_and_then_lands_in_place(open_as, server, ann, ben, model):
    model.behave(after(3, says(assessment())))
    page = open_as(ben, "/queue/")
    live(page)
    session = SessionFactory(by=ann)
    post(server, ann, f"/sessions/{session.pk}/escalate/", reason="Stuck.", priority="normal")
    page.locator("#cards > li").get_by_role("button", name="Pick Up").click()
    page.wait_for_url("**/handoffs/**")
    section = page.locator(".assessment")
    expect(section).to_contain_text("Assessment unavailable")
    expect(section).to_contain_text("It took longer than 1.5 seconds.")
    button = page.get_by_role("link", name="Continue the session")
    button.focus()
    expect(section).to_contain_text("A stale token.")
    expect(button).to_be_focused()


def test_where_the_model_fails_the_screen_says_whose_assessment_it_is(open_as, server, ann, ben, model):
    SessionFactory(by=ann, resolved=True)
    model.behave(status(500))
    handoff = HandoffFactory(by=ann)
    page = open_as(ben, "/queue/")
    expect(page.locator("[data-assessment=ready]")).to_be_visible()
    page.goto(f"{server.url}/handoffs/{handoff.pk}/")
    section = page.locator(".assessment")
    expect(section).to_contain_text("The model has a fault (500).")
    expect(section).to_contain_text("This comes from your team's own sessions instead.")


def test_a_secret_is_a_button_for_the_holder_and_words_for_others(open_as, server, ann, ben, model):
    page = open_as(ann, "/sessions/")
    page.get_by_label("Title").fill("Outlook loops")
    page.get_by_label("Problem").fill("The password is Sommer2024! and it loops.")
    page.get_by_role("button", name="Start", exact=True).click()
    live(page)
    expect(page.locator(".problem")).not_to_contain_text("Sommer2024!")
    session = AISession.objects.get()
    bens = open_as(ben, f"/sessions/{session.pk}/")
    hidden = page.get_by_role("button", name="hidden password 1")
    hidden.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".revealed")).to_have_text("Sommer2024!")
    expect(page.get_by_role("log")).to_contain_text("Ann Abel revealed hidden password 1.")
    expect(bens.get_by_role("log")).to_contain_text("Ann Abel revealed hidden password 1.")
    expect(bens.locator(".problem")).not_to_contain_text("Sommer2024!")
    assert not Message.objects.filter(body__contains="Sommer").exists()
