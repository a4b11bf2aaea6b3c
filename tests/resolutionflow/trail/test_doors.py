"""What people and the operator do is in the trail, done through the door that they use."""

import json
import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from escalations.actions import sessions
from resolutionflow.accounts.models import ApiToken
from resolutionflow.trail import record
from resolutionflow.trail.kinds import KINDS
from resolutionflow.trail.models import Entry
from resolutionflow.trail.verification import prove
from tests.factories import HandoffFactory, SessionFactory
from tests.resolutionflow.accounts.test_admin import NEW, listing, page, password_page, person_form

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parent.parent.parent.parent


def entries(account):
    """(kind, actor's name, about) of an account's entries, the oldest first."""
    assert prove().breaches == []
    return list(Entry.objects.filter(account=account).order_by("seq").values_list("kind", "actor_name", "about"))


def the_entry(account):
    (entry,) = Entry.objects.filter(account=account)
    assert prove().breaches == []
    return entry


@pytest.fixture
def ann(ann):
    ann.set_password("correct horse")
    ann.save()
    return ann


def test_signing_in_and_out(ann, harbor):
    browser = Client()
    browser.post("/login/", {"username": ann.email, "password": "wrong"})
    browser.post("/login/", {"username": ann.email.upper(), "password": "correct horse"})
    browser.post("/logout/")
    about = f"person {ann.pk}"
    assert entries(harbor) == [
        ("sign_in_failed", "Ann Abel", about),
        ("signed_in", "Ann Abel", about),
        ("signed_out", "Ann Abel", about),
    ]


@pytest.mark.parametrize("typed", ["hunter22", "nobody@harbor.example", "a\0b"])
def test_an_address_that_is_nobodys_is_not_written_down(typed, harbor):
    Client().post("/login/", {"username": typed, "password": "hunter22"})
    assert entries(harbor) == []
    assert set(entries(None)) <= {("sign_in_failed", "", "unknown address")}
    assert "hunter22" not in json.dumps(list(Entry.objects.values("about", "details", "actor_name")))


def test_a_locked_door_writes_nothing_more(ann, harbor):
    for _ in range(12):
        Client().post("/login/", {"username": ann.email, "password": "wrong"})
    assert 9 <= len(entries(harbor)) <= 10


def test_claims_and_what_becomes_of_them(ann, ben, harbor, as_user):
    handoff, other = HandoffFactory(by=ann), HandoffFactory(by=ann)
    for verb in ("pick-up", "pick-up", "release", "pick-up"):
        as_user(ben).post(f"/handoffs/{handoff.pk}/{verb}/")
    as_user(ben).post(f"/sessions/{handoff.session_id}/resolve/", {"resolution": "Deleted the cached token."})
    as_user(ann).post(f"/handoffs/{other.pk}/take-back/")
    about = f"handoff {handoff.pk}"
    assert entries(harbor) == [
        ("picked_up", "Ben Bauer", about),
        ("released", "Ben Bauer", about),
        ("picked_up", "Ben Bauer", about),
        ("resolved", "Ben Bauer", f"session {handoff.session_id}"),
        ("taken_back", "Ann Abel", f"handoff {other.pk}"),
    ]


def test_who_came_too_late_or_may_not_leaves_no_entry(ann, ben, vic, olga, harbor, as_user):
    handoff = HandoffFactory(by=ann, picker=ben)
    before = entries(harbor)
    for person in (ann, vic, olga):
        as_user(person).post(f"/handoffs/{handoff.pk}/pick-up/")
    assert entries(harbor) == before


def test_a_secret_that_was_read_and_never_the_secret(ann, harbor, as_user):
    session = sessions.start(ann.account, by=ann, title="VPN", problem="password: hunter22")
    as_user(ann).post(f"/sessions/{session.pk}/reveal/", {"number": 1})
    assert entries(harbor) == [("secret_revealed", "Ann Abel", f"password 1 of session {session.pk}")]


@pytest.mark.parametrize(
    ("address", "about"),
    [
        ("/analytics/escalations/table.csv?period=7d", "trend as CSV"),
        ("/analytics/escalations/handoffs.csv?period=7d&figure=escalations", "escalations as CSV"),
        ("/api/analytics/escalations?period=7d", "figures by the API"),
    ],
)
def test_exports(address, about, olga, ann, harbor, as_user):
    assert as_user(ann).get(address).status_code == 403
    assert as_user(olga).get(address).status_code == 200
    assert the_entry(harbor).details == {"period": "period=7d"}
    assert entries(harbor) == [("exported", "Olga Owner", about)]


def test_settings_and_people_in_the_admin(adam, ann, harbor, as_user):
    browser = as_user(adam)
    browser.post(
        page(harbor), {"name": "Harbour IT", "time_zone": "Europe/Berlin", "ai": "none", "lease_minutes": "10"}
    )
    browser.post(page(ann), person_form(ann, role="viewer"))
    browser.post(password_page(ann), {"password1": "a long walk home", "password2": "a long walk home"})
    browser.post(reverse("admin:accounts_user_add"), NEW)
    told = [(entry.kind, entry.details) for entry in Entry.objects.filter(account=harbor).order_by("seq")]
    assert told[0] == ("settings_changed", {"done": "changed", "fields": "Name, AI"})
    assert told[1] == ("person_changed", {"done": "changed", "fields": "Role"})
    assert told[2] == ("person_changed", {"done": "changed", "fields": "password"})
    assert told[3] == ("person_changed", {"done": "added", "fields": ""})
    assert {entry.actor_name for entry in Entry.objects.all()} == {"Adam Admin"}


def test_tokens(ann, adam, harbor, as_user, capsys):
    call_command("api_token", ann.email)
    plain = capsys.readouterr().out.strip()
    token = ApiToken.objects.get()
    as_user(adam).post(listing("apitoken"), {"action": "revoke", "_selected_action": str(token.pk)})
    assert entries(harbor) == [
        ("token_made", "", f"token {token.prefix} of person {ann.pk}"),
        ("token_revoked", "Adam Admin", f"api token {token.pk}"),
    ]
    assert plain not in json.dumps(list(Entry.objects.values("about", "details")))


def test_an_admins_verb_is_told_with_the_admin_and_with_whom_it_was_done_for(ann, ben, adam, harbor, as_user):
    handoff = HandoffFactory(by=ann, picker=ben)
    form = {"action": "put_back", "_selected_action": str(handoff.pk)}
    as_user(adam).post(reverse("admin:escalations_handoff_changelist"), form)
    assert entries(harbor)[1:] == [
        ("released", "Adam Admin", f"handoff {handoff.pk}"),
        ("admin_changed", "Adam Admin", f"handoff {handoff.pk}"),
    ]


def test_what_the_operator_does_to_an_account_stands_in_the_accounts_trail(sam, harbor, as_user):
    as_user(sam).post(page(harbor), {"name": "Harbour", "slug": "harbor-it", "time_zone": "UTC", "ai": "none"})
    assert [(kind, name) for kind, name, _ in entries(harbor)] == [("settings_changed", "Sam Super")]


def test_the_operators_commands(harbor, tmp_path):
    file = tmp_path / "past.jsonl"
    file.write_text('{"title": "VPN drops", "problem": "It drops", "resolution": "MTU 1400"}\n')
    (tmp_path / "vpn.md").write_text("# VPN\n1. Set the MTU\n")
    for _ in range(2):  # the second time there is nothing new
        call_command("import_sessions", str(file), account="harbor-it")
        call_command("import_runbooks", str(tmp_path), account="harbor-it")
    call_command("rebuild_metrics", account="harbor-it")
    told = [(entry.kind, entry.about, entry.details) for entry in Entry.objects.order_by("seq")]
    assert told == [
        ("imported", "sessions", {"command": "import_sessions", "kept": 1}),
        ("imported", "runbooks", {"command": "import_runbooks", "kept": 1}),
        ("metrics_rebuilt", "", {"command": "rebuild_metrics"}),
    ]


# Reading it


def test_an_account_admin_reads_the_own_trail_and_cannot_change_it(adam, zoe, harbor, as_user):
    record("resolved", account=harbor, by=adam, about="session 1")
    record("resolved", account=zoe.account, by=zoe, about="session 2")
    record("sign_in_failed", account=None, by=None, about="unknown address")
    browser = as_user(adam)
    shown = browser.get(reverse("admin:trail_entry_changelist")).text
    assert "session 1" in shown
    assert "session 2" not in shown
    assert "unknown address" not in shown
    own = page_of(Entry.objects.get(account=harbor))
    assert "session 1" in browser.get(own).text
    assert browser.post(own, {"about": "session 3"}).status_code == 403
    assert browser.get(page_of(Entry.objects.get(account=zoe.account))).status_code == 404
    assert browser.get(page_of(Entry.objects.get(account=None))).status_code == 404


def test_the_operator_reads_all_of_it(adam, zoe, sam, harbor, as_user):
    record("resolved", account=harbor, by=adam, about="session 1")
    record("sign_in_failed", account=None, by=None, about="unknown address")
    shown = as_user(sam).get(reverse("admin:trail_entry_changelist")).text
    assert "session 1" in shown
    assert "unknown address" in shown


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("kind=resolved", {"one"}),
        ("kind=nonsense", {"one", "two"}),
        ("q=Ann", {"two"}),
        ("q=adam@harbor", {"one"}),
        ("at__gte=2020-01-01+00:00:00%2B00:00", {"one", "two"}),
        ("at__gte=2999-01-01+00:00:00%2B00:00", set()),
    ],
)
def test_it_is_searched_by_kind_person_and_time(asked, found, adam, ann, harbor, as_user):
    record("resolved", account=harbor, by=adam, about="about one")
    record("released", account=harbor, by=ann, about="about two")
    shown = as_user(adam).get(f"{reverse('admin:trail_entry_changelist')}?{asked}").text
    assert {word for word in ("one", "two") if f"about {word}" in shown} == found


def page_of(entry):
    return reverse("admin:trail_entry_change", args=[entry.pk])


def test_the_documentation_knows_each_kind():
    told = (ROOT / "docs/trail.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", told, re.MULTILINE)) == set(KINDS)


def test_a_session_without_a_handoff_is_resolved_on_record(ann, harbor, as_user):
    session = SessionFactory(by=ann)
    as_user(ann).post(f"/sessions/{session.pk}/resolve/", {"resolution": "Deleted the cached token."})
    assert entries(harbor) == [("resolved", "Ann Abel", f"session {session.pk}")]
    assert the_entry(harbor).details == {"handoff": None}
