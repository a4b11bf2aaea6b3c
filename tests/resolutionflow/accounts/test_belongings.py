"""One account leaves with all that is its own, and nothing of anybody else's."""

import json
import zipfile

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection

from analytics import facts
from escalations import audit, files
from escalations.actions import channels, deliveries, drafts, handoffs, secrets, sessions
from escalations.models import AISession, Attachment, Channel, Draft, Secret
from resolutionflow.accounts.belongings import Belongings
from resolutionflow.accounts.models import Account, ApiToken, User
from resolutionflow.trail import record
from resolutionflow.trail.models import Entry
from resolutionflow.trail.verification import prove
from tests.attached import sent
from tests.escalations.actions.test_pruning import closed
from tests.factories import HandoffFactory, UserFactory

HOOK = "https://hooks.example.org/harbor"
pytestmark = pytest.mark.django_db


def rows():
    """All rows of all tables but for the log of migrations, as text, by table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
            " AND table_name NOT LIKE 'procrastinate_ev%%' AND table_name <> 'django_migrations'"
        )
        found = {}
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{table}" AS t')  # noqa: S608
            found[table] = {row for (row,) in cursor.fetchall()}
    return found


@pytest.fixture(autouse=True)
def place(settings, tmp_path):
    settings.ATTACHMENTS_DIR = tmp_path / "attachments"


def lived_in(by, picker, as_user):
    """An account in which all kinds of rows are there."""
    closed(by, picker)
    HandoffFactory(by=by)
    lost = HandoffFactory(by=by, picker=picker)
    with pytest.raises(handoffs.AlreadyPickedUp):
        handoffs.pick_up(lost, by=UserFactory(account=by.account))
    session = sessions.start(by.account, by=by, title="VPN", problem="password: hunter22")
    secrets.reveal(session.secrets.get(), by=by)
    sent(session, by=by, name="setup.log", content=f"the log of {by.name}".encode())
    drafts.keep(session, by=by, field="message", text="hunter22 it was", sent=0, page="p", turn=1)
    ApiToken.issue(by)
    manager = UserFactory(account=by.account, role="owner")
    told = {"target": HOOK, "kinds": ["handoff_created"], "priorities": ["normal"]}
    channel, _ = channels.add(by=manager, kind="webhook", name="Hook", **told)
    HandoffFactory(by=by)
    deliveries.fan_out(by.account_id)
    deliveries.test(channel)
    facts.catch_up(by.account)
    as_user(by).get("/queue/")
    as_user(by).get("/notifications/")
    record("signed_in", account=by.account, by=by)


@pytest.fixture
def both(ann, ben, zoe, summit, as_user):
    """Harbor IT and Summit Desk, both full of life."""
    before = rows()
    lived_in(zoe, UserFactory(account=summit), as_user)
    elsewhere = rows()
    lived_in(ann, ben, as_user)
    return before, elsewhere


def test_who_is_deleted_leaves_nothing_and_the_others_stay_as_they_are(both, harbor, capsys):
    _, elsewhere = both
    call_command("delete_account", "harbor-it", yes="harbor-it")
    assert capsys.readouterr().out == "Harbor IT (harbor-it) is gone.\n"
    left = rows()
    told = {table: left[table] ^ elsewhere[table] for table in left if left[table] != elsewhere[table]}
    # Of Harbor IT only its people and itself were there before Summit Desk; now they are gone as well.
    assert {table for table in told if left[table] - elsewhere[table]} == {"trail_head", "trail_entry"}
    assert set(told) == {"trail_head", "trail_entry", "accounts_account", "accounts_user"}
    assert not Account.objects.filter(slug="harbor-it").exists()
    assert audit.breaches() == prove().breaches == []


def test_one_line_of_it_stays_in_the_installations_trail(both, harbor):
    entries = Entry.objects.filter(account=harbor).count()
    last = Entry.objects.filter(account=harbor).latest("seq").hash
    call_command("delete_account", "harbor-it", yes="harbor-it")
    told = Entry.objects.get(account=None)
    assert (told.kind, told.about) == ("account_deleted", "account harbor-it")
    assert told.details == {"command": "delete_account", "trail_entries": entries, "trail_ended_with": last}


@pytest.mark.parametrize("said", ["", "harbor", "Harbor IT", "summit-desk"])
def test_another_slug_removes_nothing(said, both, monkeypatch):
    before = rows()
    monkeypatch.setattr("builtins.input", lambda asked: said)
    for yes in (said, None):
        with pytest.raises(CommandError, match="not its slug"):
            call_command("delete_account", "harbor-it", yes=yes)
    assert rows() == before


def test_typed_again_it_goes(both, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda asked: "harbor-it")
    call_command("delete_account", "harbor-it")
    assert not Account.objects.filter(slug="harbor-it").exists()


def exported(tmp_path):
    file = tmp_path / "harbor.zip"
    call_command("export_account", "harbor-it", str(file))
    assert file.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(file) as archive:
        told = {name: archive.read(name).decode() for name in archive.namelist() if not name.startswith("attach")}
    manifest = json.loads(told.pop("manifest.json"))
    found = {
        name.removesuffix(".jsonl"): [json.loads(line) for line in text.splitlines()] for name, text in told.items()
    }
    assert manifest["rows"] == {table: len(lines) for table, lines in found.items()}
    return found, "".join(told.values())


def test_the_export_has_all_of_the_account_and_nothing_of_another(both, ann, zoe, harbor, tmp_path):
    found, text = exported(tmp_path)
    assert {row["id"] for row in found["accounts_user"]} == {str(u.pk) for u in User.objects.for_account(harbor)}
    of_harbor = AISession.objects.for_account(harbor)
    assert {row["id"] for row in found["escalations_aisession"]} == {str(session.pk) for session in of_harbor}
    assert len(found["trail_entry"]) == Entry.objects.filter(account=harbor).count()
    full = ("message", "triedstep", "handoff", "assessment", "feedback", "secret", "reveal", "refusedpickup", "offer")
    full += ("channel", "delivery")
    for table in full:
        assert found[f"escalations_{table}"], table
    assert found["feed_event"]
    assert found["escalations_handoff"][0]["snapshot"]["session"]["title"]
    for stranger in (zoe.account_id, *User.objects.filter(account=zoe.account).values_list("pk", flat=True)):
        assert str(stranger) not in text


def test_the_export_has_the_files_and_names_those_that_are_missing(both, ann, zoe, harbor, tmp_path):
    mine, elsewhere = (Attachment.objects.get(session__account=who.account) for who in (ann, zoe))
    gone = sent(AISession.objects.filter(holder=ann, state="active").first(), by=ann)
    files.remove([gone.pk])
    exported(tmp_path)
    with zipfile.ZipFile(tmp_path / "harbor.zip") as archive:
        held = [name for name in archive.namelist() if name.startswith("attachments/")]
        assert held == [f"attachments/{mine.pk}"]
        assert archive.read(held[0]) == b"the log of Ann Abel"
        assert json.loads(archive.read("manifest.json"))["attachments_missing"] == [str(gone.pk)]
    assert files.path_of(elsewhere.pk).exists()


def test_who_is_deleted_leaves_no_file_and_the_others_keep_theirs(both, ann, zoe):
    mine, elsewhere = (Attachment.objects.get(session__account=who.account) for who in (ann, zoe))
    assert files.path_of(mine.pk).exists()
    call_command("delete_account", "harbor-it", yes="harbor-it")
    assert not files.path_of(mine.pk).exists()
    assert files.path_of(elsewhere.pk).exists()
    assert Draft.objects.get().by == zoe


def test_nothing_in_it_opens_anything(both, ann, harbor, tmp_path):
    _, text = exported(tmp_path)
    channel = Channel.objects.for_account(harbor).get()
    sealed = channel.sealed_target, channel.sealed_secret
    for locked in (
        ann.password,
        Secret.objects.first().sealed,
        ApiToken.objects.get(user=ann).digest,
        "hunter22",
        HOOK,
        *sealed,
    ):
        assert locked == "!" or locked not in text
    assert '"password":' not in text


def test_a_file_that_is_there_is_not_written_over(both, tmp_path):
    file = tmp_path / "kept.zip"
    file.write_text("kept")
    with pytest.raises(CommandError, match="is there already"):
        call_command("export_account", "harbor-it", str(file))
    assert file.read_text() == "kept"


def test_a_folder_that_is_not_there_is_said_so(both, tmp_path):
    with pytest.raises(CommandError, match="Cannot write"):
        call_command("export_account", "harbor-it", str(tmp_path / "nowhere" / "harbor.zip"))


def test_every_table_with_an_account_is_among_them():
    """`account_id` in a table that no foreign key reaches would stay behind."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND column_name IN ('account_id', 'user_id', 'session_id', 'handoff_id')"
        )
        named = {table for (table,) in cursor.fetchall()}
    assert named <= set(Belongings().tables)


def test_sign_ins_end_with_the_account(both, ann, as_user):
    browser = as_user(ann)
    assert browser.get("/queue/").status_code == 200
    call_command("delete_account", "harbor-it", yes="harbor-it")
    assert browser.get("/queue/").status_code == 302
    assert not any(each.get_decoded().get("_auth_user_id") == str(ann.pk) for each in Session.objects.all())
