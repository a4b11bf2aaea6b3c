"""The start, health, and what people see when something is wrong."""

import pytest
from django.test import Client
from django.urls import path

from resolutionflow import probes, urls

pytestmark = pytest.mark.django_db


def broken(request):
    raise ZeroDivisionError("secret detail")


urlpatterns = [path("broken/", broken), *urls.urlpatterns]


@pytest.fixture
def careful_client(client):
    client.raise_request_exception = False
    return client


def test_the_start_leads_to_the_queue_or_to_the_login(client, as_user, ann):
    assert client.get("/")["Location"] == "/login/"
    assert as_user(ann).get("/")["Location"] == "/queue/"


def test_healthz_asks_nothing(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "up"})


@pytest.mark.parametrize(
    ("missing", "status", "said"),
    [
        ({}, 200, {"status": "ready"}),
        ({"worker": "none"}, 503, {"status": "not ready", "worker": "none"}),
    ],
)
def test_readyz_says_what_is_missing(missing, status, said, client, monkeypatch):
    monkeypatch.setattr(probes, "what_is_not_ready", lambda: missing)
    monkeypatch.setattr(probes.connection, "close", lambda: None)  # it would end this test's transaction
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (status, said)


@pytest.mark.parametrize(
    "address", ["/nowhere/", "/queue/x", "/%00", "/..%2f..%2fetc/passwd", "/" + "a" * 5000, "/%ff"]
)
def test_an_address_that_is_none_is_a_page_of_ours(address, careful_client, as_user, ann):
    for browser in (careful_client, as_user(ann)):
        answer = browser.get(address)
        assert answer.status_code == 404
        assert "There is no such page" in answer.content.decode()


@pytest.mark.urls(__name__)
def test_an_error_of_ours_says_so_without_details(as_user, ann):
    browser = as_user(ann)
    browser.raise_request_exception = False
    answer = browser.get("/broken/")
    assert answer.status_code == 500
    assert "It is our fault, not yours." in answer.content.decode()
    assert "secret detail" not in answer.content.decode()


def test_a_form_that_was_open_too_long_says_what_to_do(ann):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ann, backend="django.contrib.auth.backends.ModelBackend")
    page = browser.post("/sessions/", {"title": "x"})
    assert page.status_code == 403
    assert "Go back, reload it and try again" in page.content.decode()
    fragment = browser.post("/sessions/", {"title": "x"}, headers={"HX-Request": "true"})
    assert "<html" not in fragment.content.decode()
    assert browser.post("/api/sessions", "{}", "application/json").json()["detail"].startswith("CSRF")


def test_pages_allow_no_foreign_script_and_no_frame(as_user, ann):
    answer = as_user(ann).get("/queue/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "'unsafe-inline'" not in policy
    assert "'unsafe-eval'" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    page = answer.content.decode()
    assert " style=" not in page
    assert " onclick=" not in page


def test_an_unknown_host_is_refused(careful_client):
    assert careful_client.get("/login/", headers={"Host": "evil.example"}).status_code == 400
