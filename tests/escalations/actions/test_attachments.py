"""Files in a session: kept as a whole or not at all, only what may be, and gone with what they belong to."""

import os
import stat
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from escalations import files, knowledge, scanning, snapshot
from escalations.actions import attachments, handoffs, pruning, sessions
from escalations.actions.attachments import Refused, TooLarge
from escalations.actions.refusals import Conflict, NotAllowed
from escalations.models import AISession, Attachment
from tests.attached import attach, png, sent
from tests.factories import HandoffFactory, SessionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def place(settings, tmp_path) -> Path:
    settings.ATTACHMENTS_DIR = tmp_path / "attachments"
    return settings.ATTACHMENTS_DIR


@pytest.fixture
def session(ann):
    return SessionFactory(by=ann)


def lying(place):
    return sorted(path.name for path in place.glob("*/*"))


def test_a_file_is_stored_by_its_id_for_its_owner_alone_and_waits_to_be_sent(session, ann, place):
    made = attach(session, by=ann, content=png())
    path = files.path_of(made.pk)
    assert lying(place) == [made.pk.hex]
    assert path.read_bytes() == png()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (made.message, made.content_type, made.size) == (None, "image/png", len(png()))
    message = sessions.post(session, by=ann, body="", files=[made.pk])
    assert [found.name for found in message.attachments.all()] == ["shot.png"]


def test_only_the_holder_attaches_and_nothing_is_left_of_what_was_refused(session, ben, vic, place):
    for somebody in (ben, vic):
        with pytest.raises(NotAllowed):
            attach(session, by=somebody)
    assert lying(place) == []


def test_a_closed_session_takes_none(ann):
    with pytest.raises(Conflict):
        attach(SessionFactory(by=ann, resolved=True), by=ann)


def test_the_limit_of_one_file_is_exact(session, ann, settings):
    settings.ATTACHMENT_MAX_MB = 1
    most = 1024 * 1024
    assert attach(session, by=ann, name="a.log", content=b"x" * most).size == most
    with pytest.raises(TooLarge, match="larger than 1 MB"):
        attach(session, by=ann, name="a.log", content=b"x" * (most + 1))
    with pytest.raises(Refused, match="empty"):
        attach(session, by=ann, name="a.log", content=b"")


def test_a_message_takes_ten_and_a_session_so_many_bytes(session, ann, monkeypatch):
    for _ in range(10):
        attach(session, by=ann)
    with pytest.raises(Refused, match="10 files at most"):
        attach(session, by=ann)
    sessions.post(session, by=ann, body="Look", files=[each.pk for each in attachments.unsent(session, by=ann)])
    monkeypatch.setattr(attachments, "PER_SESSION", 11 * len(png()))
    attach(session, by=ann)
    with pytest.raises(Refused, match="no room"):
        attach(session, by=ann)


def test_what_is_not_there_any_more_is_not_sent_and_the_message_is_not_posted(session, ann):
    made = attach(session, by=ann)
    attachments.remove(made, by=ann)
    before = session.messages.count()
    with pytest.raises(Conflict, match="not there any more"):
        sessions.post(session, by=ann, body="Look", files=[made.pk])
    assert session.messages.count() == before


def test_files_of_somebody_else_or_of_another_session_cannot_be_sent_along(session, ann, ben):
    elsewhere = attach(SessionFactory(by=ann), by=ann)
    bens = attach(SessionFactory(by=ben), by=ben)
    for made in (elsewhere, bens, sent(session, by=ann)):
        with pytest.raises(Conflict):
            sessions.post(session, by=ann, body="Look", files=[made.pk])


def test_what_waits_is_taken_out_by_who_attached_it_with_its_file(
    session, ann, ben, place, django_capture_on_commit_callbacks
):
    made = attach(session, by=ann)
    with pytest.raises(NotAllowed):
        attachments.remove(made, by=ben)
    with django_capture_on_commit_callbacks(execute=True):
        attachments.remove(made, by=ann)
    assert lying(place) == []
    with pytest.raises(Conflict, match="sent already"):
        attachments.remove(sent(session, by=ann), by=ann)


# Killed in between


def test_where_the_row_cannot_be_written_the_file_goes(session, ann, place, monkeypatch):
    def fall(attachment):
        assert lying(place) == [attachment.pk.hex], "first, the file is there before the row"
        raise RuntimeError("gone")

    monkeypatch.setattr(attachments, "_add", fall)
    with pytest.raises(RuntimeError):
        attach(session, by=ann)
    assert lying(place) == []


def test_where_the_disk_is_full_that_is_said(session, ann, place, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(Conflict, match="could not be stored"):
        attach(session, by=ann)
    assert lying(place) == []


def test_the_sweep_finds_what_a_killed_process_left_and_leaves_the_rest(
    session, ann, place, django_capture_on_commit_callbacks
):
    kept, forgotten, waiting = sent(session, by=ann), attach(session, by=ann), attach(session, by=ann)
    Attachment.objects.filter(pk=forgotten.pk).update(created_at=timezone.now() - timedelta(hours=25))
    orphan, part = place / "ab" / ("ab" * 16), place / "ab" / ("ac" * 16 + ".part")
    fresh = place / "ab" / ("ad" * 16)
    orphan.parent.mkdir(exist_ok=True)
    for path in (orphan, part, fresh):
        path.write_bytes(b"x")
    long_ago = time.time() - 25 * 3600
    for path in (orphan, part, files.path_of(kept.pk)):
        os.utime(path, (long_ago, long_ago))
    with django_capture_on_commit_callbacks(execute=True):
        attachments.sweep()
    assert lying(place) == sorted([kept.pk.hex, waiting.pk.hex, fresh.name])
    assert set(Attachment.objects.all()) == {kept, waiting}


# The scanner


def scanner(tmp_path, body):
    script = tmp_path / "scan.py"
    script.write_text(f"import sys\nread = sys.stdin.buffer.read()\n{body}\n")
    return f"{sys.executable} {script}"


VIRUS = "sys.exit(1 if b'EICAR' in read else 0)"


def test_what_the_scanner_finds_something_in_is_refused(session, ann, settings, tmp_path, place):
    settings.ATTACHMENT_SCAN_COMMAND = scanner(tmp_path, VIRUS)
    attach(session, by=ann, name="a.log", content=b"all is well")
    with pytest.raises(Refused, match="virus scanner found something"):
        attach(session, by=ann, name="b.log", content=b"X5O EICAR")
    assert [each.name for each in Attachment.objects.all()] == ["a.log"]
    assert len(lying(place)) == 1


@pytest.mark.parametrize(
    "command", ["sys.exit(2)", "import time; time.sleep(60)", None], ids=["broken", "slow", "missing"]
)
def test_what_cannot_be_scanned_is_refused(command, session, ann, settings, tmp_path, place, monkeypatch):
    monkeypatch.setattr(scanning, "SECONDS", 1)
    settings.ATTACHMENT_SCAN_COMMAND = scanner(tmp_path, command) if command else "/nonexistent/scanner -"
    with pytest.raises(Refused, match="could not be checked"):
        attach(session, by=ann)
    assert lying(place) == []


def test_the_scanner_may_ask_for_the_path(session, ann, settings, tmp_path):
    script = tmp_path / "scan.py"
    script.write_text("import sys, pathlib; sys.exit(pathlib.Path(sys.argv[1]).read_bytes() == b'bad')")
    settings.ATTACHMENT_SCAN_COMMAND = f"{sys.executable} {script} {{}}"
    attach(session, by=ann, name="a.log", content=b"good")
    with pytest.raises(Refused):
        attach(session, by=ann, name="a.log", content=b"bad")


# Frozen, read, removed


def test_the_snapshot_names_what_was_sent_and_masks_what_it_shows(session, ann, ben):
    log = b"start\npassword: Hunter2-secret!\nend\n"
    made = sent(session, by=ann, name="setup.log", content=log)
    attach(session, by=ann, name="not-sent.log", content=log)
    handoff = handoffs.escalate(session, by=ann, reason="Stuck.")
    (told,) = handoff.snapshot["attachments"]
    assert (told["id"], told["name"], told["size"], told["sha256"]) == (
        str(made.pk),
        "setup.log",
        len(log),
        made.sha256,
    )
    assert (told["message"], told["by"]) == (made.message.number, "Ann Abel")
    assert "Hunter2" not in str(handoff.snapshot)
    assert "[hidden password]" in told["excerpt"]
    assert snapshot.digest(handoff.snapshot) == handoff.events.get().data["snapshot_sha256"]


def test_an_assessor_learns_names_and_nothing_else(session, ann):
    sent(session, by=ann, name="setup.log", content=b"the broker crashed")
    handoff = handoffs.escalate(session, by=ann, reason="Stuck.")
    for case in (knowledge.case_of_handoff(handoff), knowledge.case_of_session(session)):
        assert "[attached: setup.log]" in str(case.messages)
        assert "broker" not in str(case)


def test_pruned_sessions_leave_no_file(ann, ben, place, django_capture_on_commit_callbacks):
    alone = SessionFactory(by=ann)
    handoff = HandoffFactory(by=ann, session=SessionFactory(by=ann))
    kept = sent(SessionFactory(by=ann), by=ann)
    for session in (alone, handoff.session):
        sent(session, by=ann)
        sessions.resolve(session, by=ann, resolution="Done.")
    AISession.objects.filter(pk__in=[alone.pk, handoff.session_id]).update(
        created_at=timezone.now() - timedelta(days=40), resolved_at=timezone.now() - timedelta(days=40)
    )
    with django_capture_on_commit_callbacks(execute=True):
        pruning.prune(ann.account, before=pruning.cutoff(30), command="prune")
    assert lying(place) == [kept.pk.hex]
    assert Attachment.objects.get() == kept
