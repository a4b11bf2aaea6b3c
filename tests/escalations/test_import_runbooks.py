"""`manage.py import_runbooks`: each page once, good ones kept, bad ones named, and the playbook knows them at once."""

import io

import pytest
from django.core.management import CommandError, call_command

from escalations import knowledge
from escalations.actions import handoffs
from escalations.assessor import playbook, sentences
from escalations.models import Runbook
from tests.factories import SessionFactory

pytestmark = pytest.mark.django_db

SPOOLER = "# The spooler hangs on the print server\n\n1. Stop the spooler\n2. Clear its folder\n3. Start the spooler\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "printing").mkdir()
    (tmp_path / "printing" / "spooler.md").write_text(SPOOLER)
    (tmp_path / "vpn.md").write_text("# VPN drops\n\n- Lower the MTU to 1400\n")
    return tmp_path


def run(folder, account="harbor-it"):
    """What it says, and its exit status."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("import_runbooks", str(folder), account=account, stdout=out, stderr=err)
    except SystemExit as end:
        return out.getvalue(), err.getvalue(), end.code
    return out.getvalue(), err.getvalue(), 0


def test_pages_are_kept_once(harbor, folder):
    assert run(folder) == ("Imported 2 runbooks.\n", "", 0)
    kept = set(Runbook.objects.values_list("pk", "path", "title"))
    assert {path for _, path, _ in kept} == {"printing/spooler.md", "vpn.md"}
    assert run(folder) == ("Imported 0 runbooks, 2 were there already.\n", "", 0)
    assert set(Runbook.objects.values_list("pk", "path", "title")) == kept


def test_a_page_that_changed_replaces_its_old_self(harbor, folder):
    run(folder)
    before = Runbook.objects.get(path="vpn.md")
    (folder / "vpn.md").write_text("# VPN drops\n\n- Replace the modem\n")
    assert run(folder)[0] == "Imported 0 runbooks, 1 was changed, 1 was there already.\n"
    after = Runbook.objects.get(path="vpn.md")
    assert (after.pk, after.steps) == (before.pk, ["Replace the modem"])
    if sentences.is_there():
        assert after.whole not in {None, before.whole}


def test_bad_files_are_named_and_the_others_kept(harbor, folder):
    (folder / "broken.md").write_bytes(b"\xff\xfe")
    (folder / "empty.md").write_text("")
    out, err, status = run(folder)
    assert (out, status) == ("Imported 2 runbooks, 2 bad files.\n", 1)
    assert "broken.md: not UTF-8" in err
    assert "empty.md: there is nothing in it" in err


def test_a_page_without_steps_is_kept_with_a_word(harbor, tmp_path):
    (tmp_path / "a.md").write_text("# Only a heading")
    out, err, status = run(tmp_path)
    assert (out, status) == ("Imported 1 runbook.\n", 0)
    assert "no steps were found" in err


def test_an_empty_folder_says_so(harbor, tmp_path):
    assert run(tmp_path)[0] == "Imported 0 runbooks, there was no Markdown file.\n"


def test_a_folder_that_is_none_and_an_account_that_is_none_are_refused(harbor, tmp_path):
    with pytest.raises(CommandError, match="no folder"):
        run(tmp_path / "nowhere")
    with pytest.raises(CommandError, match="No account has the slug"):
        run(tmp_path, account="nobody")


def test_an_assessment_suggests_its_steps_and_names_it(ann, harbor, folder):
    run(folder)
    session = SessionFactory(by=ann, title="The spooler hangs on the print server", problem="Nothing prints.")
    case = knowledge.case_of_handoff(handoffs.escalate(session, by=ann, reason="Stuck."))
    page = Runbook.objects.get(path="printing/spooler.md")
    assert [(each.id, each.title) for each in case.pages][:1] == [(str(page.pk), page.title)]
    first = playbook.assess(case).suggested_steps[0]
    assert first.text == "Stop the spooler"
    assert [(source.kind, source.id, source.title) for source in first.sources] == [
        ("runbook", str(page.pk), page.title)
    ]


def test_another_accounts_pages_are_never_seen(zoe, harbor, summit, folder):
    run(folder)
    session = SessionFactory(by=zoe, title="The spooler hangs on the print server", problem="Nothing prints.")
    assert knowledge.case_of_session(session).pages == ()
    run(folder, account="summit-desk")
    (page, *_) = knowledge.case_of_session(session).pages
    assert Runbook.objects.get(pk=page.id).account == summit
