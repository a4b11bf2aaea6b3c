"""One read for many streams, and what a stream leaves behind in its process. Frame by frame, without a server."""

import asyncio

import pytest
from channels.testing import ApplicationCommunicator

from escalations.live import replay
from escalations.live.doors import doors
from escalations.live.hub import hub, read
from escalations.live.stream import Bell, StreamConsumer
from tests.factories import HandoffFactory
from tests.streams import ADDRESS, bulk_feed, token_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_assessor(settings) -> None:
    """Another test's server would take the job, and lengthen the feed."""
    settings.ASSESSMENT_MODEL = "none"


def opened(token: str, query: str = "") -> ApplicationCommunicator:
    headers = [(b"host", b"localhost"), (b"authorization", f"Bearer {token}".encode())]
    scope = {"type": "http", "method": "GET", "path": ADDRESS, "query_string": query.encode(), "headers": headers}
    return ApplicationCommunicator(StreamConsumer.as_asgi(), scope)


async def begin(stream: ApplicationCommunicator) -> bytes:
    """Open it and give its first frame."""
    await stream.send_input({"type": "http.request", "body": b"", "more_body": False})
    assert (await stream.receive_output(5))["status"] == 200
    return (await stream.receive_output(5))["body"]


async def leave(stream: ApplicationCommunicator) -> None:
    await stream.send_input({"type": "http.disconnect"})
    await stream.wait(5)
    await asyncio.sleep(0)


def test_whoever_asks_for_the_same_events_shares_one_read(ann, monkeypatch):
    HandoffFactory(by=ann)
    really_read, reads = replay._chunk_after, []
    monkeypatch.setattr(replay, "_chunk_after", lambda *asked: reads.append(asked) or really_read(*asked))

    async def ask() -> None:
        chunks = await asyncio.gather(*(replay.after(ann.account_id, 0) for _ in range(50)))
        assert len({id(chunk) for chunk in chunks}) == 1
        assert chunks[0].last == 1
        assert await replay.after(ann.account_id, 0) is chunks[0]

    asyncio.run(ask())
    assert reads == [(ann.account_id, 0)]


def test_nothing_yet_is_asked_again(ann):
    async def ask() -> None:
        assert await replay.after(ann.account_id, 0) is None
        await read(lambda: HandoffFactory(by=ann))
        assert (await replay.after(ann.account_id, 0)).last == 1

    asyncio.run(ask())


def test_the_number_of_remembered_reads_is_bounded(ann):
    handoff = HandoffFactory(by=ann)
    bulk_feed(handoff.pk, ann.account_id, upto=replay.REMEMBERED + 10)

    async def ask() -> None:
        for seq in range(replay.REMEMBERED + 9):
            await replay.after(ann.account_id, seq)

    asyncio.run(ask())
    assert len(replay._remembered) == replay.REMEMBERED


def test_a_program_that_leaves_leaves_nothing_behind(ann):
    async def come_and_go() -> None:
        stream = opened(token_of_ann)
        assert b"event: ready" in await begin(stream)
        assert [len(topic.sockets) for name, topic in hub._topics.items() if name.startswith("queue.")] == [1]
        assert len(doors._guests) == 1
        await leave(stream)
        assert [name for name in hub._topics if name.startswith("queue.")] == []
        assert doors._guests == {}

    token_of_ann = token_of(ann)
    asyncio.run(come_and_go())


def test_a_reader_who_falls_too_far_behind_an_open_stream_is_told_so(ann):
    """The server's `send` waits for a slow client; here the test is the client."""
    handoff = HandoffFactory(by=ann)
    token = token_of(ann)

    async def read_slowly() -> None:
        stream = opened(token)
        assert b'{"cursor":1}' in await begin(stream)
        await read(bulk_feed, handoff.pk, ann.account_id, 1002)
        (topic,) = [topic for name, topic in hub._topics.items() if name.startswith("queue.")]
        for n in (2, 1002):  # the frames between were lost
            topic.broadcast("a frame", n)
        assert (await stream.receive_output(5))["body"] == b'event: resync\ndata: {"cursor":1002}\n\n'
        await leave(stream)

    asyncio.run(read_slowly())


def test_a_bell_says_whether_it_rang():
    async def listen() -> None:
        bell = Bell()
        assert not await bell.rings(within=0.01)
        bell.put("a frame", cursor=3)
        assert await bell.rings(within=1)
        assert bell.cursor == 3
        assert not await bell.rings(within=-1)

    asyncio.run(listen())
