"""The sockets of a real server: what comes, what does not, and how they close."""

import json

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from escalations.actions import handoffs, sessions
from tests.factories import HandoffFactory, SessionFactory
from tests.serving import Server, cookie_of, post


def listen(server: Server, path: str, user=None, **headers: str) -> ClientConnection:
    if user:
        headers["Cookie"] = f"sessionid={cookie_of(user)}"
    return connect(server.ws_url + path, additional_headers=headers, open_timeout=10)


def next_frame(socket: ClientConnection) -> dict:
    return json.loads(socket.recv(timeout=10))


def test_an_escalation_arrives_at_a_colleague_and_at_nobody_else(server, ann, ben, zoe):
    session = SessionFactory(by=ann)
    with listen(server, "/ws/queue/", ben) as bens, listen(server, "/ws/queue/", zoe) as zoes:
        assert next_frame(bens) == {"type": "ready", "cursor": 0}
        assert next_frame(zoes) == {"type": "ready", "cursor": 0}
        answer = post(server, ann, f"/sessions/{session.pk}/escalate/", reason="It still loops.", priority="high")
        assert answer.status_code == 302
        frame = next_frame(bens)
        handoff = session.handoffs.get()
        assert (frame["type"], frame["cursor"], frame["handoff"]) == ("handoff_created", 1, str(handoff.pk))
        assert f'id="handoff-{handoff.pk}"' in frame["html"]
        assert "It still loops." in frame["html"]
        with pytest.raises(TimeoutError):
            zoes.recv(timeout=0.5)


def test_a_frame_names_nobody_as_you_and_carries_no_token(server, ann, ben):
    session = SessionFactory(by=ann)
    with listen(server, "/ws/queue/", ben) as bens, listen(server, "/ws/queue/", ann) as anns:
        next_frame(bens), next_frame(anns)
        post(server, ann, f"/sessions/{session.pk}/escalate/", reason="Stuck.", priority="normal")
        frame, other = bens.recv(timeout=10), anns.recv(timeout=10)
        assert frame == other
        assert "csrf" not in frame
        assert "token" not in frame


def test_frames_are_contiguous_and_a_picked_up_card_is_gone(server, ann, ben):
    handoff = HandoffFactory(by=ann)
    with listen(server, "/ws/queue/", ben) as socket:
        ready = next_frame(socket)
        assert post(server, ben, f"/handoffs/{handoff.pk}/pick-up/").status_code == 302
        seen = []
        while not seen or seen[-1]["type"] != "handoff_picked_up":
            frame = next_frame(socket)
            if frame["cursor"] > ready["cursor"]:  # a page drops what `ready` covers already
                seen.append(frame)
        assert [frame["cursor"] for frame in seen] == list(range(ready["cursor"] + 1, ready["cursor"] + 1 + len(seen)))
        assert seen[-1]["html"] == ""


def test_the_assessment_lands_by_itself(server, ann, ben):
    session = SessionFactory(by=ann)
    with listen(server, "/ws/queue/", ben) as socket:
        next_frame(socket)
        post(server, ann, f"/sessions/{session.pk}/escalate/", reason="Stuck.", priority="normal")
        kinds = [next_frame(socket)["type"], next_frame(socket)["type"]]
        assert kinds == ["handoff_created", "handoff_assessed"]
    assert session.handoffs.get().assessment.state == "ready"


def test_a_message_arrives_in_the_session_and_flowpilot_answers(server, ann, ben):
    session = SessionFactory(by=ann, problem="")
    with listen(server, f"/ws/sessions/{session.pk}/", ben) as socket:
        assert next_frame(socket) == {"type": "ready", "cursor": 0}
        assert post(server, ann, f"/sessions/{session.pk}/messages/", body="It says 0x8004011d.").status_code == 302
        mine, answer = next_frame(socket), next_frame(socket)
        assert (mine["type"], mine["cursor"]) == ("message_posted", 1)
        assert "It says 0x8004011d." in mine["html"]
        assert (answer["type"], answer["cursor"]) == ("message_posted", 2)
        assert 'data-kind="copilot"' in answer["html"]


def test_a_long_message_arrives_whole(server, ann, ben):
    session = SessionFactory(by=ann, problem="")
    body = "Event log. " * 800
    with listen(server, f"/ws/sessions/{session.pk}/", ben) as socket:
        assert next_frame(socket)["type"] == "ready"
        assert post(server, ann, f"/sessions/{session.pk}/messages/", body=body).status_code == 302
        assert body.strip() in next_frame(socket)["html"]


def test_somebody_who_is_not_signed_in_is_sent_to_the_login(server):
    with listen(server, "/ws/queue/") as socket, pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=10)
    assert closed.value.rcvd.code == 4401


def test_a_strangers_session_and_one_that_does_not_exist_look_the_same(server, ann, zoe):
    session = SessionFactory(by=ann)
    codes = []
    for session_id in (session.pk, "00000000-0000-4000-8000-000000000000"):
        with listen(server, f"/ws/sessions/{session_id}/", zoe) as socket, pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=10)
        codes.append(closed.value.rcvd.code)
    assert codes == [4403, 4403]
    with listen(server, f"/ws/sessions/{session.pk}/", ann) as socket:
        assert next_frame(socket)["type"] == "ready"


def test_another_sites_page_may_not_open_a_socket(server, ann):
    with listen(server, "/ws/queue/", ann, Origin=server.url) as socket:
        assert next_frame(socket)["type"] == "ready"
    other_port, over_tls = server.url + "0", server.url.replace("http:", "https:")
    for origin in ("https://evil.example", "http://127.0.0.1", other_port, over_tls, "null"):
        with pytest.raises(InvalidStatus):
            listen(server, "/ws/queue/", ann, Origin=origin)


def test_an_unknown_address_is_refused(server, ann):
    with pytest.raises(InvalidStatus):
        listen(server, "/ws/nowhere/", ann)


def test_what_a_client_sends_is_ignored(server, ann):
    with listen(server, "/ws/queue/", ann) as socket:
        next_frame(socket)
        socket.send("{not json")
        socket.send(b"\x00\xff")
        session = SessionFactory(by=ann)
        handoffs.escalate(session, by=ann, reason="Stuck.")  # by another process: no frame, but no harm either
        sessions.post(session, by=ann, body="x")
        assert socket.ping().wait(timeout=5)
