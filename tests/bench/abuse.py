"""`python -m tests.bench.abuse`: what one account's clients feel while another's misbehave.

Zoe of one account asks the API, calmly and one call after the other, first alone, then while ann of another account is
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

import httpx

from tests.bench.ground import fresh_database, machine

CALLS = int(os.environ.get("CALLS", "200"))
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
    from tests.factories import AccountFactory, HandoffFactory, UserFactory
    from tests.streams import token_of

    ann = UserFactory(name="Ann", account=AccountFactory(slug="harbor"))
    zoes = [UserFactory(account=AccountFactory(slug=f"summit-{number}")) for number in range(8)]
    HandoffFactory(by=ann)
    for zoe in zoes:
        HandoffFactory(by=zoe)
    tokens = iter([token_of(zoe) for zoe in zoes])
    scenes: list[tuple[str, Callable[[], contextlib.AbstractContextManager[None]]]] = [
        ("alone", contextlib.nullcontext),
        ("alone, again", contextlib.nullcontext),
        (f"{ASKING} clients of a person over the limit ask on", lambda: asking_on(server, token_of(ann))),
        (f"{CLIENTS} connections send a byte now and then", lambda: slow_loris(server)),
        (f"{CLIENTS} sockets never read", lambda: mute_sockets(server, ann, token_of(ann))),
        ("alone, in the end", contextlib.nullcontext),
    ]
    print(f"{machine()}; {CALLS} calls each\n\n| meanwhile | p50 | p95 | p50 to alone |\n|---|---|---|---|")
    alone = 0.0
    for name, scene in scenes:
        with scene():
            times = sorted(calls(server, next(tokens)))
        p50, p95 = statistics.median(times), times[int(len(times) * 0.95)]
        alone = alone or p50
        print(f"| {name} | {p50 * 1000:.1f} ms | {p95 * 1000:.1f} ms | {p50 / alone:.2f} |", flush=True)


def calls(server, token: str) -> Iterator[float]:
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as zoe:
        for number in range(CALLS + 20):
            begun = time.perf_counter()
            assert zoe.get("/api/handoffs").status_code == 200
            if number >= 20:
                yield time.perf_counter() - begun
            time.sleep(0.02)


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
