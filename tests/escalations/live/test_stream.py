"""The stream of a real server: its bytes, what it replays, whom it refuses, and what it costs."""

import json
import threading
import time
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from django.db import connection

from escalations.models import FeedCounter
from tests.factories import HandoffFactory, SessionFactory
from tests.programs import Program
from tests.serving import Server, cookie_of, post, wait_until_idle
from tests.streams import ADDRESS, Ended, Stream, bulk_feed, token_of


def cursor_of(user) -> int:
    return FeedCounter.objects.get(account=user.account).seq


def escalate(server, by) -> None:
    """Through the server, so that its hub rings; with the assessment that follows that is two events."""
    session = SessionFactory(by=by, problem="")
    assert post(server, by, f"/sessions/{session.pk}/escalate/", reason="Stuck.", priority="high").status_code == 302


@pytest.fixture
def brisk_server(server):
    """Another server beside the one whose worker does the work: it gives a sign of life every half second."""
    brisk = Server("--no-worker", LIVE_HEARTBEAT_SECONDS="0.5").start()
    yield brisk
    brisk.stop()


# What comes


def test_the_answer_begins_with_these_headers_and_ready(server, ann):
    with Stream(server, ann) as stream:
        assert stream.status == 200
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.headers["cache-control"] == "no-cache"
        assert stream.headers["x-accel-buffering"] == "no"
        assert stream.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in stream.headers["content-security-policy"]
        assert "content-length" not in stream.headers
        assert "set-cookie" not in stream.headers
        assert stream.frame() == b'event: ready\ndata: {"cursor":0}\n\n'


def test_an_escalation_comes_as_the_apis_handoff_in_one_line(server, ann, ben):
    with Stream(server, ben) as stream:
        stream.frame()
        escalate(server, ann)
        head, kind, data, *rest = stream.frame().decode().split("\n")
        assert (head, kind, rest) == ("id: 1", "event: handoff_created", ["", ""])
        told = json.loads(data.removeprefix("data: "))
        assert data == "data: " + json.dumps(told, separators=(",", ":"), ensure_ascii=False)
        assessed = stream.event()
        assert (assessed["id"], assessed["event"]) == ("2", "handoff_assessed")
        assert assessed["data"] == Program(ben).get(f"/handoffs/{told['id']}").json()
        assert told.keys() == assessed["data"].keys()
        assert (told["state"], told["from"]["name"], told["cursor"]) == ("waiting", "Ann Abel", 1)


def test_a_sign_in_will_do_and_so_does_http_1_1(server, ann):
    cookies = {"sessionid": cookie_of(ann)}
    with httpx.stream("GET", server.url + ADDRESS, cookies=cookies, timeout=10) as answer:
        assert answer.status_code == 200
        assert next(answer.iter_bytes()) == b'event: ready\ndata: {"cursor":0}\n\n'


def test_another_account_hears_nothing(server, ann, ben, zoe):
    with Stream(server, ben) as bens, Stream(server, zoe) as zoes:
        bens.frame(), zoes.frame()
        escalate(server, ann)
        assert bens.event()["event"] == "handoff_created"
        with pytest.raises(TimeoutError):
            zoes.frame(1)
        escalate(server, zoe)
        assert zoes.event()["data"]["from"]["name"] == "Zoe Zander"


def test_a_quiet_stream_is_kept_alive(brisk_server, ann):
    with Stream(brisk_server, ann) as stream:
        stream.frame()
        began = time.monotonic()
        assert [stream.frame(2), stream.frame(2), stream.frame(2)] == [b": keepalive\n\n"] * 3
        assert 1.2 < time.monotonic() - began < 2.5


def test_what_another_process_wrote_comes_with_the_next_heartbeat(brisk_server, ann):
    with Stream(brisk_server, ann) as stream:
        stream.frame()
        HandoffFactory(by=ann)  # here, without a channel layer in common
        assert stream.event(3)["id"] == "1"


# What was missed


@pytest.mark.parametrize("how", ["header", "query", "both"])
def test_what_was_missed_comes_in_order_and_each_once(server, ann, ben, how):
    for _ in range(15):
        HandoffFactory(by=ann, picker=ben)
    wait_until_idle()
    last = cursor_of(ann)
    asked = {"query": {"query": "?since=7"}, "header": {"Last_Event_ID": "7"}}
    asked["both"] = {"query": "?since=2", "Last_Event_ID": "7"}
    with Stream(server, ben, **asked[how]) as stream:
        assert stream.event() == {"event": "ready", "data": {"cursor": last}}
        assert [int(stream.event()["id"]) for _ in range(last - 7)] == list(range(8, last + 1))
        with pytest.raises(TimeoutError):
            stream.frame(0.5)


def test_since_zero_tells_everything(server, ann, ben):
    HandoffFactory(by=ann, picker=ben)
    wait_until_idle()
    with Stream(server, ben, query="?since=0") as stream:
        stream.frame()
        told = [stream.event() for _ in range(cursor_of(ann))]
        assert [event["id"] for event in told] == [str(n + 1) for n in range(len(told))]
        # The worker assesses it before the pickup or after it.
        assert told[0]["event"] == "handoff_created"
        assert sorted(event["event"] for event in told[1:]) == ["handoff_assessed", "handoff_picked_up"]


def test_whoever_has_everything_is_told_nothing(server, ann, ben):
    HandoffFactory(by=ann)
    wait_until_idle()
    with Stream(server, ben, query=f"?since={cursor_of(ann)}") as stream:
        assert stream.event()["event"] == "ready"
        with pytest.raises(TimeoutError):
            stream.frame(0.5)
        escalate(server, ann)
        assert stream.event()["event"] == "handoff_created"


def test_replay_and_live_meet_without_gap_or_duplicate_while_events_are_written(server, ann, ben):
    for _ in range(10):
        HandoffFactory(by=ann, picker=ben)
    going = threading.Event()

    def keep_escalating():
        with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token_of(ann)}"}) as program:
            while not going.is_set():
                session = program.post("/api/sessions", json={"title": "Again"}).json()["id"]
                told = {"intent": "escalate", "reason": "Stuck."}
                assert program.post(f"/api/sessions/{session}/handoffs", json=told).status_code == 201

    writer = threading.Thread(target=keep_escalating)
    writer.start()
    try:
        streams = [Stream(server, ben, query=f"?since={n}") for n in range(8)]
        for since, stream in enumerate(streams):
            assert stream.event()["event"] == "ready"
            seen = [int(stream.event()["id"]) for _ in range(60)]
            assert seen == list(range(since + 1, since + 61))
    finally:
        going.set()
        writer.join()
    for stream in streams:
        stream.close()


def test_somebody_too_far_behind_is_told_so_and_then_hears_what_is_new(server, ann, ben):
    handoff = HandoffFactory(by=ann)
    wait_until_idle()
    bulk_feed(handoff.pk, ann.account_id, upto=1100)
    with Stream(server, ben, query="?since=100") as near, Stream(server, ben, query="?since=99") as far:
        assert near.event()["data"] == {"cursor": 1100}
        assert [int(near.event()["id"]) for _ in range(1000)] == list(range(101, 1101))
        assert far.frame() == b'event: ready\ndata: {"cursor":1100}\n\n'
        assert far.frame() == b'event: resync\ndata: {"cursor":1100}\n\n'
        escalate(server, ann)
        assert near.event()["id"] == far.event()["id"] == "1101"


def test_a_position_ahead_of_the_feed_means_another_feed(server, ann, ben):
    HandoffFactory(by=ann)
    wait_until_idle()
    now = cursor_of(ann)
    with Stream(server, ben, Last_Event_ID=str(now + 1)) as stream:
        assert stream.event() == {"event": "ready", "data": {"cursor": now}}
        assert stream.event() == {"event": "resync", "data": {"cursor": now}}
        escalate(server, ann)
        assert stream.event()["id"] == str(now + 1)


def test_a_backup_restored_below_an_open_stream_is_told(brisk_server, ann):
    handoff = HandoffFactory(by=ann)
    wait_until_idle()
    bulk_feed(handoff.pk, ann.account_id, upto=30)
    with Stream(brisk_server, ann, query="?since=29") as stream:
        assert [stream.event()["event"], stream.event()["id"]] == ["ready", "30"]
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE feed_event CASCADE")
            cursor.execute("DELETE FROM feed_counter")
            cursor.execute("INSERT INTO feed_counter (account_id, seq) VALUES (%s, 5)", [ann.account_id])
        assert stream.event(3) == {"event": "resync", "data": {"cursor": 5}}


# Who and what is refused


def test_nobody_is_refused(server, ann):
    for told in ({}, {"token": "rf_wrong"}, {"cookie": "x" * 32}, {"token": "wrong", "cookie": cookie_of(ann)}):
        with Stream(server, **told) as stream:
            assert stream.status == 401
            assert stream.headers["www-authenticate"] == "Bearer"
            assert stream.refusal().endswith(".")
    with Stream(server, cookie=cookie_of(ann)) as stream:
        assert stream.status == 200


def test_a_viewer_and_the_operator_are_refused(server, vic, sam):
    for user in (vic, sam):
        for told in ({"token": token_of(user)}, {"cookie": cookie_of(user)}):
            with Stream(server, **told) as stream:
                assert stream.status == 403
                assert stream.refusal().endswith(".")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_get_is_taken(server, ann, method):
    with Stream(server, ann, method=method) as stream:
        assert stream.status == 405
        assert stream.headers["allow"] == "GET"
        assert stream.refusal() == "This address takes GET only."


GARBAGE = ["-1", "+1", "1.0", "x", "", "9223372036854775808", "9" * 400, "%00", "%D9%A1", "1,2"]


@pytest.mark.parametrize("since", GARBAGE)
def test_a_position_that_is_none_is_refused(server, ann, since):
    with Stream(server, ann, query=f"?since={since}") as stream:
        assert stream.status == 400
        assert stream.refusal().endswith(".")


def test_a_header_that_is_no_position_is_refused_whatever_the_query_says(server, ann):
    for told in ("-1", "x", "9" * 30, "1\xb2"):
        with Stream(server, ann, query="?since=0", Last_Event_ID=told) as stream:
            assert stream.status == 400


def test_a_misspelt_parameter_and_another_host_are_refused(server, ann):
    with Stream(server, ann, query="?sine=3") as stream:
        assert stream.status == 400
        assert "'sine'" in stream.refusal()
    answer = httpx.get(server.url + ADDRESS, headers={"Host": "evil.example"})
    assert answer.status_code == 400


def test_the_highest_position_is_only_ahead(server, ann):
    with Stream(server, ann, query="?since=9223372036854775807") as stream:
        assert [stream.event()["event"], stream.event()["event"]] == ["ready", "resync"]


def test_the_address_with_a_slash_is_nothing(server, ann):
    assert (
        httpx.get(server.url + ADDRESS + "/", headers={"Authorization": f"Bearer {token_of(ann)}"}).status_code == 404
    )


# What it costs


def threads_of(server: Server) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("Threads:")[1].split()[0])


def connections() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return cursor.fetchone()[0]


def test_fifty_open_streams_hold_no_thread_and_no_connection(server, ann):
    token = token_of(ann)
    for stream in [Stream(server, token=token) for _ in range(20)]:  # the readers' own threads are there after that
        stream.frame()
        stream.close()
    before = threads_of(server), connections()
    streams = [Stream(server, token=token) for _ in range(50)]
    for stream in streams:
        stream.frame()
    assert (threads_of(server), connections()) == before
    escalate(server, ann)
    assert {stream.event()["id"] for stream in streams} == {"1"}
    for stream in streams:
        stream.close()


def resident(server: Server) -> int:
    return int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * 4096


def test_a_client_that_reads_nothing_is_let_go_and_costs_little_until_then(server, ann):
    handoff = HandoffFactory(by=ann, session=SessionFactory(by=ann, problem="x" * 18_000))
    wait_until_idle()
    bulk_feed(handoff.pk, ann.account_id, upto=1000)
    with Stream(server, ann, query="?since=0") as reader:
        assert [reader.event()["event"], reader.event()["id"]] == ["ready", "1"]
    before = resident(server)
    with Stream(server, ann, query="?since=0", receive_buffer=4096) as stuck:
        assert stuck.event()["event"] == "ready"
        time.sleep(settings.STUCK_CLIENT_SECONDS + 1.5)  # all of it would be 36 MB
        assert resident(server) - before < 10_000_000
        with pytest.raises((Ended, ConnectionError)):
            [stuck.frame(2) for _ in range(1000)]
