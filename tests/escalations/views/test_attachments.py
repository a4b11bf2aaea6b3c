"""The doors of attachments: who gets in, what comes out, and what an answer lets a browser do with it."""

import re
from pathlib import Path

import pgtrigger
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from escalations import files
from escalations.actions import drafts, handoffs
from escalations.models import Attachment, Handoff
from tests.attached import attach, png, sent
from tests.factories import SessionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def place(settings, tmp_path) -> Path:
    settings.ATTACHMENTS_DIR = tmp_path / "attachments"
    return settings.ATTACHMENTS_DIR


@pytest.fixture
def session(ann):
    return SessionFactory(by=ann)


def address(session, rest=""):
    return f"/sessions/{session.pk}/attachments/{rest}"


def file(name="shot.png", content=None):
    return SimpleUploadedFile(name, png() if content is None else content, "text/html")


HTMX = {"HTTP_HX_REQUEST": "true"}


def test_a_script_gets_the_line_of_its_file(session, ann, as_user):
    answer = as_user(ann).post(address(session), {"files": file()}, **HTMX)
    made = Attachment.objects.get()
    assert answer.status_code == 201
    assert f'name="attachment" value="{made.pk}"' in answer.text
    assert made.content_type == "image/png", "what the browser called it does not count"


def test_and_a_sentence_if_it_is_not_taken(session, ann, as_user):
    answer = as_user(ann).post(address(session), {"files": file("run.exe", b"MZ\0")}, **HTMX)
    assert answer.status_code == 422
    assert answer["HX-Retarget"] == "#notice"
    assert "“run.exe” cannot be attached." in answer.text
    assert "Choose a file first" in as_user(ann).post(address(session), **HTMX).text


def test_without_scripts_files_come_along_with_the_message(session, ann, as_user):
    browser = as_user(ann)
    before = session.messages.count()
    answer = browser.post(
        f"/sessions/{session.pk}/messages/", {"body": "Look", "files": [file("a.log", b"one"), file("b.exe", b"MZ\0")]}
    )
    assert answer.status_code == 422
    assert "“b.exe” cannot be attached." in answer.text
    assert ">Look</textarea>" in answer.text
    (kept,) = re.findall(r'name="attachment" value="([^"]+)"', answer.text)
    assert session.messages.count() == before
    answer = browser.post(f"/sessions/{session.pk}/messages/", {"body": "Look", "attachment": kept, "files": file()})
    assert answer.status_code == 302
    assert [each.name for each in session.messages.latest("number").attachments.all()] == ["a.log", "shot.png"]


def test_a_message_may_be_a_file_alone_but_not_nothing(session, ann, as_user):
    post = f"/sessions/{session.pk}/messages/"
    assert as_user(ann).post(post, {"body": ""}).status_code == 422
    answer = as_user(ann).post(post, {"body": "", "attachment": attach(session, by=ann).pk}, **HTMX)
    assert answer.status_code == 200
    assert "shot.png" in answer.text
    assert "Tried it?" not in answer.text


def test_what_a_form_names_and_is_none_is_refused(session, ann, as_user):
    post = f"/sessions/{session.pk}/messages/"
    for named, status in (("nonsense", 404), ("\0", 404), ("00000000-0000-0000-0000-000000000000", 409)):
        assert as_user(ann).post(post, {"body": "Look", "attachment": named}).status_code == status


@pytest.mark.parametrize(
    ("name", "content", "kind", "disposition"),
    [
        ("shot.png", png(), "image/png", 'inline; filename="shot.png"'),
        ("setup.log", b"<script>alert(1)</script>", "text/plain; charset=utf-8", 'attachment; filename="setup.log"'),
        ("a.pdf", b"%PDF-1.7", "application/pdf", 'attachment; filename="a.pdf"'),
        ("Größe.log", b"x", "text/plain; charset=utf-8", "attachment; filename*=utf-8''Gr%C3%B6%C3%9Fe.log"),
    ],
)
def test_a_browser_may_show_pictures_and_do_nothing_with_the_rest(
    name, content, kind, disposition, session, ann, vic, as_user
):
    made = sent(session, by=ann, name=name, content=content)
    answer = as_user(vic).get(address(session, f"{made.pk}/"))
    assert answer.getvalue() == content
    assert (answer["Content-Type"], answer["Content-Disposition"]) == (kind, disposition)
    assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert "script" not in answer["Content-Security-Policy"]
    assert (answer["X-Content-Type-Options"], answer["Cache-Control"]) == ("nosniff", "no-store")
    assert answer["Content-Length"] == str(len(content))


def test_a_stranger_gets_nothing_and_neither_does_a_colleague_before_it_is_sent(session, ann, ben, zoe, as_user):
    made, waiting = sent(session, by=ann), attach(session, by=ann)
    for somebody, one, status in (
        (zoe, made, 404), (ben, made, 200), (ben, waiting, 404), (ann, waiting, 200),
    ):  # fmt: skip
        assert as_user(somebody).get(address(session, f"{one.pk}/")).status_code == status
    other = SessionFactory(by=ann)
    assert as_user(ann).get(address(other, f"{made.pk}/")).status_code == 404, "each is its session's"
    assert as_user(ben).post(address(session, f"{waiting.pk}/remove/")).status_code == 403
    assert as_user(zoe).post(address(session, f"{waiting.pk}/remove/")).status_code == 404
    assert Attachment.objects.count() == 2


def test_only_the_holder_attaches(session, ann, ben, vic, zoe, as_user):
    for somebody, status in ((vic, 403), (ben, 403), (zoe, 404), (ann, 302)):
        assert as_user(somebody).post(address(session), {"files": file()}).status_code == status
    assert Attachment.objects.count() == 1


def test_where_the_file_is_gone_there_is_nothing(session, ann, as_user):
    made = sent(session, by=ann)
    files.remove([made.pk])
    assert as_user(ann).get(address(session, f"{made.pk}/")).status_code == 404


def test_only_the_doors_that_take_files_take_long_bodies(session, ann, as_user, settings):
    settings.ATTACHMENT_MAX_MB = 1
    browser, long = as_user(ann), b"x" * 1024 * 1024
    assert browser.post(address(session), {"files": file("a.log", long)}).status_code == 302
    assert (
        browser.post(f"/sessions/{session.pk}/messages/", {"body": "x", "files": file("a.log", long)}).status_code
        == 302
    )
    for path in (f"/sessions/{session.pk}/draft/", f"/sessions/{session.pk}/escalate/", "/sessions/", "/api/sessions"):
        assert browser.post(path, {"files": file("a.log", long)}).status_code == 413, path
    assert browser.post(address(session), long, content_type="text/plain").status_code == 413
    answer = browser.post(address(session), {"files": file("a.log", long + b"x")}, **HTMX)
    assert (answer.status_code, "larger than 1 MB" in answer.text) == (413, True)
    answer = browser.post(address(session), {"files": [file("a.log", long), file("b.log", long)]}, **HTMX)
    assert (answer.status_code, "more than 1 MB in one request" in answer.text) == (413, True)


def test_the_context_screen_shows_what_was_frozen_and_old_snapshots_without(session, ann, ben, as_user):
    made = sent(session, by=ann, name="setup.log", content=b"password: Hunter2-secret!\nError 0x80070005")
    handoff = handoffs.escalate(session, by=ann, reason="Stuck.")
    shown = as_user(ben).get(f"/handoffs/{handoff.pk}/").text
    for words in ("setup.log", made.sha256, "Error 0x80070005", f"message {made.message.number}", "unchanged since"):
        assert words in shown
    assert "Hunter2" not in shown
    handoff = Handoff.objects.get(pk=handoff.pk)
    handoff.snapshot.pop("attachments")
    with pgtrigger.ignore("escalations.Handoff:snapshot_is_frozen"):
        handoff.save()
    assert "setup.log" not in as_user(ben).get(f"/handoffs/{handoff.pk}/").text


def test_programs_find_files_in_the_messages_and_read_them(session, ann, ben, zoe, as_user):
    made, waiting = sent(session, by=ann), attach(session, by=ann)
    told = as_user(ben).get(f"/api/sessions/{session.pk}").json()["messages"][-1]["attachments"]
    assert told == [
        {"id": str(made.pk), "name": "shot.png", "content_type": "image/png", "size": len(png()), "sha256": made.sha256,
         "url": f"/api/sessions/{session.pk}/attachments/{made.pk}"}
    ]  # fmt: skip
    assert as_user(ben).get(told[0]["url"]).getvalue() == png()
    assert as_user(zoe).get(told[0]["url"]).status_code == 404
    assert as_user(ann).get(f"/api/sessions/{session.pk}/attachments/{waiting.pk}").status_code == 404


# Drafts, at their door


def keep(browser, session, **told):
    told = {"field": "message", "text": "half a thought", "sent": 0, "page": "a", "turn": 1} | told
    return browser.post(f"/sessions/{session.pk}/draft/", told)


def test_a_draft_is_in_the_field_of_its_person_with_where_it_comes_from(session, ann, ben, as_user):
    browser = as_user(ann)
    assert keep(browser, session).status_code == 204
    shown = browser.get(f"/sessions/{session.pk}/").text
    assert ">half a thought</textarea>" in shown
    assert re.search(r"Draft from <time [^>]*>\d\d:\d\d</time> kept", shown)
    assert "half a thought" not in as_user(ben).get(f"/sessions/{session.pk}/").text
    browser.post(f"/sessions/{session.pk}/messages/", {"body": "half a thought"})
    shown = browser.get(f"/sessions/{session.pk}/").text
    assert ">half a thought</textarea>" not in shown
    late = keep(browser, session, turn=2)
    assert (late.status_code, late.json()) == (409, {"sent": 1})


def test_a_former_holder_reads_it_and_may_discard_it(session, ann, ben, as_user):
    browser = as_user(ann)
    keep(browser, session)
    keep(browser, session, field="reason", text="stuck at the broker")
    handoffs.pick_up(handoffs.escalate(session, by=ann, reason="Stuck."), by=ben)
    shown = browser.get(f"/sessions/{session.pk}/").text
    assert shown.count("Your unsent draft") == 2
    assert "readonly" in shown
    assert "stuck at the broker" in shown
    answer = keep(browser, session, text="", page="discard", turn=0, discard="yes")
    assert answer.status_code == 302
    assert drafts.of(session, by=ann)["message"].text == ""


@pytest.mark.parametrize(
    "told",
    [
        {"field": "title"},
        {"text": "x" * 10_001},
        {"sent": "-1"},
        {"sent": "x"},
        {"turn": ""},
        {"page": "x" * 41},
        {"text": "a\0"},
    ],
)
def test_what_is_no_draft_is_refused(told, session, ann, as_user):
    assert keep(as_user(ann), session, **told).status_code == 422


def test_drafts_have_their_ladder(session, ann, ben, vic, zoe, as_user):
    for somebody, status in ((vic, 403), (zoe, 404), (ben, 204), (ann, 204)):
        assert keep(as_user(somebody), session).status_code == status
    assert as_user(ann).get(f"/sessions/{session.pk}/draft/").status_code == 405
