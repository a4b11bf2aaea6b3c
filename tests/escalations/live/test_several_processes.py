"""Two web processes and a worker apart, with a real Valkey between them, behave as one; without it, nearly so."""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from websockets.sync.client import ClientConnection, connect

from escalations.models import Handoff
from tests.factories import SessionFactory
from tests.serving import Server, WorkerProcess, cookie_of, post, wait_until_idle
from tests.valkey import Valkey

HEARTBEAT = 15  # seconds, at most, between two


@dataclass
class House:
    """The processes of one installation."""

    valkey: Valkey
    web: list[Server]
    worker: WorkerProcess

    def processes(self) -> list[Server]:
        return [*self.web, self.worker]


@pytest.fixture(scope="module")
def house_processes(server_process) -> Iterator[House]:
    """The server of the other tests rests meanwhile: its worker would take the jobs."""
    server_process.stop()
    valkey = Valkey().start()
    web = [Server("--no-worker", REDIS_URL=valkey.url) for _ in range(2)]
    house = House(valkey, web, WorkerProcess(REDIS_URL=valkey.url))
    try:
        for process in house.processes():
            process.start()
        yield house
    finally:
        assert [process.stop() for process in house.processes() if process.process] == [0, 0, 0]
        valkey.stop()
        server_process.start()


@pytest.fixture
def house(house_processes, transactional_db) -> Iterator[House]:
    if not house_processes.valkey.answers():
        house_processes.valkey.start()
    for web in house_processes.web:
        web.wait_until_ready()
    yield house_processes
    wait_until_idle()


@contextmanager
def listen(server: Server, user) -> Iterator[ClientConnection]:
    headers = {"Cookie": f"sessionid={cookie_of(user)}"}
    with connect(f"{server.ws_url}/ws/queue/", additional_headers=headers) as socket:
        assert next_frame(socket)["type"] == "ready"
        yield socket


def next_frame(socket: ClientConnection, seconds: float = 10) -> dict:
    return json.loads(socket.recv(timeout=seconds))


def frames_until(socket: ClientConnection, kind: str, seconds: float = 10) -> list[dict]:
    """What comes, heartbeats left out, up to the first frame of this kind."""
    until, seen = time.monotonic() + seconds, []
    while not seen or seen[-1]["type"] != kind:
        frame = next_frame(socket, max(0.01, until - time.monotonic()))
        if frame["type"] == kind or frame["type"] != "heartbeat":
            seen.append(frame)
    return seen


def escalate(server: Server, user) -> Handoff:
    session = SessionFactory(by=user, problem="")
    answer = post(server, user, f"/sessions/{session.pk}/escalate/", reason="Stuck.", priority="normal")
    assert answer.status_code == 302
    return session.handoffs.get()


def test_a_card_and_its_assessment_arrive_at_the_sockets_of_both_processes(house, ann, ben, olga):
    with listen(house.web[0], ben) as bens, listen(house.web[1], olga) as olgas:
        handoff = escalate(house.web[0], ann)
        for socket in (bens, olgas):
            frames = frames_until(socket, "handoff_assessed")
            assert [(frame["type"], frame["cursor"]) for frame in frames] == [
                ("handoff_created", 1),
                ("handoff_assessed", 2),  # announced by the worker, a process without sockets
            ]
            assert {frame["handoff"] for frame in frames} == {str(handoff.pk)}
    assert handoff.assessment.state == "ready"


def test_frames_are_contiguous_at_both_whichever_process_or_worker_sent_them(house, ann, ben, olga):
    with listen(house.web[0], ben) as bens, listen(house.web[1], olga) as olgas:
        cursors: dict[str, list[int]] = {"ben": [], "olga": []}
        for number in range(6):  # one after the other: on a busy machine frames of several may overtake each other
            escalate(house.web[number % 2], ann)
            for name, socket in (("ben", bens), ("olga", olgas)):
                cursors[name] += [frame["cursor"] for frame in frames_until(socket, "handoff_assessed")]
        assert cursors == {name: list(range(1, 13)) for name in cursors}


def test_a_card_picked_up_on_one_process_leaves_the_other(house, ann, ben, olga):
    handoff = escalate(house.web[0], ann)
    wait_until_idle()
    with listen(house.web[1], olga) as olgas:
        assert post(house.web[0], ben, f"/handoffs/{handoff.pk}/pick-up/").status_code == 302
        frame = frames_until(olgas, "handoff_picked_up")[-1]
        assert (frame["handoff"], frame["html"]) == (str(handoff.pk), "")


def test_without_valkey_escalations_go_on_and_cards_appear_within_a_heartbeat(house, ann, ben, olga):
    with listen(house.web[0], ben) as bens, listen(house.web[1], olga) as olgas:
        house.valkey.kill()
        for web in house.web:
            began = time.monotonic()
            escalate(web, ann)
            assert time.monotonic() - began < 2
        wait_until_idle()
        began = time.monotonic()
        for socket in (bens, olgas):
            while (frame := next_frame(socket, HEARTBEAT + 1))["type"] != "heartbeat" or frame["cursor"] < 4:
                pass
        assert time.monotonic() - began < HEARTBEAT

        house.valkey.start()  # and live frames flow again by themselves
        until = time.monotonic() + 10
        for socket in (bens, olgas):
            while True:
                handoff = escalate(house.web[0], ann)
                try:
                    frames = frames_until(socket, "handoff_created", 1)
                except TimeoutError:
                    assert time.monotonic() < until, "no frame came after Valkey was back"
                    continue
                assert handoff.pk
                assert frames
                break


def test_a_socket_that_opens_while_valkey_is_away_gets_frames_once_it_is_back(house, ann, ben):
    house.valkey.kill()
    with listen(house.web[0], ben) as bens:
        house.valkey.start()
        frames_until(bens, "heartbeat", HEARTBEAT + 1)  # a heartbeat is when the hub tries again
        until = time.monotonic() + 10
        while True:
            escalate(house.web[1], ann)
            try:
                assert frames_until(bens, "handoff_created", 1)
                break
            except TimeoutError:
                assert time.monotonic() < until, "no frame came after Valkey was back"


def test_valkey_that_hangs_holds_up_no_post(house, ann):
    house.valkey.process.send_signal(19)
    try:
        for web in house.web:
            began = time.monotonic()
            escalate(web, ann)
            assert time.monotonic() - began < 2
        wait_until_idle()  # nor the worker
    finally:
        house.valkey.process.send_signal(18)


def test_who_looks_on_two_processes_counts_once_until_fifteen_seconds_after_they_were_killed(house, ann, ben, olga):
    handoff = escalate(house.web[0], ann)
    wait_until_idle()
    path, bens = f"/ws/sessions/{handoff.session_id}/?looking={handoff.pk}", {"Cookie": f"sessionid={cookie_of(ben)}"}
    doomed = Server("--no-worker", REDIS_URL=house.valkey.url).start()
    with (
        listen(house.web[0], olga) as olgas,
        connect(doomed.ws_url + path, additional_headers=bens) as killed,
        connect(house.web[1].ws_url + path, additional_headers=bens) as closed,
    ):
        for socket in (killed, closed):
            frames_until(socket, "still_looking")
            socket.send("looking")
        assert numbers(olgas, handoff, until=1) == [1]
        closed.close()
        doomed.stop(signal.SIGKILL)
        began = time.monotonic()
        assert set(numbers(olgas, handoff, until=0)) <= {1, 0}
        assert time.monotonic() - began < 15


def numbers(socket: ClientConnection, handoff: Handoff, *, until: int) -> list[int]:
    """How many look at it, as the queue is told, up to this number."""
    seen: list[int] = []
    while not seen or seen[-1] != until:
        seen.append(frames_until(socket, "looking", 20)[-1]["handoffs"].get(str(handoff.pk), 0))
    return seen
