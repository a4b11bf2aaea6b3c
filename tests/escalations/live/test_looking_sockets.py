"""Lookers on the sockets of a real server: who counts, who is told, and who is refused."""

import contextlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from uuid import uuid4

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from escalations.live.looking import ANSWER
from tests.factories import HandoffFactory, SessionFactory
from tests.serving import Server, cookie_of, post, post_as


def socket_of(server: Server, path: str, cookie: str) -> ClientConnection:
    return connect(server.ws_url + path, additional_headers={"Cookie": f"sessionid={cookie}"})


def context_of(handoff, *, of=None) -> str:
    return f"/ws/sessions/{(of or handoff.session).pk}/?looking={handoff.pk}"


@contextmanager
def looking(server: Server, path: str, cookie: str) -> Iterator[ClientConnection]:
    """A context screen, which answers as long as the block lasts."""
    over = Event()
    with socket_of(server, path, cookie) as socket:

        def answer() -> None:
            while not over.is_set():
                try:
                    if json.loads(socket.recv(timeout=0.1))["type"] == "still_looking":
                        socket.send(ANSWER)
                except TimeoutError:
                    continue
                except ConnectionClosed:
                    return

        thread = Thread(target=answer)
        thread.start()
        yield socket
        over.set()
        thread.join()


def hears_number(socket: ClientConnection, handoff, number: int, seconds: float = 10) -> bool:
    """Whether the queue is told that so many look, in time."""
    until = time.monotonic() + seconds
    try:
        while (left := until - time.monotonic()) > 0:
            frame = json.loads(socket.recv(timeout=left))
            if frame["type"] == "looking" and frame["handoffs"].get(str(handoff.pk), 0) == number:
                assert "cursor" not in frame
                return True
    except TimeoutError:
        pass
    return False


def test_who_has_the_screen_open_counts_at_the_colleagues_and_nowhere_else(server, ann, ben, olga, zoe):
    handoff = HandoffFactory(by=ann)
    path = context_of(handoff)
    with (
        socket_of(server, "/ws/queue/", cookie_of(ann)) as anns,
        socket_of(server, "/ws/queue/", cookie_of(zoe)) as zoes,
    ):
        with looking(server, path, cookie_of(ben)), looking(server, path, cookie_of(olga)):
            assert hears_number(anns, handoff, 2)
        assert hears_number(anns, handoff, 0)
        assert not hears_number(zoes, handoff, 0, seconds=0.5)


def test_a_screen_that_does_not_answer_and_the_escalators_own_count_for_nothing(server, ann, ben):
    handoff = HandoffFactory(by=ann)
    with socket_of(server, "/ws/queue/", cookie_of(ben)) as bens:
        with (
            socket_of(server, context_of(handoff), cookie_of(ben)),
            looking(server, context_of(handoff), cookie_of(ann)),
        ):
            assert not hears_number(bens, handoff, 1, seconds=2.5)
        with looking(server, context_of(handoff), cookie_of(ben)):
            assert hears_number(bens, handoff, 1)


def test_only_a_handoff_of_that_session_and_account_can_be_looked_at(server, ann, ben, zoe):
    handoff, other = HandoffFactory(by=ann), SessionFactory(by=ann)
    wrong = [
        (context_of(handoff), zoe),
        (context_of(handoff, of=other), ben),
        (f"/ws/sessions/{other.pk}/?looking={uuid4()}", ben),
        (f"/ws/sessions/{other.pk}/?looking=%00", ben),
        (f"/ws/sessions/{other.pk}/?looking=1&looking=2", ben),
    ]
    for path, user in wrong:
        with socket_of(server, path, cookie_of(user)) as socket, pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=10)
        assert closed.value.rcvd.code == 4403, path
    with socket_of(server, context_of(handoff), cookie_of(ben)) as socket:
        assert json.loads(socket.recv(timeout=10))["type"] == "ready"


def test_who_signs_out_looks_no_more_at_once(server, ann, ben):
    handoff, cookie = HandoffFactory(by=ann), cookie_of(ben)
    with (
        socket_of(server, "/ws/queue/", cookie_of(ann)) as anns,
        looking(server, context_of(handoff), cookie),
    ):
        assert hears_number(anns, handoff, 1)
        assert post_as(cookie, server, "/logout/").status_code == 302
        assert hears_number(anns, handoff, 0, seconds=2.5)


def test_whoever_answers_without_being_asked_is_closed(server, ann, ben):
    handoff = HandoffFactory(by=ann)
    with socket_of(server, context_of(handoff), cookie_of(ben)) as socket:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(200):
                socket.send(ANSWER)
            while True:
                socket.recv(timeout=10)
        assert socket.close_code == 4429


def test_the_pages_say_whom_they_are_about(as_user, server, ann, ben):
    handoff = HandoffFactory(by=ann)
    address = f"/handoffs/{handoff.pk}/"
    assert context_of(handoff) in as_user(ben).get(address).content.decode()
    assert "?looking=" not in as_user(ann).get(address).content.decode()
    post(server, ben, f"{address}pick-up/")
    assert "?looking=" not in as_user(ben).get(address).content.decode()
