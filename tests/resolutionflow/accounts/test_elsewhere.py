"""Signing in with the account's own identity provider: a real one, on loopback, which also tries to cheat."""

import time

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client

from resolutionflow.accounts import oidc
from resolutionflow.accounts.models import Identity, IdentityProvider, Invitation, User
from tests.factories import UserFactory
from tests.resolutionflow.accounts.identity_provider import CLIENT, SECRET, STRANGERS_KEY, Provider

pytestmark = pytest.mark.django_db
GO = "/login/with/harbor-it/go/"


@pytest.fixture(scope="module")
def running():
    provider = Provider()
    yield provider
    provider.stop()


@pytest.fixture
def provider(running, harbor, settings):
    """Harbor IT's, turned on."""
    settings.OIDC_PRIVATE_NETWORKS = True
    running.reset()
    IdentityProvider.objects.create(
        account=harbor,
        name="Harbor SSO",
        issuer=running.issuer,
        client_id=CLIENT,
        sealed_secret=oidc.seal_secret(SECRET),
        domains="harbor.example",
        enabled=True,
        reach="admin",
    )
    return running


def come_back(client, provider):
    """There and back again, as far as the answer."""
    return client.get(provider.signs_in(client.get(GO)["Location"]))


def is_signed_in(client):
    return client.get("/queue/").status_code == 200


def test_a_person_of_the_account_comes_in(client, ann, provider):
    assert "Sign in with your organisation" in client.get("/login/").text
    assert client.get("/login/with/?account=Harbor-IT")["Location"] == "/login/with/harbor-it/"
    assert "Sign in with Harbor SSO" in client.get("/login/with/harbor-it/").text
    assert come_back(client, provider)["Location"] == "/queue/"
    assert is_signed_in(client)
    assert Identity.objects.get().user == ann


def test_the_second_step_follows(client, ann, provider):
    TOTP.activate(ann, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    assert come_back(client, provider)["Location"] == "/login/second-step/"
    assert not is_signed_in(client)


def test_it_is_off_unless_the_account_says_otherwise(client, ann, provider):
    assert come_back(client, provider).status_code == 302
    client.post("/logout/")
    IdentityProvider.objects.update(enabled=False)
    for address in (GO, "/login/with/harbor-it/", "/login/with/harbor-it/back/?code=x&state=y", "/login/with/nowhere/"):
        assert client.get(address).status_code == 404
    assert client.get("/login/with/?account=harbor-it").status_code == 404
    assert "with your organisation" not in client.get("/login/").text


def test_whoever_is_invited_joins_by_it(client, olga, provider):
    later = "2099-01-01T00:00:00Z"
    told = {"email": "nia@harbor.example", "role": "viewer", "invited_by": olga, "expires_at": later, "digest": "x"}
    Invitation.objects.create(account=olga.account, **told)
    provider.claims |= {"email": "Nia@harbor.example", "name": "Nia New", "sub": "43"}
    assert come_back(client, provider)["Location"] == "/queue/"
    nia = User.objects.get(email="nia@harbor.example")
    assert (nia.name, nia.role, nia.account, nia.has_usable_password()) == ("Nia New", "viewer", olga.account, False)
    client.post("/logout/")
    assert come_back(client, provider)["Location"] == "/queue/"


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"email": "nobody@harbor.example"}, "Nobody has invited you"),
        ({"email": "zoe@summit.example"}, "Addresses of your domain"),
        ({"email": "zoe@harbor.example.evil.example"}, "Addresses of your domain"),
        ({"email_verified": False}, "has not verified"),
        ({"email_verified": "true"}, "has not verified"),
        ({"email": "a\x00nn@harbor.example\x00"}, ""),
        ({"email": None}, "Addresses of your domain"),
        ({"iss": "https://evil.example"}, "could not be verified"),
        ({"aud": "another"}, "could not be verified"),
        ({"aud": [CLIENT, "another"], "azp": "another"}, "could not be verified"),
        ({"exp": int(time.time()) - 3600}, "could not be verified"),
        ({"nonce": "of another attempt"}, "could not be verified"),
    ],
)
def test_whom_it_may_not_let_in(client, ann, zoe, provider, claims, said):
    provider.claims |= claims
    answer = come_back(client, provider)
    if said:
        assert answer.status_code == 403
        assert said in answer.text
        assert not is_signed_in(client)
        provider.reset()
        assert come_back(client, provider)["Location"] == "/queue/"  # with the truth it does
    else:
        assert answer.status_code < 500


@pytest.mark.parametrize(("key", "algorithm"), [(STRANGERS_KEY, "RS256"), (None, "HS256"), (None, "none")])
def test_what_it_did_not_sign_counts_for_nothing(client, ann, provider, key, algorithm):
    provider.key, provider.algorithm = key, algorithm
    answer = come_back(client, provider)
    assert answer.status_code == 403
    assert "could not be verified" in answer.text


def test_an_attempt_counts_once_and_in_its_own_browser(client, ann, provider):
    link = provider.signs_in(client.get(GO)["Location"])
    stranger = Client()
    assert stranger.get(link).status_code == 403
    stranger.get(GO)
    assert stranger.get(link).status_code == 403  # another state
    assert client.get(link).status_code == 302
    client.post("/logout/")
    assert client.get(link).status_code == 403


def test_another_accounts_people_stay_out_even_with_their_address(client, zoe, provider):
    User.objects.filter(pk=zoe.pk).update(email="zoe@harbor.example")
    provider.claims["email"] = "zoe@harbor.example"
    assert come_back(client, provider).status_code == 403


def test_who_left_stays_out(client, ann, provider):
    come_back(client, provider)
    client.post("/logout/")
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert "switched off" in come_back(client, provider).text


def test_an_address_that_changes_hands_there_opens_nothing_here(client, ann, ben, provider):
    come_back(client, provider)
    client.post("/logout/")
    provider.claims["sub"] = "somebody who got anns address"
    answer = come_back(client, provider)
    assert answer.status_code == 409
    assert not is_signed_in(client)
    provider.claims |= {"sub": "42", "email": "ben@harbor.example"}
    come_back(client, provider)
    assert ann.name in client.get("/queue/").text  # she is who she was


def test_nobody_rises_by_it(client, adam, olga, provider):
    """Whoever chooses the provider could be anybody there; so it lets in nobody who may more than they."""
    provider.claims["email"] = adam.email
    IdentityProvider.objects.update(reach="owner")
    assert "Your role does not sign in this way" in come_back(client, provider).text
    provider.claims |= {"email": olga.email, "sub": "44"}
    assert come_back(client, provider)["Location"] == "/queue/"
    client.post("/logout/")
    User.objects.filter(pk=olga.pk).update(is_superuser=True)
    assert come_back(client, provider).status_code == 403


@pytest.mark.parametrize(
    "about", [{"issuer": "https://evil.example"}, {"token_endpoint": None}, {"authorization_endpoint": "javascript:x"}]
)
def test_a_provider_that_is_none_is_said_so(client, provider, about):
    provider.about = about
    answer = client.get(GO)
    assert answer.status_code == 502
    assert "Harbor SSO cannot be asked." in answer.text


def test_private_networks_are_not_asked_unless_the_operator_says_so(client, provider, settings):
    settings.OIDC_PRIVATE_NETWORKS = False
    assert "private network" in client.get(GO).text


# Its settings

FORM = {"name": "Harbor SSO", "client_id": CLIENT, "client_secret": SECRET, "domains": "Harbor.example, h.example"}


def test_an_owner_sets_it_up_and_the_secret_is_sealed(as_user, olga, provider):
    IdentityProvider.objects.all().delete()
    form = FORM | {"issuer": provider.issuer, "enabled": "on"}
    assert as_user(olga).post("/people/sign-in/", form)["Location"] == "/people/sign-in/?said=saved"
    kept = IdentityProvider.objects.get()
    assert (kept.enabled, kept.reach, kept.allowed_domains) == (True, "owner", ["harbor.example", "h.example"])
    assert SECRET not in kept.sealed_secret
    page = as_user(olga).get("/people/sign-in/").text
    assert "http://testserver/login/with/harbor-it/back/" in page
    assert SECRET not in page
    as_user(olga).post("/people/sign-in/", form | {"client_secret": "", "enabled": ""})
    assert not IdentityProvider.objects.get().enabled
    assert IdentityProvider.objects.get().sealed_secret == kept.sealed_secret


def test_another_issuer_needs_its_own_secret(as_user, adam, provider):
    form = FORM | {"issuer": "https://another.example", "client_secret": ""}
    assert as_user(adam).post("/people/sign-in/", form).status_code == 422


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "http://127.0.0.1:1"},
        {"issuer": "x"},
        {"domains": ""},
        {"domains": "@x"},
        {"name": "a\x00b"},
        {"name": ""},
    ],
)
def test_what_does_not_do_is_refused_in_words(as_user, olga, provider, change):
    IdentityProvider.objects.all().delete()
    form = FORM | {"issuer": provider.issuer, "enabled": "on"} | change
    answer = as_user(olga).post("/people/sign-in/", form)
    assert answer.status_code == 422
    assert 'class="error"' in answer.text
    assert not IdentityProvider.objects.exists()


def test_roles_stand_in_the_way(as_user, ann, vic, olga, provider, zoe):
    for person in (ann, vic):
        assert as_user(person).get("/people/sign-in/").status_code == 403
        assert as_user(person).post("/people/sign-in/", FORM).status_code == 403
    assert "Somebody who may more" in as_user(olga).post("/people/sign-in/", FORM | {"issuer": provider.issuer}).text
    omar = UserFactory(account=zoe.account, role="owner")
    assert "Harbor SSO" not in as_user(omar).get("/people/sign-in/").text
