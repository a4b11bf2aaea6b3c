"""Files in the conversation: pasted, dropped or chosen with the keyboard, seen by colleagues as they come."""

import base64

import pytest
from playwright.sync_api import expect

from escalations.models import AISession, Attachment
from tests.attached import png, sent
from tests.factories import SessionFactory

MAKE = """const make = ([type, name, content]) =>
  new File([Uint8Array.from(atob(content), (c) => c.charCodeAt(0))], name, { type });
  const data = new DataTransfer();"""
PASTE = f"""(files) => {{ {MAKE} files.forEach((file) => data.items.add(make(file)));
  document.activeElement.dispatchEvent(new ClipboardEvent("paste",
    {{ clipboardData: data, bubbles: true, cancelable: true }})) }}"""
PASTE_TEXT = f"""(text) => {{ {MAKE} data.setData("text/plain", text);
  return document.activeElement.dispatchEvent(new ClipboardEvent("paste",
    {{ clipboardData: data, bubbles: true, cancelable: true }})) }}"""
DROP = f"""(files) => {{ {MAKE} files.forEach((file) => data.items.add(make(file)));
  const log = document.querySelector('[role="log"]');
  for (const kind of ["dragover", "drop"])
    log.dispatchEvent(new DragEvent(kind, {{ dataTransfer: data, bubbles: true, cancelable: true }})) }}"""


def file(name, content, kind="image/png"):
    return [kind, name, base64.b64encode(content).decode()]


def box(page):
    return page.get_by_label("Message", exact=True)


def waiting(page):
    return page.get_by_role("list", name="Files to send").get_by_role("listitem")


@pytest.fixture
def session(server, ann, harbor) -> AISession:
    harbor.ai = "none"
    harbor.save()
    return SessionFactory(by=ann)


@pytest.fixture
def page(open_as, session, ann):
    page = open_as(ann, f"/sessions/{session.pk}/")
    expect(page.locator("[data-connection]")).to_have_attribute("data-connection", "live")
    return page


def test_a_pasted_screenshot_goes_with_the_message_and_colleagues_see_it_come(page, open_as, session, ben):
    bens = open_as(ben, f"/sessions/{session.pk}/")
    expect(bens.locator("[data-connection]")).to_have_attribute("data-connection", "live")
    box(page).fill("This is what it shows")
    page.evaluate(PASTE, [file("image.png", png(30, 20))])
    expect(waiting(page).get_by_role("link", name="Screenshot").first).to_be_visible()
    expect(box(page)).to_have_value("This is what it shows")
    expect(box(page)).to_be_focused()
    box(page).press("Enter")
    expect(waiting(page)).to_have_count(0)
    for shown in (page, bens):
        picture = shown.get_by_role("log").get_by_role("img", name="Screenshot")
        expect(picture).to_be_visible()
        shown.wait_for_function("picture => picture.naturalWidth === 30", arg=picture.element_handle())
    assert Attachment.objects.get().message.body == "This is what it shows"
    box(page).press("Enter")  # nothing at all is not sent
    assert session.messages.filter(kind="engineer").count() == 1


def test_several_are_dropped_at_once_one_is_refused_in_words_and_the_text_stays(page):
    box(page).fill("Look")
    page.evaluate(DROP, [file("a.log", b"one", "text/plain"), file("run.exe", b"MZ\0"), file("b.png", png())])
    expect(waiting(page)).to_have_count(3)
    expect(page.get_by_role("alert")).to_contain_text("“run.exe” cannot be attached.")
    expect(waiting(page).get_by_role("link", name="b.png").first).to_be_visible()
    page.get_by_role("button", name="Dismiss").click()
    page.get_by_role("button", name="Remove a.log").click()
    expect(waiting(page)).to_have_count(1)
    page.reload()
    expect(waiting(page)).to_have_count(1)
    expect(box(page)).to_have_value("Look")
    box(page).press("Enter")
    expect(page.get_by_role("log").get_by_role("link", name="b.png").first).to_be_visible()
    assert [each.name for each in Attachment.objects.all()] == ["b.png"]


def test_with_the_keyboard_alone_and_sent_while_it_is_still_on_its_way(page, tmp_path):
    log = tmp_path / "setup.log"
    log.write_text("started\npassword: Hunter2-secret!\nError 0x80070005")
    held = []
    page.route("**/attachments/", lambda route: held.append(route))
    box(page).focus()
    page.keyboard.press("Tab")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files(log)
    expect(page.get_by_role("progressbar", name="Uploading setup.log")).to_be_visible()
    box(page).fill("The log")
    box(page).press("Enter")
    expect(page.get_by_role("status").filter(has_text="It is sent when")).to_have_count(1)
    expect(page.get_by_role("log").get_by_text("The log")).to_have_count(0)
    held[0].continue_()
    said = page.get_by_role("log").locator(".message", has_text="The log")
    said.get_by_text("Show an excerpt").click()
    expect(said).to_contain_text("password: [hidden password]\nError 0x80070005")
    with page.expect_download() as download:
        said.get_by_role("link", name="setup.log").click()
    assert download.value.suggested_filename == "setup.log"


def test_a_pasted_text_that_is_too_long_for_a_message_becomes_a_file(page):
    box(page).focus()
    assert page.evaluate(PASTE_TEXT, "a short line") is True, "which the browser pastes"
    assert page.evaluate(PASTE_TEXT, "a line of the log\n" * 1000) is False
    expect(waiting(page).get_by_role("link", name="Pasted")).to_be_visible()
    expect(box(page)).to_have_value("")
    assert Attachment.objects.get().size == 18_000


def test_without_the_server_nothing_typed_is_lost_and_it_can_be_tried_again(page):
    box(page).fill("Look")
    page.context.set_offline(True)
    page.evaluate(PASTE, [file("a.png", png())])
    expect(page.get_by_role("alert")).to_contain_text("the server cannot be reached")
    page.context.set_offline(False)
    page.get_by_role("button", name="Dismiss").click()
    page.evaluate(PASTE, [file("a.png", png())])
    expect(waiting(page).get_by_role("link", name="a.png").first).to_be_visible()
    expect(box(page)).to_have_value("Look")


def test_a_file_opened_by_itself_runs_nothing(open_as, server, session, ann):
    page = open_as(ann, "/queue/")
    both = sent(session, by=ann, name="both.gif", content=b"GIF89a/*\0*/=1;alert(1)//<script>alert(1)</script>")
    page.goto(f"{server.url}/sessions/{session.pk}/attachments/{both.pk}/")
    assert page.evaluate("document.contentType") == "image/gif"
    assert page.evaluate("window.origin") == "null", "a place of its own, apart from the product's"
