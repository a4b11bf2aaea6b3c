"""Clients that take their time: what is not said within the deadline is not waited for, and others notice nothing."""

import socket
import time

import httpx
import pytest
from websockets.sync.client import connect

from tests.serving import Server, cookie_of
from tests.streams import Stream

SLOW, MOST = 2, 40


@pytest.fixture(scope="module")
def brisk(django_db_setup, django_db_blocker):
    """A server that waits for two seconds only, and takes forty connections."""
    with django_db_blocker.unblock():
        server = Server("--no-worker", SLOW_CLIENT_SECONDS=str(SLOW), MAX_CONNECTIONS=str(MOST)).start()
    yield server
    server.stop()


def connected(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=10)


def is_closed(client, within):
    """Whether the server ends the connection; what it may say before is thrown away."""
    until = time.monotonic() + within
    try:
        while time.monotonic() < until:
            client.settimeout(max(until - time.monotonic(), 0.01))
            if not client.recv(65536):
                return True
    except ConnectionError:
        return True
    except TimeoutError:
        pass
    return False


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"POST /login/ HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nx",
    ],
    ids=["nothing", "half a line", "half the headers", "half a body"],
)
def test_half_a_request_is_not_waited_for(brisk, begun):
    with connected(brisk) as client:
        client.sendall(begun)
        begun_at = time.monotonic()
        assert is_closed(client, within=SLOW + 5)
        assert time.monotonic() - begun_at >= SLOW - 0.5


def test_a_byte_now_and_then_buys_no_time(brisk):
    with connected(brisk) as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        begun = time.monotonic()
        while not is_closed(client, within=0.3):
            assert time.monotonic() - begun < SLOW + 3
            client.sendall(b"X-Slow: y\r\n")


def test_the_next_request_of_a_connection_has_its_own_time(brisk):
    with connected(brisk) as client:
        for _ in range(2):
            time.sleep(SLOW * 0.7)  # between requests nothing is due
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert client.recv(65536).startswith(b"HTTP/1.1 200")
        client.sendall(b"GET /hea")
        assert is_closed(client, within=SLOW + 5)


def test_sockets_and_streams_stay_though_their_clients_say_nothing(brisk, transactional_db, ann):
    sign_in = {"Cookie": f"sessionid={cookie_of(ann)}"}
    with connect(f"{brisk.ws_url}/ws/queue/", additional_headers=sign_in) as page, Stream(brisk, ann) as stream:
        assert '"ready"' in page.recv(timeout=10)
        assert stream.event()["event"] == "ready"
        assert not is_closed(stream.socket, within=SLOW + 1)
        page.ping().wait(timeout=10)


@pytest.mark.parametrize("length", [b"Content-Length: 900000000", b"Transfer-Encoding: chunked"])
def test_a_body_without_end_is_refused_before_it_is_taken(brisk, length):
    with connected(brisk) as client:
        client.sendall(b"POST /api/sessions HTTP/1.1\r\nHost: localhost\r\n" + length + b"\r\n\r\n")
        answer = b""
        try:
            for _ in range(200):
                client.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            answer = client.recv(65536)
        except ConnectionError:
            pass
        assert not answer or answer.startswith(b"HTTP/1.1 413")
        assert is_closed(client, within=5)


AN_UPLOAD = "/sessions/00000000-0000-4000-8000-000000000000/attachments/"
A_MEBIBYTE = 1024 * 1024


def head_of(path, length, kind="multipart/form-data; boundary=x"):
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n".encode()
    )


@pytest.mark.parametrize(
    ("path", "length", "taken"),
    [
        (AN_UPLOAD, 10 * A_MEBIBYTE + 256 * 1024, True),
        (AN_UPLOAD, 10 * A_MEBIBYTE + 256 * 1024 + 1, False),
        (AN_UPLOAD.replace("attachments", "messages"), 10 * A_MEBIBYTE, True),
        (AN_UPLOAD.replace("attachments", "escalate"), 9 * A_MEBIBYTE, False),
        (f"/api{AN_UPLOAD}", 9 * A_MEBIBYTE, False),
    ],
    ids=["a file", "a byte more", "a message with a file", "another form", "the API"],
)
def test_only_where_files_are_attached_a_body_may_be_as_long_as_one(path, length, taken, brisk):
    with connected(brisk) as client:
        client.sendall(head_of(path, length))
        if taken:
            client.sendall(b"x" * length)
        answer = client.recv(65536)
        assert answer.startswith(b"HTTP/1.1 413") is not taken, answer[:200]
        assert taken is answer.startswith((b"HTTP/1.1 302", b"HTTP/1.1 403", b"HTTP/1.1 400"))


def test_a_file_that_declares_its_length_gets_time_for_it(brisk):
    length = A_MEBIBYTE + 1
    with connected(brisk) as client:
        client.sendall(head_of(AN_UPLOAD, length) + b"x" * 1000)
        assert not is_closed(client, within=SLOW + 1), "at 128 KiB a second it may take ten"
        client.sendall(b"x" * (length - 1000))
        assert client.recv(65536).startswith(b"HTTP/1.1 ")


def test_a_body_over_the_limit_in_chunks_is_refused_in_words(brisk):
    def chunks():
        for _ in range(20):
            yield b"x" * 32768

    answer = httpx.post(f"{brisk.url}/api/sessions", content=chunks(), timeout=20)
    assert answer.status_code == 413
    assert "256 KiB" in answer.json()["detail"]


def test_no_more_connections_than_there_may_be(brisk):
    taken = [connected(brisk) for _ in range(MOST + 5)]
    try:
        assert is_closed(taken[-1], within=1)
        for client in taken:
            assert is_closed(client, within=SLOW + 5)
        assert httpx.get(f"{brisk.url}/healthz", timeout=10).status_code == 200
    finally:
        for client in taken:
            client.close()
