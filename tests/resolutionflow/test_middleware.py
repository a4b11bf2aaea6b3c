"""What holds for every request: a limit, a sign-in, and refusals in words."""

import io

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from escalations.models import AISession
from resolutionflow.middleware import BodyLimit
from tests.factories import SessionFactory

pytestmark = pytest.mark.django_db
LIMIT = 256 * 1024


# The limit


def test_a_body_over_256_kib_is_refused_before_anything_reads_it(as_user, ann):
    browser = as_user(ann)
    answer = browser.post("/sessions/", {"title": "x", "problem": "y" * LIMIT})
    assert answer.status_code == 413
    assert "more than 256 KiB" in answer.content.decode()
    assert not AISession.objects.exists()
    assert browser.post("/sessions/", {"title": "x", "problem": "y" * 100}).status_code == 302


def test_programs_are_told_in_json(client):
    answer = client.post("/api/sessions", "x" * (LIMIT + 1), "application/json")
    assert answer.status_code == 413
    assert "256 KiB" in answer.json()["detail"]


@pytest.mark.parametrize(("size", "status"), [(LIMIT, 200), (LIMIT + 1, 413)])
def test_a_body_without_a_length_is_measured(size, status):
    """One that came in chunks: an ASGI server has it in a file, and no length in a header."""
    request = RequestFactory().post("/x")
    request.META["CONTENT_LENGTH"] = ""
    request._stream = io.BytesIO(b"x" * size)
    seen = []

    def view(request):
        seen.append(request._stream.read())
        return HttpResponse()

    assert BodyLimit(view)(request).status_code == status
    assert [len(body) for body in seen] == ([size] if status == 200 else [])


@pytest.mark.parametrize("length", ["x", "-1", "²", "1.5", "9" * 5000, " "])
def test_a_length_that_is_none_is_no_error_of_ours(length, client):
    client.raise_request_exception = False
    assert client.post("/login/", {}, CONTENT_LENGTH=length).status_code < 500


# The sign-in


@pytest.mark.parametrize("address", ["/queue/", "/sessions/", "/sessions/?state=active&page=2"])
def test_who_is_signed_out_comes_back_after_signing_in(address, client):
    answer = client.get(address)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login/?next=/")
    assert "active%26page%3D2" in answer["Location"] or "?state" not in address


def test_a_fragment_sends_the_whole_page_to_the_login(client):
    answer = client.get("/queue/cards/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"], answer.content) == (204, "/login/", b"")


@pytest.mark.parametrize("address", ["/login/", "/healthz", "/"])
def test_some_pages_need_no_sign_in(address, client):
    assert not client.get(address).get("Location", "").startswith("/login/?next")


@pytest.mark.parametrize("address", ["/queue/", "/sessions/", "/queue/cards/"])
def test_the_operator_is_sent_to_the_administration(address, as_user, sam):
    assert as_user(sam).get(address)["Location"] == "/admin/"


def test_the_operator_cannot_work_sessions(as_user, sam, ann):
    session = SessionFactory(by=ann, problem="")
    assert as_user(sam).post(f"/sessions/{session.pk}/messages/", {"body": "x"})["Location"] == "/admin/"
    assert not session.messages.exists()


@pytest.mark.parametrize("cookie", ["x", "", "a b", "\x00", "'", "9" * 4000, "é"])
def test_a_cookie_that_is_none_is_nobody(cookie, client, settings):
    client.raise_request_exception = False
    client.cookies[settings.SESSION_COOKIE_NAME] = cookie
    assert client.get("/queue/").status_code == 302


def test_times_are_shown_in_the_accounts_zone(as_user, ann, zoe):
    ann.account.time_zone, zoe.account.time_zone = "Asia/Kolkata", "America/New_York"
    ann.account.save(), zoe.account.save()
    for who, offset in ((ann, "+05:30"), (zoe, "-0")):
        assert offset in as_user(who).get("/queue/").content.decode().split('data-now="')[1][:40]
    assert timezone.get_current_timezone_name() == "America/New_York"


# Refusals


def test_a_refusal_is_a_page_or_a_notice(as_user, ann, ben):
    session = SessionFactory(by=ann)
    page = as_user(ben).post(f"/sessions/{session.pk}/messages/", {"body": "x"})
    assert page.status_code == 403
    assert "<h1>That did not work</h1>" in page.content.decode()
    notice = as_user(ben).post(f"/sessions/{session.pk}/messages/", {"body": "x"}, headers={"HX-Request": "true"})
    assert notice.status_code == 403
    assert (notice["HX-Retarget"], notice["HX-Reswap"]) == ("#notice", "innerHTML")
    assert notice.content.decode().startswith('<p class="notice" role="alert"')
