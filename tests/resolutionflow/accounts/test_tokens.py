"""API tokens: what each scope opens, when they end, and the page where people keep theirs."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from escalations.live.stream import Refused, asked_of
from resolutionflow.accounts.models import ApiToken
from resolutionflow.trail.models import Entry
from tests.factories import HandoffFactory
from tests.programs import Program, refusal

pytestmark = pytest.mark.django_db

TOKENS = "/account/tokens/"
NEW = {"name": "Ticket bridge", "scopes": ["read", "work"], "days": "30"}


def program_with(user, *scopes, **more):
    program = Program()
    program.headers = {"Authorization": f"Bearer {ApiToken.issue(user, scopes=scopes, **more)[1]}"}
    return program


# Scopes


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/handoffs", "read"),
        ("POST", "/sessions", "work"),
        ("GET", "/analytics/escalations", "analytics"),
    ],
)
def test_each_call_needs_its_scope_and_says_which(method, path, scope, olga):
    others = set(ApiToken.Scope.values) - {scope}
    body = b'{"title": "Printer"}' if method == "POST" else b""
    assert program_with(olga, scope).call(method, path, body).status_code in {200, 201}
    assert f"“{scope}”" in refusal(program_with(olga, *others).call(method, path, body), 403)["detail"]


def test_a_missing_scope_is_said_before_anything_is_looked_for(ann, zoe):
    handoff = HandoffFactory(by=ann)
    for path in (f"/handoffs/{handoff.pk}/pick-up", "/handoffs/nonsense/pick-up"):
        assert "“work”" in refusal(program_with(zoe, "read").call("POST", path, b"{"), 403)["detail"]


def test_a_scope_gives_no_more_than_the_role(ann, vic):
    refusal(program_with(vic, "read", "work").post("/sessions", {"title": "Printer"}), 403)
    refusal(program_with(ann, "analytics").get("/analytics/escalations"), 403)


def test_a_token_made_by_the_release_before_opens_everything(olga):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_apitoken (id, user_id, name, prefix, digest)"
            " VALUES (gen_random_uuid(), %s, '', 'rf_', %s)",
            [olga.pk, ApiToken.digest_of("rf_old")],
        )
    program = Program()
    program.headers = {"Authorization": "Bearer rf_old"}
    assert program.get("/handoffs").status_code == program.get("/analytics/escalations").status_code == 200
    assert program.post("/sessions", {"title": "Printer"}).status_code == 201


def test_openapi_names_the_scope_of_every_call(ann):
    paths = Program(ann).get("/openapi.json").json()["paths"]
    assert "/api/escalations/stream" in paths
    for path, calls in paths.items():
        for method, call in calls.items():
            needed = "analytics" if "analytics" in path else {"get": "read", "post": "work"}[method]
            assert {"BearerToken": [needed]} in call["security"]
            assert call["description"].count(f"scope `{needed}`") == 1


def test_the_stream_needs_read(ann):
    scope = {"type": "http", "method": "GET", "path": "/api/escalations/stream", "query_string": b""}
    for scopes, words in [(["work"], "“read”"), (["read"], None)]:
        plain = ApiToken.issue(ann, scopes=scopes)[1]
        headers = [(b"host", b"localhost"), (b"authorization", f"Bearer {plain}".encode())]
        if words:
            with pytest.raises(Refused, match=words) as refused:
                asked_of(scope | {"headers": headers})
            assert refused.value.status == 403
        else:
            assert asked_of(scope | {"headers": headers})[0].user_id == ann.pk


# Expiry


def test_a_token_is_good_until_its_time_is_up(ann):
    soon, past = timezone.now() + timedelta(minutes=1), timezone.now() - timedelta(seconds=1)
    assert program_with(ann, "read", expires_at=soon).get("/handoffs").status_code == 200
    refusal(program_with(ann, "read", expires_at=past).get("/handoffs"), 401)


# The command


def test_the_command_takes_scopes_and_days(olga, capsys):
    call_command("api_token", "olga@harbor.example", scopes="analytics,read", days=7)
    token = ApiToken.objects.get()
    assert token.scopes == "read analytics"
    assert token.expires_at - timezone.now() == pytest.approx(timedelta(days=7), abs=timedelta(minutes=1))


def test_without_them_it_opens_all_that_the_person_may_for_good(olga, capsys):
    call_command("api_token", "olga@harbor.example")
    token = ApiToken.objects.get()
    assert (token.scopes, token.expires_at) == (ApiToken.ALL_SCOPES, None)


@pytest.mark.parametrize("told", [{"scopes": "analytics"}, {"scopes": "read,admin"}, {"days": 0}, {"days": 10**9}])
def test_the_command_refuses_what_cannot_be(told, ann):
    with pytest.raises(CommandError, match=r"--scopes|--days"):
        call_command("api_token", "ann@harbor.example", **told)
    assert not ApiToken.objects.exists()


# The page


def test_a_new_token_is_shown_once(ann, as_user):
    browser = as_user(ann)
    page = browser.post(TOKENS, NEW)
    token, plain = ApiToken.objects.get(), page.context["plain"]
    assert (token.user, token.name, token.scopes) == (ann, "Ticket bridge", "read work")
    assert plain in page.content.decode()
    assert "no-store" in page.headers["Cache-Control"]
    assert Program(ann).client.get("/api/handoffs", headers={"Authorization": f"Bearer {plain}"}).status_code == 200
    again = browser.get(TOKENS).content.decode()
    assert "Ticket bridge" in again
    assert token.prefix in again
    assert plain not in again


@pytest.mark.parametrize(
    ("person", "offered"), [("vic", ["read"]), ("ann", ["read", "work"]), ("olga", ["read", "work", "analytics"])]
)
def test_people_are_offered_what_their_role_has(person, offered, request, as_user):
    page = as_user(request.getfixturevalue(person)).get(TOKENS)
    assert [value for value, _ in page.context["form"].fields["scopes"].choices] == offered


@pytest.mark.parametrize(
    "told",
    [{"name": ""}, {"name": "x" * 81}, {"name": "a\0b"}, {"scopes": []}, {"scopes": ["analytics"]}, {"days": "1000"}],
)
def test_what_cannot_be_is_said_and_makes_no_token(told, ann, as_user):
    page = as_user(ann).post(TOKENS, NEW | told)
    assert page.status_code == 422
    assert 'class="error"' in page.content.decode()
    assert not ApiToken.objects.exists()


def test_nobody_collects_tokens_without_end(ann, as_user):
    for _ in range(50):
        ApiToken.issue(ann)
    assert "50 tokens" in as_user(ann).post(TOKENS, NEW).content.decode()
    assert ApiToken.objects.count() == 50


def test_revoking_asks_first_and_then_the_token_is_nobodys(ann, as_user):
    browser, program = as_user(ann), program_with(ann, "read", name="Ticket bridge")
    address = f"{TOKENS}{ApiToken.objects.get().pk}/revoke/"
    assert "Revoke Ticket bridge?" in browser.get(address).content.decode()
    assert program.get("/handoffs").status_code == 200
    assert "Ticket bridge is revoked" in browser.post(address, follow=True).content.decode()
    refusal(program.get("/handoffs"), 401)
    first = ApiToken.objects.get().revoked_at
    browser.post(address)
    assert ApiToken.objects.get().revoked_at == first


def test_the_audit_trail_says_who_made_and_revoked_it_once(ann, as_user):
    browser = as_user(ann)
    browser.post(TOKENS, NEW)
    token = ApiToken.objects.get()
    for _ in range(2):
        browser.post(f"{TOKENS}{token.pk}/revoke/")
    said = Entry.objects.filter(account=ann.account, kind__startswith="token").order_by("seq")
    assert [(entry.kind, entry.actor, entry.about) for entry in said] == [
        (kind, ann, f"token {token.prefix} of person {ann.pk}") for kind in ("token_made", "token_revoked")
    ]
    assert said[0].details["scopes"] == "read work"


def test_the_tokens_of_others_do_not_exist_here(ann, ben, zoe, as_user):
    token, _ = ApiToken.issue(ann, name="Ann's own")
    for other in (ben, zoe):
        browser = as_user(other)
        assert "Ann's own" not in browser.get(TOKENS).content.decode()
        for call in (browser.get, browser.post):
            assert call(f"{TOKENS}{token.pk}/revoke/").status_code == 404
    assert ApiToken.objects.alive().exists()


def test_the_page_is_for_people_of_an_account(client, sam, as_user):
    assert client.get(TOKENS).url.startswith("/login/")
    assert as_user(sam).get(TOKENS).url == "/admin/"
