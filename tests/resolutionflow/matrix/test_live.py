"""Everybody at every socket and at the stream, with both walls and with each alone: what happens in one account
reaches nobody of another, and what comes in by a socket changes nothing."""

import sys
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from escalations.live import routing
from escalations.models import AISession
from tests.resolutionflow.matrix import ground
from tests.resolutionflow.matrix.ground import FULL
from tests.serving import Server, post, wait_until_idle
from tests.streams import Stream

# For each of ground.PEOPLE: `o` hears this account · `s` hears its own only · `l` sign in first (4401, 401) · `f` not
# allowed (4403, 403) · `n` no handshake.
SOCKETS = {
    "ws/queue/": "loooossslf",
    "ws/sessions/<uuid:session_id>/": "looooffflf",
    "": "nnnnnnnnnn",
}
STREAMS = {"api/escalations/stream": "lfooossslf"}
QUIET = 0.1  # seconds without a frame, once everything has been sent
CLOSED = {4401: "l", 4403: "f"}
REFUSED = {401: "l", 403: "f"}


@pytest.fixture(scope="module", params=["both", *(["rows", "filters"] if FULL else [])])
def process(request, django_db_setup, django_db_blocker) -> Iterator[Server]:
    """A server with both walls; in the full matrix also one without each."""
    without = [sys.executable, "-m", "tests.resolutionflow.matrix.serve_without", request.param]
    with django_db_blocker.unblock():
        server = (Server() if request.param == "both" else Server(command=without)).start()
    yield server
    server.stop()


def test_every_socket_and_stream_has_a_row():
    assert {str(each.pattern) for each in routing.websocket_urlpatterns} == set(SOCKETS)
    assert {str(each.pattern) for each in routing.http_urlpatterns} == set(STREAMS)


def test_what_happens_here_is_heard_here_alone(process, transactional_db):
    process.wait_until_ready()
    where = ground.make()
    sockets, found = everybody_listens(process, where)
    assert found == {pattern: row.replace("s", "o") for pattern, row in {**SOCKETS, **STREAMS}.items()}
    told = '{"type": "resolve", "body": "Done."}'
    for listening in sockets.values():
        if not isinstance(listening, Stream):
            listening.send(told)
    engineer, session = where.ours.people["engineer"], where.ours.ids["session_id"]
    assert (
        post(process, engineer, f"/sessions/{session}/escalate/", reason="Quokka!", priority="low").status_code == 302
    )
    wait_until_idle()
    assert AISession.objects.get(pk=session).state == "escalated", "the posted one counted, not what sockets told"
    hears = sockets["viewer", "ws/queue/"]
    first = str(hears.recv(timeout=10)).lower()
    heard = {name: all_that_comes(listening) for name, listening in sockets.items()}
    heard["viewer", "ws/queue/"] += first
    for (person, pattern), said in heard.items():
        assert not {mark for mark in where.foreign_to(person) if mark in said}, f"{person} at {pattern}"
    own = where.ours.mark.lower()
    for person in ("viewer", "engineer", "owner", "admin"):
        assert own in heard[person, "ws/queue/"], "first, there was something to be heard"
    assert own in heard["owner", "api/escalations/stream"]


Listening = dict[tuple[str, str], ClientConnection | Stream]


def everybody_listens(process: Server, where: ground.Ground) -> tuple[Listening, dict[str, str]]:
    """Who got in, by person and address; and what came of each try, in letters."""
    sockets: Listening = {}
    found = dict.fromkeys([*SOCKETS, *STREAMS], "")
    for person in ground.PEOPLE:
        cookie = where.cookies[person] or ""
        for pattern in SOCKETS:
            socket = knock(process, pattern, where, cookie)
            found[pattern] += socket if isinstance(socket, str) else "o"
            if not isinstance(socket, str):
                sockets[person, pattern] = socket
        for pattern in STREAMS:
            stream = Stream(process, cookie=cookie)
            found[pattern] += REFUSED.get(stream.status, "o" if stream.status == 200 else "!")
            if stream.status == 200:
                sockets[person, pattern] = stream
            else:
                stream.close()
    return sockets, found


def knock(process: Server, pattern: str, where: ground.Ground, cookie: str) -> ClientConnection | str:
    """The socket once it is `ready`, or the letter of why there is none."""
    path = pattern.replace("<uuid:session_id>", where.ours.ids["session_id"]) or "ws/nowhere/"
    try:
        socket = connect(f"{process.ws_url}/{path}", additional_headers={"Cookie": f"sessionid={cookie}"}, legacy=True)
    except InvalidStatus:
        return "n"
    try:
        assert "ready" in str(socket.recv(timeout=10))
    except ConnectionClosed as closed:
        return CLOSED[closed.rcvd.code]
    return socket


def all_that_comes(listening: ClientConnection | Stream) -> str:
    """Until nothing more comes for a moment; everything was sent before."""
    said = ""
    try:
        while True:
            said += (
                listening.frame(QUIET).decode() if isinstance(listening, Stream) else str(listening.recv(timeout=QUIET))
            )
    except TimeoutError:
        listening.close()
    return said.lower()
