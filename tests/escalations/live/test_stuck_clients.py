"""Ten clients that never read, on a real server: the others notice nothing, memory stays, and they are closed."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from websockets.sync.client import ClientConnection, connect

from escalations.live import groups
from tests.bench.processes import NeverReads, Triggered, wait_until
from tests.cookies import cookie_header
from tests.serving import cookie_of

STUCK = 10
PATIENCE = 3.0  # seconds; 10 by default
FRAMES = 300
CARD = "x" * 32_000
BOUND = 20_000_000  # bytes; 96 MB are sent, of which the kernel takes some 25


@pytest.fixture
def triggered(transactional_db) -> Iterator[Callable[..., Triggered]]:
    started = []

    def start(*arguments: str) -> Triggered:
        started.append(Triggered.of_product(*arguments, STUCK_CLIENT_SECONDS=str(PATIENCE)))
        return started[-1]

    yield start
    for server in started:
        server.kill()


@pytest.fixture
def reader(ann) -> Iterator[Callable[[Triggered], ClientConnection]]:
    with ExitStack() as opened:

        def listen(server: Triggered) -> ClientConnection:
            headers = {"Cookie": cookie_header(cookie_of(ann))}
            socket = opened.enter_context(connect(server.ws_url + "/ws/queue/", additional_headers=headers))
            assert json.loads(socket.recv(timeout=10))["type"] == "ready"
            return socket

        yield listen


@pytest.fixture
def stuck(ben) -> Iterator[Callable[[Triggered], list[NeverReads]]]:
    clients: list[NeverReads] = []

    def hang(server: Triggered) -> list[NeverReads]:
        clients.extend(NeverReads(server.port, cookie_of(ben)) for _ in range(STUCK))
        return clients

    yield hang
    for client in clients:
        client.close()


def growth_while_cards_flow(server: Triggered, account_id, reader: ClientConnection) -> int:
    """Bytes by which the server grows while `reader` gets each card at once and others read none."""
    before = server.memory()
    for cursor in range(1, FRAMES + 1):
        frame = {"type": "handoff_created", "cursor": cursor, "html": CARD}
        server.publish(groups.queue_of(account_id), [frame])
        assert json.loads(reader.recv(timeout=10)) == frame
    return server.memory() - before


@pytest.mark.parametrize("arguments", [(), ("--uvicorn",)], ids=["daphne", "uvicorn"])
def test_ten_clients_that_never_read_are_closed_and_cost_nobody_anything(triggered, reader, stuck, ann, arguments):
    server = triggered(*arguments)
    anns, clients = reader(server), stuck(server)
    assert growth_while_cards_flow(server, ann.account_id, anns) < BOUND
    waited = wait_until(lambda: all(client.is_closed() for client in clients), PATIENCE + 10)
    assert waited <= PATIENCE + 1
    after = {"type": "handoff_created", "cursor": FRAMES + 1, "html": "after"}
    server.publish(groups.queue_of(ann.account_id), [after])
    assert json.loads(anns.recv(timeout=10)) == after


def test_without_the_wire_they_would_cost_all_that_they_do_not_read(triggered, reader, stuck, ann):
    server = triggered("--plain")
    anns = reader(server)
    stuck(server)
    assert growth_while_cards_flow(server, ann.account_id, anns) > 2 * BOUND
