"""What people and their sign-ins leave in the audit trail."""

import pytest
from allauth.mfa.totp.internal.auth import TOTP

from resolutionflow.accounts.models import Invitation
from resolutionflow.trail.models import Entry
from tests.factories import HandoffFactory
from tests.resolutionflow.accounts.codes import code_of
from tests.resolutionflow.accounts.test_invitations import FORM, invite, link_in

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PASSWORD = "correct horse"


def kinds():
    return list(Entry.objects.order_by("account", "seq").values_list("kind", flat=True))


def test_a_sign_in_is_one_when_its_second_step_is_done(client, ann):
    ann.set_password(PASSWORD)
    ann.save()
    TOTP.activate(ann, SECRET)
    client.post("/login/", {"username": ann.email, "password": PASSWORD})
    assert kinds() == []
    client.post("/login/second-step/", {"code": "000000"})
    assert kinds() == ["sign_in_failed"]
    client.post("/login/second-step/", {"code": code_of(SECRET)})
    assert kinds() == ["sign_in_failed", "signed_in"]


def test_what_is_done_with_people_is_told(as_user, client, olga, adam, ann, ben):
    HandoffFactory(by=ann, picker=ben)
    before = len(kinds())
    link = link_in(invite(as_user(olga)))
    client.post(link, FORM)
    as_user(olga).post(f"/people/{ann.pk}/role/", {"role": "viewer"})
    as_user(olga).post(f"/people/{ben.pk}/deactivate/")
    told = ["invited", "invitation_accepted", "signed_in", "person_changed", "released", "person_deactivated"]
    assert kinds()[before:] == told
    assert Entry.objects.get(kind="released").details["on_behalf_of"] == str(ben.pk)
    assert link.split("/")[2] not in str(list(Entry.objects.values_list()))
    assert Invitation.objects.get().accepted_at


def test_ones_own_account_tells_too(as_user, ann):
    browser = as_user(ann)
    browser.post("/account/password/", {"new_password1": "a long walk home", "new_password2": "a long walk home"})
    browser.post("/account/sign-ins/others/end/")
    assert kinds() == ["password_changed", "session_ended"]
