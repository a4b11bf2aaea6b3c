"""`python -m tests.bench.abuse`: what one account's clients feel while another's misbehave.

Zoe of one account asks the API, calmly and one call after the other, in turns alone and while ann of another account is
over her limit and asks on and on, while 200 connections send their requests a byte at a time, and while 200 sockets
never read what they are sent. The figures belong in docs/benchmarks.md.
"""

import contextlib
import os
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import httpx

from tests.bench.ground import fresh_database, machine

if TYPE_CHECKING:
    from resolutionflow.accounts.models import User

CALLS = int(os.environ.get("CALLS", "60"))
ROUNDS = int(os.environ.get("ROUNDS", "5"))
WARM_UP = 10
CLIENTS = 200
ASKING = 20
LIMIT = 300


def main() -> None:
    with fresh_database():
        from tests.serving import Server

        server = Server("--no-worker", DEBUG="false", RATE_LIMIT_USER=f"{LIMIT}/{LIMIT}", RATE_LIMIT_ADDRESS="off")
        server.start()
        try:
            measure(server)
        finally:
            server.stop()


def measure(server) -> None:
    """Each scene in turns with nobody else there: what a machine does between two minutes is no scene's fault."""
    from tests.streams import token_of

    scenes: dict[str, Callable[[User], contextlib.AbstractContextManager[None]]] = {
        "nobody else": lambda ann: contextlib.nullcontext(),
        f"{ASKING} clients of a person over the limit ask on": lambda ann: asking_on(server, token_of(ann)),
        f"{CLIENTS} connections send a byte now and then": lambda ann: slow_loris(server),
        f"{CLIENTS} sockets never read": lambda ann: mute_sockets(server, ann, token_of(ann)),
    }
    print(f"{machine()}; {ROUNDS} turns of {CALLS} calls each\n")
    print("| meanwhile | p50 | p95 | alone, in turns with it | p50 to alone |\n|---|---|---|---|---|")
    for name, scene in scenes.items():
        alone: list[float] = []
        times: list[float] = []
        for _ in range(ROUNDS):
            alone += calls(server)
            with scene(engineer()):
                times += calls(server)
        p50, p95, alone50 = statistics.median(times), statistics.quantiles(times, n=20)[-1], statistics.median(alone)
        figures = f"{p50 * 1000:.1f} ms | {p95 * 1000:.1f} ms | {alone50 * 1000:.1f} ms | {p50 / alone50:.2f}"
        print(f"| {name} | {figures} |", flush=True)


def engineer() -> "User":
    """Somebody of an account of their own, with one waiting escalation."""
    from tests.factories import AccountFactory, HandoffFactory, UserFactory

    user = UserFactory(account=AccountFactory())
    HandoffFactory(by=user)
    return user


def calls(server) -> list[float]:
    """Seconds of each call of zoe's, who makes them one after the other."""
    from tests.streams import token_of

    times = []
    headers = {"Authorization": f"Bearer {token_of(engineer())}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=30) as zoe:
        for _ in range(CALLS + WARM_UP):
            begun = time.perf_counter()
            assert zoe.get("/api/handoffs").status_code == 200
            times.append(time.perf_counter() - begun)
            time.sleep(0.02)
    return times[WARM_UP:]


@contextmanager
def asking_on(server, token: str) -> Iterator[None]:
    over = threading.Event()
    seen: list[int] = []

    def ask() -> None:
        with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as ann:
            while not over.is_set():
                seen.append(ann.get("/api/handoffs").status_code)

    threads = [threading.Thread(target=ask) for _ in range(ASKING)]
    for thread in threads:
        thread.start()
    while 429 not in seen:
        time.sleep(0.1)
    yield
    over.set()
    for thread in threads:
        thread.join()
    assert seen.count(200) % LIMIT == 0 or len(seen) < LIMIT, "exactly so many get through"
    print(f"<!-- ann: {seen.count(200)} let through, {seen.count(429)} refused -->")


@contextmanager
def slow_loris(server) -> Iterator[None]:
    over = threading.Event()

    def creep() -> None:
        clients: list[socket.socket] = []
        while not over.is_set():
            while len(clients) < CLIENTS:
                client = socket.create_connection(("127.0.0.1", server.port), timeout=10)
                client.sendall(b"GET /queue/ HTTP/1.1\r\nHost: localhost\r\n")
                clients.append(client)
            for client in list(clients):
                try:
                    client.sendall(b"X")
                except OSError:
                    clients.remove(client)
                    client.close()
            over.wait(1)
        for client in clients:
            client.close()

    thread = threading.Thread(target=creep)
    thread.start()
    time.sleep(1)
    yield
    over.set()
    thread.join()


@contextmanager
def mute_sockets(server, ann, token: str) -> Iterator[None]:
    """They are sent a frame several times a second, and take none of it."""
    from tests.bench.crowd import handshake
    from tests.factories import SessionFactory
    from tests.serving import cookie_of

    over = threading.Event()
    cookie, session = cookie_of(ann), SessionFactory(by=ann)

    def talk() -> None:
        with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as program:
            while not over.wait(0.2):
                answer = program.post(f"/api/sessions/{session.pk}/messages", json={"body": "x" * 3000})
                assert answer.status_code == 201, answer.text

    with ExitStack() as mute:
        for _ in range(CLIENTS):
            client = mute.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            client.connect(("127.0.0.1", server.port))
            client.sendall(handshake(f"/ws/sessions/{session.pk}/", cookie))
        thread = threading.Thread(target=talk)
        thread.start()
        time.sleep(1)
        yield
        over.set()
        thread.join()


if __name__ == "__main__":
    main()
