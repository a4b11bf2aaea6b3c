"""Two web processes with one Valkey: the limit is one, and whoever does not wait costs next to nothing."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from resolutionflow.accounts.models import ApiToken
from tests.serving import Server, cookie_of
from tests.streams import Stream, token_of
from tests.valkey import Valkey

READS, SOCKETS = 40, 3


@pytest.fixture(scope="module")
def processes(django_db_setup, django_db_blocker):
    valkey = Valkey().start()
    env = {"REDIS_URL": valkey.url, "RATE_LIMIT_USER": f"{READS}/20", "SOCKETS_PER_USER": str(SOCKETS)}
    with django_db_blocker.unblock():
        both = [Server("--no-worker", **env).start() for _ in range(2)]
    yield both
    for server in both:
        server.stop()
    valkey.stop()


@pytest.fixture
def clients(processes, transactional_db):
    """A client of each process for whoever has the token."""

    with ExitStack() as opened:

        def of(token):
            sign_in = {"headers": {"Authorization": f"Bearer {token}"}, "timeout": 20}
            return [opened.enter_context(httpx.Client(base_url=server.url, **sign_in)) for server in processes]

        yield of


def test_two_processes_let_through_exactly_as_many_as_one(clients, ann, zoe):
    both, others = clients(token_of(ann)), clients(token_of(zoe))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: both[n % 2].get("/api/handoffs"), range(READS + 24)))
        assert others[0].get("/api/handoffs").status_code == 200
    assert sorted(answer.status_code for answer in answers) == [200] * READS + [429] * 24
    for answer in answers:
        if answer.status_code == 429:
            assert answer.json()["detail"].endswith("seconds.")
            assert 1 <= int(answer.headers["retry-after"]) <= 60


def test_whoever_does_not_wait_is_told_late_and_before_anything_is_looked_up(clients, ann):
    one, _ = clients(token_of(ann))
    for _ in range(READS):
        one.get("/api/handoffs")
    assert one.get("/api/handoffs").status_code == 429  # counted
    ApiToken.objects.all().delete()  # who would ask the database now would find nobody
    begun = time.monotonic()
    again = one.get("/api/handoffs")
    assert again.status_code == 429
    assert time.monotonic() - begun >= 0.9
    assert one.post("/api/sessions", json={}).status_code == 401  # writing is another matter


def test_the_stream_is_counted_with_the_calls(processes, clients, ann):
    token = token_of(ann)
    one, _ = clients(token)
    with Stream(processes[0], token=token) as stream:
        assert stream.status == 200
    assert [one.get("/api/handoffs").status_code for _ in range(READS)] == [200] * (READS - 1) + [429]
    with Stream(processes[1], token=token) as refused:
        assert (refused.status, refused.refusal()[:3]) == (429, "You")
        assert int(refused.headers["retry-after"]) > 0


def test_a_page_that_does_not_wait_sees_the_same_words(processes, transactional_db, ann):
    with httpx.Client(base_url=processes[0].url, cookies={"sessionid": cookie_of(ann)}, timeout=20) as browser:
        answers = [browser.get("/sessions/") for _ in range(READS + 2)]
    assert [answer.status_code for answer in answers] == [200] * READS + [429] * 2
    assert "Too many requests" in answers[-2].text
    assert "Too many requests" in answers[-1].text
    assert "default-src 'none'" in answers[-1].headers["content-security-policy"]


def test_one_person_has_so_many_sockets_and_streams_and_no_more(processes, transactional_db, ann, ben):
    server, cookie = processes[0], cookie_of(ann)
    sign_in = {"additional_headers": {"Cookie": f"sessionid={cookie}"}, "open_timeout": 10}
    with ExitStack() as open_sockets:
        opened = [open_sockets.enter_context(connect(f"{server.ws_url}/ws/queue/", **sign_in)) for _ in range(SOCKETS)]
        assert all('"ready"' in socket.recv(timeout=10) for socket in opened)
        one_more = open_sockets.enter_context(connect(f"{server.ws_url}/ws/queue/", **sign_in))
        with pytest.raises(ConnectionClosed) as closed:
            one_more.recv(timeout=10)
        assert closed.value.rcvd.code == 4429
        for person, status in ((ann, 429), (ben, 200)):
            with Stream(server, person) as stream:
                assert stream.status == status
        opened[0].close()
        until = time.monotonic() + 10
        while not _is_let_in(server, sign_in):
            assert time.monotonic() < until
            time.sleep(0.05)


def _is_let_in(server, sign_in):
    with connect(f"{server.ws_url}/ws/queue/", **sign_in) as socket:
        try:
            return '"ready"' in socket.recv(timeout=10)
        except ConnectionClosed:
            return False


def test_who_talks_on_and_on_to_a_socket_that_only_listens_is_closed(processes, transactional_db, ben):
    sign_in = {"additional_headers": {"Cookie": f"sessionid={cookie_of(ben)}"}, "open_timeout": 10}
    with connect(f"{processes[0].ws_url}/ws/queue/", **sign_in) as socket:
        assert '"ready"' in socket.recv(timeout=10)
        for _ in range(100):
            socket.send("x" * 100)
        with pytest.raises(ConnectionClosed) as closed:
            list(socket)  # until it is closed
    assert closed.value.rcvd.code == 4429
