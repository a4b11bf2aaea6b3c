"""Security keys, with the authenticator that Chromium brings for tests."""

from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from playwright.sync_api import Page, expect

from tests.resolutionflow.accounts.test_sign_in import PASSWORD

KEY = {"protocol": "ctap2", "transport": "usb", "automaticPresenceSimulation": True}


def plug_in_a_key(page: Page) -> None:
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})


def sign_in(page: Page, email: str) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_a_key_is_added_asked_for_and_removed(open_as, server, ann):
    ann.password = PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1)  # the server knows no test hasher
    ann.save()
    server_url = server.url.replace("127.0.0.1", "localhost")  # keys belong to names, not to addresses
    page = open_as(None, "/login/")
    page.goto(f"{server_url}/login/")
    plug_in_a_key(page)
    sign_in(page, ann.email)
    expect(page.get_by_role("heading", name="escalations awaiting pickup")).to_be_visible()
    page.goto(f"{server_url}/account/keys/add/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Name").fill("Anns key")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()

    page.locator("summary").click()
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, ann.email)
    expect(page.get_by_role("heading", name="One step more")).to_be_visible()
    page.get_by_role("button", name="Use your security key").click()
    expect(page.get_by_role("heading", name="escalations awaiting pickup")).to_be_visible()

    page.goto(f"{server_url}/account/")
    page.get_by_role("link", name="Remove Anns key").click()
    page.get_by_role("link", name="Use a security key").click()
    page.get_by_role("button", name="Use your security key").click()
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("Off. With a second step")).to_be_visible()
    assert not Authenticator.objects.exists()
