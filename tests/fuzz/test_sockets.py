"""Whatever a client sends to a socket or the stream: no traceback, no byte of another account, still alive.

FUZZ_MESSAGES says how many (`make fuzz`: 10,000); a short run is part of `make test`.
"""

import contextlib
import json
import os
import random
import socket
import time

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from escalations.actions import handoffs, sessions
from tests.factories import HandoffFactory, SessionFactory
from tests.serving import cookie_of, post
from tests.streams import ADDRESS, token_of

MESSAGES = int(os.environ.get("FUZZ_MESSAGES", "200"))
PER_SOCKET = 50
FOREIGN = "Summit's own secret matter"
GOOD = [
    '{"type":"ready","cursor":1}',
    '{"type":"heartbeat","cursor":0}',
    '{"type":"rights_changed","user":"6b3e97dd-1f63-4a30-838c-476f55dfbbcc"}',
    '{"type":"websocket.disconnect","code":1000}',
    '{"type":"group_send","group":"queue"}',
    '{"subscribe":"*","account":"summit-desk"}',
]
VALUES = [None, True, -1, 2**70, 1e308, "", "\x00", "\ud7ff", "x" * 3000, [], {}, [[[[]]]], {"type": {"type": []}}]


def message(dice: random.Random) -> str | bytes:
    """A frame of ours that went wrong, or nonsense."""
    kind = dice.randrange(6)
    if kind == 0:
        return dice.randbytes(dice.choice([0, 1, 100, 4000]))
    if kind == 1:
        return "".join(
            chr(dice.choice([0, 10, 34, 60, 123, 0x202E, 0x1F600, dice.randrange(1, 0xD7FF)])) for _ in range(50)
        )
    if kind == 2:
        return json.dumps(dict.fromkeys(["type", "cursor", "handoff", "html"], dice.choice(VALUES)))
    good = list(dice.choice(GOOD))
    for _ in range(dice.randrange(1, 8)):
        good[dice.randrange(len(good))] = dice.choice(['"', "{", "}", "\\", "0", "\x00", "é", ""])
    return "".join(good) if kind < 5 else "".join(good).encode()


def raw_frame(dice: random.Random) -> bytes:
    """What no library would send: wrong lengths, reserved bits, unmasked, fragments without an end."""
    head = bytes([dice.randrange(256), dice.choice([0x00, 0x05, 0x7E, 0x7F, 0x80, 0x85, 0xFE, 0xFF])])
    return head + dice.randbytes(dice.choice([0, 2, 8, 14, 60]))


@pytest.fixture
def summit_works(zoe):
    """Makes a change in the other account that everybody there hears of."""

    def work():
        matter = SessionFactory(by=zoe, title=FOREIGN, problem=FOREIGN)
        handoffs.escalate(matter, by=zoe, reason=FOREIGN)
        return matter

    return work


def test_what_clients_send_to_sockets_harms_nobody(server, ann, zoe, summit_works):
    dice = random.Random(20261122)
    session = SessionFactory(by=ann)
    foreign = summit_works()
    sign_in = {
        "additional_headers": {"Cookie": f"sessionid={cookie_of(ann)}"},
        "open_timeout": 20,
        "close_timeout": 0.2,
    }
    addresses = ["/ws/queue/", f"/ws/sessions/{session.pk}/", f"/ws/sessions/{foreign.pk}/", "/ws/nowhere/"]
    heard: list[str] = []
    sent = 0
    while sent < MESSAGES:
        address = dice.choice(addresses)
        with (
            contextlib.suppress(ConnectionClosed, InvalidStatus, OSError),
            connect(server.ws_url + address, **sign_in) as page,
        ):
            sent += PER_SOCKET
            for _ in range(PER_SOCKET // 2):
                page.send(message(dice))
            sessions.post(foreign, by=zoe, body=FOREIGN)
            with contextlib.suppress(TimeoutError):
                while True:
                    heard.append(str(page.recv(timeout=0.05)))
            for _ in range(PER_SOCKET // 2):
                page.socket.sendall(raw_frame(dice))
    assert any('"ready"' in frame for frame in heard)
    assert not [frame for frame in heard if FOREIGN in frame or str(foreign.pk) in frame]
    _is_well(server, sign_in, ann)


def test_odd_headers_of_the_stream_harm_nobody(server, ann, summit_works):
    dice = random.Random(20261123)
    token, ours, foreign = token_of(ann), HandoffFactory(by=ann), summit_works()
    names = [
        "Last-Event-ID",
        "Cookie",
        "Authorization",
        "Accept",
        "X-Forwarded-For",
        "X-Request-ID",
        "Content-Length",
        "Host",
    ]
    answers: list[bytes] = []
    for number in range(MESSAGES // 40 + 1):
        odd = dice.choice(
            [dice.randbytes(20), b"", b"-1", b"9" * 40, b"x" * 5000, "é\u202e".encode(), b"a=b; sessionid=\x01"]
        )
        odd = odd.translate(None, b"\r\n\x00") if number % 3 else odd
        query = dice.choice(["", "?since=0", "?since=-1", "?since=%00", "?nonsense=1", "?since=" + "9" * 300])
        lines = [
            f"GET {ADDRESS}{query} HTTP/1.0".encode(),
            b"Host: 127.0.0.1",
            f"Authorization: Bearer {token}".encode(),
        ]
        lines.append(dice.choice(names).encode() + b": " + odd)
        if number == 0:  # first, one that is in order: there is something to be heard
            lines[0], lines[-1] = f"GET {ADDRESS}?since=0 HTTP/1.0".encode(), b"Accept: text/event-stream"
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as stream:
            stream.sendall(b"\r\n".join([*lines, b"", b""]))
            stream.settimeout(0.05 if number % 20 else 1)
            with contextlib.suppress(TimeoutError, ConnectionError):
                while came := stream.recv(65536):
                    answers.append(came)
    said = b"".join(answers)
    assert str(ours.pk).encode() in said
    assert FOREIGN.encode() not in said
    assert str(foreign.pk).encode() not in said
    assert b" 500 " not in said
    assert httpx.get(f"{server.url}/healthz", timeout=20).status_code == 200
    assert "Traceback" not in server.said()


def _is_well(server, sign_in, ann):
    """A socket still hears what its account does, and nothing fell over meanwhile."""
    with connect(f"{server.ws_url}/ws/queue/", **sign_in) as page:
        assert '"ready"' in page.recv(timeout=20)
        session = SessionFactory(by=ann)
        told = {"reason": "Stuck.", "priority": "normal"}
        assert post(server, ann, f"/sessions/{session.pk}/escalate/", **told).status_code == 302
        until = time.monotonic() + 20
        while "handoff_created" not in (frame := str(page.recv(timeout=20))):
            assert time.monotonic() < until
        assert FOREIGN not in frame
    assert "Traceback" not in server.said()
    assert "Exception" not in server.said()
