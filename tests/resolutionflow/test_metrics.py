"""/metrics: what it counts, who may read it, and that nobody's name is in it."""

import json
import re
import time

import httpx
import pytest
from django.db import OperationalError, connection
from websockets.sync.client import connect

from escalations.actions import handoffs
from resolutionflow import metrics
from tests.factories import HandoffFactory, SessionFactory
from tests.serving import WorkerProcess, cookie_of, free_port, post

TOKEN = "a-long-and-random-text"
LINE = re.compile(r"^([a-z_]+)(\{[^}]*\})? ([0-9.e+-]+|NaN|\+Inf)$")


@pytest.fixture(autouse=True)
def asked_anew():
    metrics.work.forget()
    yield
    metrics.work.forget()


def figures(text: str) -> dict[str, float]:
    """Each sample by its name with its labels; raises where a line is none."""
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, labels, value = LINE.fullmatch(line).groups()
            found[name + (labels or "")] = float(value)
    return found


# What it says


def test_it_tells_how_many_wait_and_since_when(client, ann, zoe):
    assert figures(client.get("/metrics").text)["resolutionflow_handoffs_waiting"] == 0
    metrics.work.forget()
    HandoffFactory(by=ann)
    HandoffFactory(by=zoe)
    HandoffFactory(by=zoe, taken_back=True)
    told = figures(client.get("/metrics").text)
    assert told["resolutionflow_handoffs_waiting"] == 2
    assert 0 < told["resolutionflow_oldest_waiting_seconds"] < 60


def test_it_tells_how_late_the_jobs_are(client, ann):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
        for task, status, due_in in (
            ("tests.late", "todo", "-40 s"),
            ("tests.late", "todo", "-10 s"),
            ("tests.fresh", "todo", None),
            ("tests.later", "todo", "1 h"),
            ("tests.lost", "failed", None),
        ):
            cursor.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, status, scheduled_at)"
                " VALUES ('default', %s, %s, now() + %s::interval)",
                [task, status, due_in],
            )
    told = figures(client.get("/metrics").text)
    assert told['resolutionflow_jobs_due{task="tests.late"}'] == 2
    assert 40 <= told['resolutionflow_job_lag_seconds{task="tests.late"}'] < 60
    assert 0 <= told['resolutionflow_job_lag_seconds{task="tests.fresh"}'] < 20
    assert 'resolutionflow_jobs_due{task="tests.later"}' not in told
    assert told["resolutionflow_jobs_failed"] == 1


def test_however_many_ask_the_database_is_asked_once(client, django_assert_num_queries, db):
    with django_assert_num_queries(3):
        client.get("/metrics")
        client.get("/metrics")


def test_without_its_database_it_still_tells_what_the_process_knows(client, monkeypatch, db):
    def fail():
        raise OperationalError

    monkeypatch.setattr(metrics, "what_there_is_to_do", fail)
    told = figures(client.get("/metrics").text)
    assert told["resolutionflow_database_up"] == 0
    assert "resolutionflow_handoffs_waiting" not in told
    assert 'resolutionflow_open_connections{kind="queue"}' in told


def test_nobody_is_named(client, ann, zoe):
    handoffs.escalate(SessionFactory(by=ann), by=ann, reason="Stuck.", priority="high")
    text = client.get("/metrics").text
    assert figures(text)["resolutionflow_handoffs_waiting"] == 1
    told = text.lower()
    names = [person.account.name for person in (ann, zoe)] + [person.account.slug for person in (ann, zoe)]
    names += [ann.email, ann.name, str(ann.account_id), ann.account_id.hex]
    assert [name for name in names if name.lower() in told] == []


@pytest.mark.parametrize(
    ("path", "door"),
    [
        ("/queue/cards/", "queue"),
        ("/api/handoffs", "api"),
        ("/readyz", "probe"),
        ("/", "other"),
        ("/made-up-by-a-stranger/", "other"),
        ("", "other"),
    ],
)
def test_addresses_that_strangers_make_up_make_no_new_series(path, door):
    assert metrics.door_of(path) == door


# Who may read it


def test_without_a_token_this_machine_may_read_it_and_no_other(client, settings, db):
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", REMOTE_ADDR="127.0.0.1").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="::1").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.7").status_code == 404


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_what_a_proxy_on_this_machine_passes_on_is_a_stranger(header, client, settings, db):
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={header: "192.0.2.7"}).status_code == 404


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        ("", 404),
        ("Bearer ", 404),
        (f"Bearer {TOKEN}x", 404),
        (f"Basic {TOKEN}", 404),
        ("Bearer é", 404),
    ],
)
def test_with_a_token_only_who_has_it_may_wherever_they_come_from(told, status, client, settings, db):
    settings.METRICS_TOKEN = TOKEN
    for address in ("127.0.0.1", "192.0.2.7"):
        answer = client.get("/metrics", REMOTE_ADDR=address, headers={"Authorization": told})
        assert answer.status_code == status
        assert (b"resolutionflow_" in answer.content) == (status == 200)


def test_a_signed_in_person_is_nobody_here(as_user, settings, olga):
    settings.METRICS_TOKEN = TOKEN
    assert as_user(olga).get("/metrics").status_code == 404


def test_probes_need_no_name_that_the_site_knows(client, settings, db):
    settings.ALLOWED_HOSTS = ["desk.example"]
    for address in ("/healthz", "/readyz?only=process", "/metrics"):
        assert client.get(address, headers={"Host": "10.0.0.7:8000"}).status_code == 200
    client.raise_request_exception = False
    assert client.get("/login/", headers={"Host": "10.0.0.7:8000"}).status_code == 400


def test_probes_are_only_read(client, db):
    assert client.post("/metrics").status_code == 405
    assert client.post("/healthz").status_code == 405


# For real


def test_a_server_counts_its_sockets_frames_and_requests(server, ann, ben):
    before = figures(httpx.get(f"{server.url}/metrics").text)
    assert httpx.get(f"{server.url}/made-up/").status_code in {302, 404}
    session = SessionFactory(by=ann)
    with connect(f"{server.ws_url}/ws/queue/", additional_headers={"Cookie": f"sessionid={cookie_of(ben)}"}) as page:
        assert json.loads(page.recv(timeout=10))["type"] == "ready"
        post(server, ann, f"/sessions/{session.pk}/escalate/", reason="Stuck.", priority="normal")
        kinds = []
        while "handoff_assessed" not in kinds:
            kinds.append(json.loads(page.recv(timeout=20))["type"])
        told = until(server, lambda told: grown(before, told, "frames_sent_total") >= 1 + len(kinds))
        assert told['resolutionflow_open_connections{kind="queue"}'] == 1
    assert grown(before, told, "readys_sent_total") >= 1
    assert grown(before, told, 'assessment_seconds_count{outcome="ready"}') == 1
    assert grown(before, told, 'request_seconds_count{door="sessions",status="302"}') == 1
    until(server, lambda told: told['resolutionflow_open_connections{kind="queue"}'] == 0)


def grown(before: dict, after: dict, name: str) -> float:
    return after.get(f"resolutionflow_{name}", 0) - before.get(f"resolutionflow_{name}", 0)


def until(server, is_so, seconds: float = 10) -> dict[str, float]:
    """The figures once they are so."""
    end = time.monotonic() + seconds
    while not is_so(told := figures(httpx.get(f"{server.url}/metrics").text)):
        assert time.monotonic() < end, told
        time.sleep(0.05)
    return told


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_runs_apart_tells_its_own():
    port = free_port()
    worker = WorkerProcess(METRICS_PORT=str(port), METRICS_TOKEN=TOKEN)
    try:
        worker.start()
        url = f"http://127.0.0.1:{port}"
        assert httpx.get(f"{url}/healthz").json() == {"status": "up"}
        assert httpx.get(f"{url}/metrics").status_code == 404
        told = figures(httpx.get(f"{url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text)
        assert told['resolutionflow_build{version="0.1.0"}'] == 1
        assert "resolutionflow_handoffs_waiting" in told
        assert httpx.get(f"{url}/queue/").status_code == 404
    finally:
        assert worker.stop() == 0
