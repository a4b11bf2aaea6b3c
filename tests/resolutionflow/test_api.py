"""Who may call the API, and what a refusal looks like."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import OperationalError
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from escalations.actions import sessions
from resolutionflow.accounts.models import ApiToken
from resolutionflow.accounts.tokens import user_of_request
from resolutionflow.api import api
from tests.factories import HandoffFactory, SessionFactory
from tests.programs import NO_SUCH_ID, Program, refusal

pytestmark = pytest.mark.django_db

CALLS = [
    ("POST", "/sessions"),
    ("GET", "/sessions/{session}"),
    ("POST", "/sessions/{session}/messages"),
    ("POST", "/sessions/{session}/steps"),
    ("POST", "/sessions/{session}/handoffs"),
    ("POST", "/sessions/{session}/resolve"),
    ("GET", "/handoffs"),
    ("GET", "/handoffs/{handoff}"),
    ("POST", "/handoffs/{handoff}/pick-up"),
    ("POST", "/handoffs/{handoff}/release"),
    ("POST", "/handoffs/{handoff}/take-back"),
]
GETS = [path for method, path in CALLS if method == "GET"]
POSTS = [path for method, path in CALLS if method == "POST"]
BODIES = [b"", b"{", b'{"title": 1, "nonsense": 2}']
OF_ONE = [(method, path) for method, path in CALLS if "{" in path]


@pytest.fixture
def address(ann):
    """Fills a path with the ids of a handoff of ann's and its session."""
    handoff = HandoffFactory(by=ann)
    return lambda path: path.format(session=handoff.session_id, handoff=handoff.pk)


def browser_of(user, *, csrf=True):
    client = Client(enforce_csrf_checks=csrf, raise_request_exception=False)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


# Who


@pytest.mark.parametrize("path", GETS)
def test_a_token_reads(path, address, ann):
    assert Program(ann).get(address(path)).status_code == 200


@pytest.mark.parametrize("path", GETS)
def test_a_cookie_reads(path, address, ann):
    assert browser_of(ann).get("/api" + address(path)).status_code == 200


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_without_credentials_nothing_is_answered(method, path, address):
    response = Program().call(method, address(path))
    refusal(response, 401)
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_the_operator_has_no_account_to_look_into(method, path, address, sam):
    refusal(Program(sam).call(method, address(path)), 403)
    refusal(browser_of(sam).generic(method, "/api" + address(path)), 403)


@pytest.mark.parametrize("path", GETS)
def test_a_viewer_reads(path, address, vic):
    assert Program(vic).get(address(path)).status_code == 200


@pytest.mark.parametrize("path", POSTS)
def test_a_viewer_changes_nothing_whatever_they_send(path, address, vic):
    program = Program(vic)
    for body in BODIES:
        refusal(program.call("POST", address(path), body), 403)


@pytest.mark.parametrize(("method", "path"), OF_ONE)
def test_a_strangers_object_is_like_one_that_does_not_exist(method, path, address, zoe):
    program = Program(zoe)
    for body in BODIES:
        strangers = program.call(method, address(path), body)
        unknown = program.call(method, path.format(session=NO_SUCH_ID, handoff=NO_SUCH_ID), body)
        assert refusal(strangers, 404) == refusal(unknown, 404)


@pytest.mark.parametrize(("method", "path"), OF_ONE)
def test_a_viewer_does_not_learn_what_exists_elsewhere(method, path, address, summit, zoe):
    zoe.role = "viewer"
    zoe.save()
    refusal(Program(zoe).call(method, address(path)), 404)


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer nonsense", "bearer \xff\xfe", "Bearer " + "x" * 9000])
def test_a_wrong_token_is_nobody_even_beside_a_good_cookie(header, ann):
    refusal(browser_of(ann).get("/api/handoffs", headers={"Authorization": header}), 401)


@pytest.mark.parametrize(
    "header", ["", "nonsense", "Basic YW5uOmRlbW8=", "\xff\xfe", "Bearer\tx", "Digest " + "x" * 9000]
)
def test_another_scheme_is_no_credential_and_no_hindrance(header, ann):
    refusal(Client(raise_request_exception=False).get("/api/handoffs", headers={"Authorization": header}), 401)
    assert browser_of(ann).get("/api/handoffs", headers={"Authorization": header}).status_code == 200


def test_the_scheme_is_written_in_any_case(ann):
    _, plain = ApiToken.issue(ann)
    assert Client().get("/api/handoffs", headers={"Authorization": f"bEARER {plain}"}).status_code == 200


def test_a_revoked_token_is_nobody(ann):
    program = Program(ann)
    assert program.get("/handoffs").status_code == 200
    ApiToken.objects.update(revoked_at=timezone.now())
    refusal(program.get("/handoffs"), 401)


def test_somebody_switched_off_is_nobody(ann):
    program, browser = Program(ann), browser_of(ann)
    ann.is_active = False
    ann.save()
    refusal(program.get("/handoffs"), 401)
    refusal(browser.get("/api/handoffs"), 401)


def test_a_change_by_cookie_needs_the_csrf_token(ann):
    browser = browser_of(ann)
    told = {"title": "Printer"}
    refusal(browser.post("/api/sessions", told, content_type="application/json"), 403)
    page = browser.get("/api/docs")  # its page carries the token, and sets its cookie
    token = page.context["csrf_token"]
    response = browser.post("/api/sessions", told, content_type="application/json", headers={"X-CSRFToken": str(token)})
    assert response.status_code == 201


def test_a_change_by_token_needs_no_csrf_token(ann):
    program = Program(ann)
    program.client = browser_of(ann)
    assert program.post("/sessions", {"title": "Printer"}).status_code == 201


def test_the_body_survives_the_csrf_check_whatever_it_calls_itself(ann):
    browser = browser_of(ann)
    token = str(browser.get("/api/docs").context["csrf_token"])
    for content_type in ("multipart/form-data; boundary=x", "multipart/form-data", "text/plain; charset=nonsense"):
        response = browser.generic(
            "POST", "/api/sessions", b'{"title": "Printer"}', content_type, headers={"X-CSRFToken": token}
        )
        assert response.status_code in {201, 400}, response.content
        assert "text/html" not in response.headers["Content-Type"]


def test_the_use_of_a_token_is_noted_once_a_minute(ann):
    program = Program(ann)
    program.get("/handoffs")
    noted = ApiToken.objects.get().last_used_at
    assert timezone.now() - noted < timedelta(seconds=10)
    program.get("/handoffs")
    assert ApiToken.objects.get().last_used_at == noted
    ApiToken.objects.update(last_used_at=noted - timedelta(seconds=61))
    program.get("/handoffs")
    assert ApiToken.objects.get().last_used_at > noted


def test_credentials_name_a_person_for_the_stream_too(ann, ben):
    _, plain = ApiToken.issue(ann)
    nobody = AnonymousUser()
    assert user_of_request(carrying(f"Bearer {plain}"), nobody) == ann
    assert user_of_request(carrying(f"Bearer {plain}"), ben) == ann
    assert user_of_request(carrying(None), ben) == ben
    assert user_of_request(carrying("Bearer \ud800"), ben) is None
    assert user_of_request(carrying(None), nobody) is None


def carrying(authorization: str | None) -> HttpRequest:
    request = HttpRequest()
    if authorization is not None:
        request.META["HTTP_AUTHORIZATION"] = authorization
    return request


def test_a_token_is_looked_up_once_for_a_request(ann, django_assert_num_queries):
    program = Program()
    with django_assert_num_queries(1):
        refusal(program.call("GET", "/handoffs", Authorization="Bearer rf_" + "x" * 43), 401)


# What a refusal looks like


@pytest.mark.parametrize("path", ["/", "/nonsense", "/sessions/", "/handoffs/x/y/z", "/%ED%A0%80", "/docs/", "/%00"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_address_is_refused_in_json(method, path, ann):
    refusal(Program(ann).call(method, path), 404)
    refusal(Program().call(method, path), 404)


@pytest.mark.parametrize(("method", "path"), OF_ONE)
def test_a_malformed_id_is_an_unknown_one(method, path, ann):
    program = Program(ann)
    for wrong in ["1", "x", NO_SUCH_ID + "0", "%00", "9" * 500, "%ED%A0%80", "..", "{" + NO_SUCH_ID[1:]]:
        refusal(program.call(method, path.format(session=wrong, handoff=wrong)), 404)


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_the_wrong_method_is_refused(method, path, address, ann):
    program = Program(ann)
    for wrong in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "NONSENSE"} - {method}:
        response = program.call(wrong, address(path))
        assert method in response.headers["Allow"]
        refusal(response, 405)


def test_a_body_over_256_kib_is_refused(ann):
    told = {"title": "Printer", "problem": "x" * 256 * 1024}
    refusal(Program(ann).post("/sessions", told), 413)


def test_every_wrong_field_is_named(ann):
    said = refusal(Program(ann).post("/sessions", {"client_name": 1, "nonsense": 2}), 422)
    assert {wrong["field"] for wrong in said["errors"]} == {"title", "client_name", "nonsense"}
    assert all(wrong["message"] for wrong in said["errors"])


def test_a_refusal_does_not_echo_without_bound(ann):
    told = {f"{'x' * 200}{n}": 0 for n in range(1000)}
    assert len(Program(ann).post("/sessions", told).content) < 20_000


def test_a_verbs_refusal_keeps_its_status_and_its_words(ann, ben):
    session = SessionFactory(by=ann)
    said = refusal(Program(ben).post(f"/sessions/{session.pk}/messages", {"body": "Hello"}), 403)
    assert "Ann Abel has this session" in said["detail"]


def test_a_crash_is_told_in_json_without_what_crashed(ann, monkeypatch):
    monkeypatch.setattr(sessions, "start", lambda *args, **kwargs: 1 / 0)
    said = refusal(Program(ann).post("/sessions", {"title": "Printer"}), 500)
    assert "division" not in said["detail"]


def test_a_database_that_is_away_is_told_apart_from_a_crash(ann, monkeypatch):
    def away(*args, **kwargs):
        raise OperationalError("connection refused")

    monkeypatch.setattr(sessions, "start", away)
    refusal(Program(ann).post("/sessions", {"title": "Printer"}), 503)


def test_answers_are_not_kept_by_caches(ann):
    assert Program(ann).get("/handoffs").headers["Cache-Control"] == "no-store"


# What it says of itself


def test_the_description_is_public_and_complete(settings):
    document = Program().get("/openapi.json").json()
    described = {
        (method.upper(), path.removeprefix("/api").replace("session_id", "session").replace("handoff_id", "handoff"))
        for path, methods in document["paths"].items()
        for method in methods
    }
    assert described >= set(CALLS)
    schemes = document["components"]["securitySchemes"]
    assert schemes["BearerToken"]["scheme"] == "bearer"
    assert (schemes["SessionCookie"]["in"], schemes["SessionCookie"]["name"]) == (
        "cookie",
        settings.SESSION_COOKIE_NAME,
    )


def test_the_description_is_made_once_and_stays_as_it_is():
    first = Program().get("/openapi.json").content
    made = api.get_openapi_schema(path_params={})
    assert Program().get("/openapi.json").content == first
    assert api.get_openapi_schema(path_params={}) is made


def test_the_description_names_every_refusal_and_the_idempotency_key():
    document = Program().get("/openapi.json").json()
    for path, methods in document["paths"].items():
        if not path.startswith(("/api/sessions", "/api/handoffs")):
            continue
        for method, operation in methods.items():
            assert {"401", "403", "404", "422", "429"} <= operation["responses"].keys()
            if method == "post":
                assert {"400", "409", "413"} <= operation["responses"].keys()
                # What an Idempotency-Key answers again is stored, which a secret must not be.
                takes_a_key = "Idempotency-Key" in [parameter["name"] for parameter in operation["parameters"]]
                assert takes_a_key == (not path.endswith("/reveal"))


def test_the_description_of_a_handoff_has_exactly_its_fields():
    schema = Program().get("/openapi.json").json()["components"]["schemas"]["HandoffShape"]
    assert list(schema["properties"]) == [
        *("id", "session_id", "intent", "state", "priority", "reason", "from", "created_at"),
        *("picked_up_by", "picked_up_at", "resolved_at", "snapshot"),
        *("ai_assessment", "ai_assessment_data", "assessment_state", "cursor"),
    ]
    assert schema["required"] == list(schema["properties"])


def test_the_stream_is_described_too():
    document = Program().get("/openapi.json").json()
    stream = document["paths"]["/api/escalations/stream"]["get"]
    others = document["paths"]["/api/handoffs"]["get"]
    assert list(stream["responses"]["200"]["content"]) == ["text/event-stream"]
    assert stream["responses"].keys() == {"200", "400", "401", "403"}
    assert [(told["in"], told["name"]) for told in stream["parameters"]] == [
        ("header", "Last-Event-ID"),
        ("query", "since"),
    ]
    assert stream["security"] == others["security"]
    refusals = [stream["responses"][status]["content"] for status in ("400", "401", "403")]
    assert refusals == [others["responses"]["401"]["content"]] * 3


def test_the_docs_are_public():
    assert b"swagger" in Program().get("/docs").content
