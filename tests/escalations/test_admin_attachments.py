"""Which files there are, in the admin: never what is in them, nobody else's, and nothing that is not sent yet."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from escalations.models import Attachment
from tests.attached import attach, png, sent
from tests.factories import SessionFactory

pytestmark = pytest.mark.django_db

LIST = "/admin/escalations/attachment/"
LOG = b"error 0x8004 at startup\n" * 100


@pytest.fixture(autouse=True)
def place(settings, tmp_path):
    settings.ATTACHMENTS_DIR = tmp_path / "attachments"
    settings.ATTACHMENT_SCAN_COMMAND = "true"


@pytest.fixture
def ours(ann):
    session = SessionFactory(by=ann, title="Outlook loops at Brightwater", ticket_ref="#1001")
    return sent(session, by=ann, name="setup.log", content=LOG)


@pytest.fixture
def theirs(zoe):
    return sent(SessionFactory(by=zoe, title="Printer smokes at Zenith"), by=zoe, name="smoke.png", content=png())


def page(row, view="change"):
    return f"{LIST}{row.pk}/{view}/"


def shown(browser, **question):
    return [row.name for row in browser.get(LIST, question).context["cl"].result_list]


def test_the_list_and_the_page_tell_of_a_file_all_but_its_content(adam, ours, as_user):
    browser = as_user(adam)
    for seen in (browser.get(LIST).text, browser.get(page(ours)).text):
        for told in (
            "setup.log",
            "2.3\N{NO-BREAK SPACE}KB",
            "text/plain",
            "Outlook loops at Brightwater",
            "Ann Abel",
            "Clean",
        ):
            assert told in seen
        assert "0x8004" in ours.excerpt, "first, there is something to tell"
        assert "0x8004" not in seen
        assert ours.sha256 not in seen


def test_a_long_name_is_shortened_in_the_list_and_whole_on_its_page(adam, ann, as_user):
    name = f"{'printer' * 8}-monday.log"
    made = sent(SessionFactory(by=ann), by=ann, name=name, content=LOG)
    browser = as_user(adam)
    assert f"{name[:23]}…{name[-24:]}</a>" in browser.get(LIST).text
    assert name in browser.get(page(made)).text


def test_adam_sees_his_accounts_and_sam_everybodys(adam, sam, ours, theirs, as_user):
    assert shown(as_user(sam)) == ["smoke.png", "setup.log"]
    assert shown(as_user(adam)) == ["setup.log"]
    for view in ("change", "history", "delete"):
        assert as_user(sam).get(page(theirs, view)).status_code in {200, 403}
        assert as_user(adam).get(page(theirs, view)).status_code == 404
    seen = as_user(adam).get(LIST, {"q": "smoke"}).text
    for word in ("Printer smokes", "Zoe", str(theirs.pk), "smoke.png"):
        assert word not in seen


@pytest.mark.parametrize("name", ["ann", "olga", "vic"])
def test_an_engineer_an_owner_and_a_viewer_are_refused(request, adam, ours, as_user, name):
    for address in (LIST, page(ours)):
        assert as_user(adam).get(address).status_code == 200
        assert as_user(request.getfixturevalue(name)).get(address, follow=True).status_code == 403


def test_what_is_not_sent_yet_is_its_persons_alone(adam, sam, ann, ours, as_user):
    waits = attach(ours.session, by=ann, name="private.log", content=b"a draft")
    for person in (adam, sam):
        assert shown(as_user(person)) == ["setup.log"]
        assert as_user(person).get(page(waits)).status_code == 404
    Attachment.objects.filter(pk=waits.pk).update(message=ours.message)
    assert set(shown(as_user(adam))) == {"setup.log", "private.log"}


def test_its_link_goes_through_the_door_that_decides_who_gets_it(adam, sam, zoe, ours, as_user):
    door = f"/sessions/{ours.session_id}/attachments/{ours.pk}/"
    link = f'<a href="{door}">'
    assert link in as_user(adam).get(page(ours)).text
    assert b"".join(as_user(adam).get(door)) == LOG
    assert as_user(zoe).get(door).status_code == 404
    assert link not in as_user(sam).get(page(ours)).text  # who has no sessions
    assert as_user(sam).get(door).status_code == 302


@pytest.mark.parametrize(
    ("command", "noted", "words"), [("true", True, "Clean"), ("", False, "No scanner was set"), ("", None, "Not known")]
)
def test_what_the_scanner_said_is_noted_with_the_file(adam, ann, as_user, settings, command, noted, words):
    settings.ATTACHMENT_SCAN_COMMAND = command
    made = sent(SessionFactory(by=ann), by=ann)
    if noted is None:
        Attachment.objects.update(scanned=None)  # as one from before this was noted
    made.refresh_from_db()
    assert made.scanned is noted
    assert words in as_user(adam).get(page(made)).text


def test_files_are_found_by_name_session_ticket_and_person_and_filtered(adam, ann, ben, ours, as_user, settings):
    settings.ATTACHMENT_SCAN_COMMAND = ""
    sent(SessionFactory(by=ben, title="VPN drops", ticket_ref="#2"), by=ben, name="shot.png")
    browser = as_user(adam)
    assert shown(browser) == ["shot.png", "setup.log"], "the newest first"
    for question in ({"q": "setup"}, {"q": "brightwater"}, {"q": "#1001"}, {"q": "ann abel"}):
        assert shown(browser, **question) == ["setup.log"]
    assert shown(browser, content_type="image/png") == shown(browser, scanned__exact="0") == ["shot.png"]


def test_an_address_cannot_be_used_to_guess_and_no_input_breaks_the_list(adam, sam, ours, as_user):
    for lookup in ("session__account__id__exact", "excerpt__startswith", "sha256__startswith", "uploaded_by__password"):
        assert as_user(adam).get(LIST, {lookup: "a"}).status_code == 400
    for person in (adam, sam):
        for question in ({"q": "\x00"}, {"content_type": "\x00"}, {"scanned__exact": "x"}, {"p": "9" * 30}, {"o": "x"}):
            assert as_user(person).get(LIST, question).status_code < 500, question
        assert as_user(person).get(f"{LIST}nonsense/change/").status_code == 404


def test_nothing_is_added_changed_or_deleted(adam, sam, ours, as_user):
    before = list(Attachment.objects.values())
    for person in (adam, sam):
        browser = as_user(person)
        assert 'name="_save"' not in browser.get(page(ours)).text
        assert "delete_selected" not in browser.get(LIST).text
        forged = {"name": "forged.log", "scanned": "on", "_save": "Save", "post": "yes"}
        for address in (page(ours), page(ours, "delete"), f"{LIST}add/"):
            assert browser.post(address, forged).status_code == 403
        browser.post(LIST, {"action": "delete_selected", "_selected_action": str(ours.pk)})
    assert list(Attachment.objects.values()) == before


def test_the_list_asks_the_same_questions_however_long_it_is(adam, sam, ann, as_user):
    for person in (adam, sam):
        as_user(person).get(LIST)  # what is asked once per process
        counts = []
        for _ in range(2):
            for _ in range(3):
                sent(SessionFactory(by=ann), by=ann)
            with CaptureQueriesContext(connection) as queries:
                assert as_user(person).get(LIST).status_code == 200
            counts.append(len(queries))
        assert counts[0] == counts[1], person
