"""The second step of a sign-in: an app's code or a recovery code after the password. (Keys: tests/browser.)"""

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache
from django.test import Client

from tests.resolutionflow.accounts.codes import code_of
from tests.resolutionflow.accounts.security_key import security_key_of

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
STEP = "/login/second-step/"


@pytest.fixture
def ann(ann):
    """With an app, and recovery codes."""
    ann.set_password(PASSWORD)
    ann.save()
    TOTP.activate(ann, SECRET)
    RecoveryCodes.activate(ann)
    return ann


def password_step(client, user, **more):
    return client.post("/login/", {"username": user.email, "password": PASSWORD} | more)


def is_signed_in(client):
    return client.get("/queue/").status_code == 200


def recovery_codes(user):
    return Authenticator.objects.get(user=user, type="recovery_codes").wrap().get_unused_codes()


def test_the_password_alone_signs_nobody_in(client, ann):
    assert password_step(client, ann)["Location"] == STEP
    assert not is_signed_in(client)
    assert "Code from your app" in client.get(STEP).text


def test_a_code_leads_to_where_one_wanted(client, ann):
    password_step(client, ann, next="/sessions/")
    answer = client.post(STEP, {"code": code_of(SECRET)})
    assert (answer.status_code, answer["Location"]) == (302, "/sessions/")
    assert is_signed_in(client)


def test_a_code_works_once(client, ann):
    code = code_of(SECRET)
    password_step(client, ann)
    client.post(STEP, {"code": code})
    assert is_signed_in(client)
    other = Client()
    password_step(other, ann)
    assert "Incorrect code" in other.post(STEP, {"code": code}).text
    assert not is_signed_in(other)


def test_a_recovery_code_works_once(client, ann):
    code = recovery_codes(ann)[0]
    password_step(client, ann)
    client.post(STEP, {"code": code})
    assert is_signed_in(client)
    other = Client()
    password_step(other, ann)
    assert "Incorrect code" in other.post(STEP, {"code": code}).text


@pytest.mark.parametrize(
    "told",
    [
        {"code": ""},
        {"code": "a\x00b"},
        {"code": "1" * 5000},
        {"code": "💥"},
        {"credential": "{}"},
        {"credential": "[]"},
        {"credential": "null"},
        {"credential": '{"id": 1, "rawId": "x", "response": {}, "type": "public-key"}'},
        {},
    ],
)
def test_garbage_opens_nothing(client, ann, told):
    password_step(client, ann)
    client.raise_request_exception = False
    assert client.post(STEP, told).status_code == 200
    assert not is_signed_in(client)


def test_after_five_wrong_codes_the_right_one_has_to_wait_too(client, ann):
    password_step(client, ann)
    for number in range(5):
        assert "Incorrect code" in client.post(STEP, {"code": f"00000{number}"}).text
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    password_step(elsewhere, ann)
    answer = elsewhere.post(STEP, {"code": code_of(SECRET)})
    assert "Too many failed login attempts" in answer.text
    assert not is_signed_in(elsewhere)
    cache.clear()
    elsewhere.post(STEP, {"code": code_of(SECRET)})
    assert is_signed_in(elsewhere)


def test_the_step_is_nothing_without_the_password(client, ann):
    assert client.get(STEP)["Location"] == "/login/"
    assert client.post(STEP, {"code": code_of(SECRET)})["Location"] == "/login/"
    assert not is_signed_in(client)


def test_cancelling_forgets_the_password(client, ann):
    password_step(client, ann)
    client.post("/logout/")
    assert client.post(STEP, {"code": code_of(SECRET)})["Location"] == "/login/"


def test_whoever_is_switched_off_between_the_steps_stays_out(client, ann):
    password_step(client, ann)
    type(ann).objects.filter(pk=ann.pk).update(is_active=False)
    client.post(STEP, {"code": code_of(SECRET)})
    assert not is_signed_in(client)


def test_setting_up_an_app_asks_for_the_password_again_and_gives_recovery_codes(client, ben):
    ben.set_password(PASSWORD)
    ben.save()
    password_step(client, ben)
    asked = client.get("/account/app/")
    assert asked["Location"] == "/account/confirm/?next=%2Faccount%2Fapp%2F"
    assert "Incorrect password" in client.post(asked["Location"], {"password": "wrong"}).text
    assert client.post(asked["Location"], {"password": PASSWORD})["Location"] == "/account/app/"
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", client.get("/account/app/").text)[1]
    assert "Incorrect code" in client.post("/account/app/", {"code": "000000"}).text
    answer = client.post("/account/app/", {"code": code_of(secret)}, follow=True)
    assert answer.redirect_chain == [("/account/codes/", 302)]
    assert recovery_codes(ben)[0] in answer.text
    assert "Turn off" in client.get("/account/").text


def test_what_makes_the_codes_is_sealed(ann):
    stored = [each.data for each in Authenticator.objects.filter(user=ann)]
    assert SECRET not in str(stored)
    assert Authenticator.objects.get(user=ann, type="totp").wrap().validate_code(code_of(SECRET))


def test_with_another_secret_key_no_code_fits_and_nothing_breaks(client, ann, settings):
    settings.SECRET_KEY = "another"
    password_step(client, ann)
    assert "Incorrect code" in client.post(STEP, {"code": code_of(SECRET)}).text


def test_nobody_sees_or_removes_another_persons_key(client, as_user, ann, ben):
    ben.set_password(PASSWORD)
    ben.save()
    key = Authenticator.objects.create(user=ann, type="webauthn", data={"name": "Anns", "credential": {}})
    password_step(client, ben)
    client.post("/account/confirm/?next=/account/", {"password": PASSWORD})
    assert client.get(f"/account/keys/{key.pk}/remove/").status_code == 404
    assert client.post(f"/account/keys/{key.pk}/remove/").status_code == 404
    assert "Anns" not in client.get("/account/").text


def test_a_key_that_does_not_fit_is_asked_for_again_on_the_page(client, ann):
    security_key_of(ann, "Anns")
    password_step(client, ann)
    client.post(STEP, {"code": code_of(SECRET)})
    answer = client.post("/account/confirm/key/?next=/account/app/remove/", {"credential": '{"id": "x"}'})
    assert answer.status_code == 422
    assert "did not answer as it should" in answer.text
    assert client.get("/account/codes/new/")["Location"].startswith("/account/confirm/"), "it did not count"


def test_the_operator_has_an_account_page_too(as_user, sam):
    assert "Second step" in as_user(sam).get("/account/").text


# The administration asks for it


def test_the_administration_asks_for_a_second_step_where_that_is_set(as_user, adam, ann, settings):
    settings.REQUIRE_MFA_FOR_ADMIN = True
    browser = as_user(adam)
    assert browser.get("/admin/accounts/user/")["Location"] == "/account/"
    assert "asks for a second step" in browser.get("/account/").text
    TOTP.activate(adam, SECRET)
    assert browser.get("/admin/accounts/user/").status_code == 200
    assert as_user(ann).get("/admin/").status_code != 200


def test_it_does_not_where_that_is_not_set(as_user, adam, settings):
    settings.REQUIRE_MFA_FOR_ADMIN = False
    assert as_user(adam).get("/admin/accounts/user/").status_code == 200
