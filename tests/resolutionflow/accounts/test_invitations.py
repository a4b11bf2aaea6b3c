"""Invitations: a link for seven days, used once, withdrawn at will."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from resolutionflow.accounts.models import Invitation, User
from resolutionflow.accounts.tasks import send_letter
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
PASSWORD = "a long walk home"
FORM = {"name": "Nia New", "password1": PASSWORD, "password2": PASSWORD}


def invite(browser, email="nia@harbor.example", role="engineer"):
    return browser.post("/people/invite/", {"email": email, "role": role})


def link_in(answer):
    return re.search(r'value="http://testserver(/invitations/[\w-]+/)"', answer.text)[1]


def test_whoever_is_invited_joins_with_name_and_password(as_user, client, olga, harbor):
    link = link_in(invite(as_user(olga), "Nia@Harbor.example", "viewer"))
    page = client.get(link).text
    assert "Join Harbor IT" in page
    assert "nia@harbor.example" in page
    assert client.post(link, FORM)["Location"] == "/queue/"
    nia = User.objects.get(email="nia@harbor.example")
    assert (nia.name, nia.role, nia.account) == ("Nia New", "viewer", harbor)
    assert client.get("/queue/").status_code == 200
    client.post("/logout/")
    assert client.post("/login/", {"username": nia.email, "password": PASSWORD})["Location"] == "/queue/"


def test_the_link_works_once(as_user, client, olga):
    link = link_in(invite(as_user(olga)))
    client.post(link, FORM)
    answer = client.get(link)
    assert answer.status_code == 404
    assert "This invitation is over" in answer.text
    assert client.post(link, FORM | {"name": "Again"}).status_code == 404
    assert User.objects.filter(email="nia@harbor.example").count() == 1


def test_only_a_hash_of_the_link_is_kept(as_user, olga):
    link = link_in(invite(as_user(olga)))
    assert link.split("/")[2] not in str(Invitation.objects.values_list())
    assert link not in as_user(olga).get("/people/").text


def test_after_seven_days_it_is_over(as_user, client, olga):
    link = link_in(invite(as_user(olga)))
    left = Invitation.objects.get().expires_at - timezone.now()
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.get(link).status_code == 404
    assert client.post(link, FORM).status_code == 404


def test_it_is_withdrawn(as_user, client, olga):
    link, browser = link_in(invite(as_user(olga))), as_user(olga)
    address = f"/people/invitations/{Invitation.objects.get().pk}/revoke/"
    assert address in browser.get("/people/").text
    assert browser.post(address).status_code == 302
    assert client.post(link, FORM).status_code == 404
    assert browser.post(address).status_code == 409


def test_a_new_one_ends_the_one_before(as_user, client, olga):
    first, second = link_in(invite(as_user(olga))), link_in(invite(as_user(olga)))
    assert client.get(first).status_code == 404
    assert client.get(second).status_code == 200


def test_it_ends_with_the_right_to_invite(as_user, client, olga, adam):
    link = link_in(invite(as_user(olga)))
    User.objects.filter(pk=olga.pk).update(role="engineer")
    assert client.get(link).status_code == 404
    User.objects.filter(pk=olga.pk).update(role="owner", is_active=False)
    assert client.get(link).status_code == 404


def test_roles_and_accounts_stand_in_the_way(as_user, ann, vic, olga, adam, zoe):
    for person in (ann, vic):
        assert invite(as_user(person)).status_code == 403
    assert invite(as_user(olga), role="admin").status_code == 422
    assert not Invitation.objects.exists()
    assert invite(as_user(adam), role="admin").status_code == 200
    omar = UserFactory(account=zoe.account, role="owner")
    assert as_user(omar).post(f"/people/invitations/{Invitation.objects.get().pk}/revoke/").status_code == 404
    assert as_user(ann).post(f"/people/invitations/{Invitation.objects.get().pk}/revoke/").status_code == 403
    assert Invitation.objects.get().revoked_at is None


def test_a_colleague_is_not_invited_again_and_a_stranger_is_not_told_of(as_user, client, olga, ann, zoe):
    assert "Ann Abel is among the account" in invite(as_user(olga), ann.email).text
    link = link_in(invite(as_user(olga), zoe.email))
    assert client.post(link, FORM).status_code == 409
    zoe.refresh_from_db()
    assert zoe.account.name == "Summit Desk"


@pytest.mark.parametrize("email", ["", "x", "a\x00b@harbor.example", "x" * 300 + "@harbor.example"])
def test_what_is_no_address_is_refused_in_words(as_user, olga, email):
    answer = invite(as_user(olga), email)
    assert answer.status_code == 422
    assert 'class="error"' in answer.text


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "x" * 81},
        {"name": "a\x00b"},
        {"password2": "other"},
        {"password1": "x", "password2": "x"},
    ],
)
def test_what_does_not_do_is_refused_in_words(as_user, client, olga, change):
    link = link_in(invite(as_user(olga)))
    answer = client.post(link, FORM | change)
    assert answer.status_code == 422
    assert 'class="error"' in answer.text
    assert client.post(link, FORM).status_code == 302


def test_fifty_a_day_are_enough(as_user, olga):
    browser = as_user(olga)
    invite(browser)
    one = Invitation.objects.get()
    Invitation.objects.bulk_create(
        Invitation(
            account=one.account,
            email=f"n{n}@x.example",
            role="viewer",
            digest=str(n),
            invited_by=olga,
            expires_at=one.expires_at,
        )
        for n in range(49)
    )
    assert invite(browser, "more@harbor.example").status_code == 409


def test_a_letter_is_sent_where_mail_is_set_up_and_the_page_is_honest_where_not(as_user, olga, settings):
    answer = invite(as_user(olga))
    (job,) = ProcrastinateJob.objects.filter(task_name="accounts.send_letter")
    send_letter(**job.args)
    assert mail.outbox[0].to == ["nia@harbor.example"]
    assert link_in(answer) in mail.outbox[0].body
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    assert "This installation sends no e-mail" in invite(as_user(olga), "two@harbor.example").text
    assert ProcrastinateJob.objects.filter(task_name="accounts.send_letter").count() == 1


def test_garbage_is_no_invitation(client):
    for secret in ("x", "%00", "ä", "x" * 500):
        assert client.get(f"/invitations/{secret}/").status_code == 404
