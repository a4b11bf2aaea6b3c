"""What the logs say: which request, account and user; and never a secret."""

import json
import logging
import re
import sys
import time

import httpx
import pytest
from django.core.management import call_command
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from resolutionflow import logs, request_ids
from tests.cookies import cookie_header
from tests.factories import HandoffFactory, SessionFactory
from tests.serving import Server, cookie_of, database_url
from tests.streams import Stream, token_of

PASSWORD = "a-Long-walk-h0me"
CLIENTS = "Tr0ub4dor-and-3"
KEY = "planted-secret-key-of-this-installation"
IN_DATABASE_URL = "pl4nted-in-url"
IN_REDIS_URL = "r3dis-planted"
MODEL_KEY = "sk-proj-planted0123456789planted0123456789"


@pytest.fixture(autouse=True)
def nothing_known():
    logs._about.set(None)
    yield
    logs._about.set(None)


def record(message, *args, exc_info=None):
    return logging.LogRecord("escalations.x", logging.ERROR, __file__, 1, message, args, exc_info)


def as_json(*told, **more):
    return json.loads(logs.AsJson().format(record(*told, **more)))


# What a line says


def test_a_line_of_json_says_what_it_is_about():
    logs.begin(request="abc")
    logs.add(user="ann", account="harbor")
    told = as_json("%s failed", "it")
    assert told.pop("time").endswith("+00:00")
    assert told == {
        "level": "ERROR",
        "logger": "escalations.x",
        "message": "it failed",
        "request": "abc",
        "user": "ann",
        "account": "harbor",
    }


def test_an_error_brings_its_traceback_and_is_still_one_line():
    try:
        raise ValueError(f"two\nlines, password: {CLIENTS}")
    except ValueError:
        line = logs.AsJson().format(record("no", exc_info=sys.exc_info()))
    assert "\n" not in line
    assert json.loads(line)["exception"].startswith("Traceback")
    assert CLIENTS not in line


def test_a_line_for_people_says_it_behind_the_message():
    logs.begin(request="abc")
    assert logs.Masked("%(levelname)s %(message)s").format(record("it failed")) == "ERROR it failed [request=abc]"
    logs._about.set(None)
    assert logs.Masked("%(levelname)s %(message)s").format(record("it failed")) == "ERROR it failed"


@pytest.mark.parametrize("formatter", [logs.AsJson(), logs.Masked()])
def test_this_installations_own_secrets_are_hidden_wherever_they_stand(formatter, settings, monkeypatch):
    settings.DATABASE_URL = f"postgresql://desk:{IN_DATABASE_URL}%2Fx@db/desk"
    settings.REDIS_URL = f"redis://:{IN_REDIS_URL}@cache/0"
    settings.SECRET_KEY, settings.MODEL_API_KEY = KEY, MODEL_KEY
    monkeypatch.setattr(logs, "_known", None)
    secrets = [KEY, IN_DATABASE_URL + "/x", IN_DATABASE_URL + "%2Fx", IN_REDIS_URL, MODEL_KEY]
    said = formatter.format(record("among other things %s", " ".join(secrets)))
    assert [secret for secret in secrets if secret in said] == []
    assert said.count("[hidden]") == len(secrets)
    monkeypatch.setattr(logs, "_known", None)


# The request's id


@pytest.mark.parametrize(
    ("told", "taken"),
    [(b"Az-09._", True), (b"x" * 64, True), (b"x" * 65, False), (b"", False), (b"a b", False), (b"\xff", False)],
)
def test_an_id_that_was_sent_along_is_kept_if_it_can_be_one(told, taken):
    named = request_ids._begin({"headers": [(b"x-request-id", told)]})
    assert (named == told) == taken
    assert re.fullmatch(rb"[A-Za-z0-9._-]{1,64}", named)
    assert logs.request_id() == named.decode()


# A server that fails with all that it knows


@pytest.fixture(scope="module", params=[False, True], ids=["masked", "unmasked"])
def failing(request, django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        server = Server(
            "--no-worker",
            command=[sys.executable, "-m", "tests.failing_server"],
            DEBUG="false",
            SECRET_KEY=KEY,
            DATABASE_URL=re.sub(r"^(postgresql://[^:@/]+)(?::[^@]*)?@", rf"\1:{IN_DATABASE_URL}@", database_url()),
            REDIS_URL=f"redis://:{IN_REDIS_URL}@127.0.0.1:1/0",
            RATE_LIMIT_ADDRESS="100000/100000",
            **({"UNMASKED": "yes"} if request.param else {}),
        ).start()
    yield server, request.param
    server.stop()


def test_whatever_fails_no_secret_gets_into_the_logs(failing, transactional_db, ann, ben, settings):
    """With masking off the same doors write every one of them: the test would see it."""
    server, unmasked = failing
    settings.SECRET_KEY = KEY
    ann.set_password(PASSWORD)
    ann.save()
    token, cookie = token_of(ann), cookie_of(ann)
    session = SessionFactory(by=ann)
    handoff = HandoffFactory(by=ben, session=SessionFactory(by=ben), picker=ann)
    asks = f"The client's password: {CLIENTS} and the token {token}"
    sign_in = {"Authorization": f"Bearer {token}", "X-Request-ID": "planted-request-1"}
    with httpx.Client(base_url=server.url, timeout=20) as program:
        for word in (PASSWORD, "wrong"):
            program.post("/login/", data={"username": "ann@harbor.example", "password": word})
        failed = program.post(f"/api/sessions/{session.pk}/messages", json={"body": asks}, headers=sign_in)
        assert failed.status_code == 500
        assert "planted-request-1" in failed.json()["detail"]
        assert failed.headers["x-request-id"] == "planted-request-1"
        program.post("/api/sessions", json={"title": "x", "problem": asks}, headers=sign_in)
        program.get("/api/handoffs", headers={"Authorization": f"Bearer {token}x"})
        csrf = {"X-CSRFToken": "x" * 32, "Cookie": cookie_header(cookie)}
        page = program.post(f"/handoffs/{handoff.pk}/release/", data={"reason": asks}, headers=csrf)
        assert page.status_code == 500
        assert page.headers["x-request-id"] in page.text
    with Stream(server, token=token) as stream:
        assert stream.status == 500
    with (
        pytest.raises(ConnectionClosed),
        connect(f"{server.ws_url}/ws/queue/", additional_headers={"Cookie": cookie_header(cookie)}) as socket,
    ):
        socket.recv(timeout=10)
    planted = {"token": token, "client": CLIENTS, "key": KEY, "database": IN_DATABASE_URL, "redis": IN_REDIS_URL}
    until = time.monotonic() + 10
    while server.said().count("RuntimeError") < 5 and time.monotonic() < until:
        time.sleep(0.05)
    said = server.said()
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    mine = [line for line in lines if line.get("request") == "planted-request-1"]
    assert any(line.get("exception") and line["user"] == str(ann.pk) for line in mine)
    assert {line.get("account") for line in mine} == {str(ann.account_id)}
    assert {line["logger"] for line in mine} >= {"resolutionflow.api", "resolutionflow.requests"}
    found = {name for name, secret in planted.items() if secret in said}
    assert found == (set(planted) if unmasked else set())
    assert cookie not in said
    assert PASSWORD not in said
    call_command("audit_feed")
