"""What every answer tells the browser, over http and over https, and what is refused before anything else."""

import pytest
from django.test import Client

from tests.programs import Program

pytestmark = pytest.mark.django_db
ADDRESSES = [
    "/login/",
    "/queue/",
    "/queue/cards/",
    "/nowhere/",
    "/api/handoffs",
    "/api/docs",
    "/api/nowhere",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_keeps_the_browser_to_this_site(as_user, ann, address):
    headers = as_user(ann).get(address).headers
    policy = headers["Content-Security-Policy"]
    for part in ("default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert part in policy
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "no-store" in headers["Cache-Control"]
    kind = headers["Content-Type"]
    assert "charset=utf-8" in kind or kind == "application/json"


def test_pages_take_head_as_well(as_user, olga):
    for address in ("/queue/", "/queue/cards/", "/sessions/", "/analytics/escalations/", "/runbooks/vpn/"):
        answer = as_user(olga).head(address)
        assert (answer.status_code, answer.content) == (200, b""), address


def test_an_unknown_host_is_refused_in_json_where_programs_ask(client):
    program = client.get("/api/sessions", headers={"Host": "evil.example"})
    assert (program.status_code, program.headers["Content-Type"]) == (400, "application/json")
    assert "Host" in program.json()["detail"]
    page = client.get("/login/", headers={"Host": "evil.example"})
    assert page.status_code == 400
    assert "That request could not be read" in page.content.decode()
    for answer in (program, page):
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("address", ["/logout/", "/admin/logout/"])
def test_signing_out_clears_what_the_browser_kept(as_user, adam, address):
    browser = as_user(adam)
    assert "Clear-Site-Data" not in browser.get("/queue/").headers
    assert browser.post(address).headers["Clear-Site-Data"] == '"cache"'


# Behind TLS, as SITE_URL=https://… sets it


@pytest.fixture
def behind_tls(settings) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_REDIRECT_EXEMPT = ["^(healthz|readyz|metrics)$"]
    settings.SECURE_HSTS_SECONDS = 365 * 24 * 3600
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True


def test_what_comes_in_clear_is_led_to_tls_and_a_program_is_told(behind_tls, ann):
    in_clear = Client()
    assert in_clear.get("/login/").headers["Location"] == "https://testserver/login/"
    assert in_clear.get("/healthz").status_code == 200
    refused = Program(ann).get("/handoffs")
    assert refused.status_code == 400
    assert "https" in refused.json()["detail"]


def test_over_tls_browsers_are_told_to_stay_there(behind_tls):
    answer = Client().get("/login/", headers={"X-Forwarded-Proto": "https"})
    assert answer.status_code == 200
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
