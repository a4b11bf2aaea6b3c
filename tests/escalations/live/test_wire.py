"""Frames straight onto the socket: encoded once, held back while the client does not read, given up in the end."""

import asyncio
import functools
from types import MethodType, SimpleNamespace

import pytest
from websockets.frames import Frame as ParsedFrame
from websockets.streams import StreamReader

from escalations.live import hub, wire
from escalations.live.wire.frame import websocket_bytes
from tests.clock import run


class Transport:
    """What Twisted's looks like from here. `full_after` bytes it asks for a pause."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.producer = "the request of the handshake"
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def registerProducer(self, producer, streaming: bool) -> None:
        assert self.producer is None, "Twisted takes one producer at a time"
        assert streaming
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def abortConnection(self) -> None:
        self.aborted = True


def daphnes_send(**differs):
    protocol = SimpleNamespace(
        state="open",
        STATE_OPEN="open",
        transport=Transport(),
        websocket_extensions_in_use=[],
        send_queue=[],
        messages=[],
    )
    protocol.sendMessage = lambda payload, is_binary: protocol.messages.append((payload, is_binary))
    vars(protocol).update(differs)

    async def handle_reply(protocol, message): ...

    return functools.partial(handle_reply, protocol), protocol


def opened(**differs):
    send, protocol = daphnes_send(**differs)
    mailbox = hub.Mailbox()
    straight = wire.of(send, on_room=mailbox.flow)
    mailbox.flow_into(straight)
    return mailbox, protocol


def parsed(data: bytes) -> str:
    reader = StreamReader()
    reader.feed_data(data)
    parsing = ParsedFrame.parse(reader.read_exact, mask=False)
    with pytest.raises(StopIteration) as done:
        next(parsing)
    return done.value.value.data.decode()


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_a_websocket_client_reads_what_was_framed(size):
    assert parsed(websocket_bytes("x" * size)) == "x" * size
    assert parsed(websocket_bytes("é" * (size // 2))) == "é" * (size // 2)


def test_one_frame_for_many_sockets_is_encoded_once():
    boxes = [opened() for _ in range(3)]
    topic = hub.Topic("queue.x", sockets={mailbox for mailbox, _ in boxes})
    topic.broadcast("hello", 1)
    written = [protocol.transport.written for _, protocol in boxes]
    assert [parsed(data) for (data,) in written] == ["hello"] * 3
    assert len({id(data) for (data,) in written}) == 1


def test_a_compressed_connection_gets_its_frames_from_the_server_itself():
    mailbox, protocol = opened(websocket_extensions_in_use=["permessage-deflate"])
    mailbox.put("hello", cursor=1)
    assert protocol.messages == [(b"hello", False)]
    assert protocol.transport.written == []


def test_what_the_server_still_has_to_send_goes_first():
    mailbox, protocol = opened(send_queue=["something"])
    mailbox.put("hello", cursor=1)
    assert protocol.messages == [(b"hello", False)]


def test_what_came_before_the_wire_goes_onto_it_first():
    send, protocol = daphnes_send()
    mailbox = hub.Mailbox()
    mailbox.put("one", cursor=1)
    mailbox.flow_into(wire.of(send, on_room=mailbox.flow))
    mailbox.put("two", cursor=2)
    assert [parsed(data) for data in protocol.transport.written] == ["one", "two"]


def test_nothing_is_written_while_the_client_does_not_read_and_all_of_it_afterwards():
    async def scene():
        mailbox, protocol = opened()
        protocol.transport.producer.pauseProducing()
        mailbox.put("one", cursor=1)
        mailbox.put("two", cursor=2)
        assert protocol.transport.written == []
        protocol.transport.producer.resumeProducing()
        assert [parsed(data) for data in protocol.transport.written] == ["one", "two"]

    asyncio.run(scene())


def test_too_much_for_a_slow_client_becomes_one_ready():
    async def scene():
        mailbox, protocol = opened()
        protocol.transport.producer.pauseProducing()
        for cursor in range(1, hub.MAILBOX_SIZE + 2):
            mailbox.put(str(cursor), cursor=cursor)
        protocol.transport.producer.resumeProducing()
        (only,) = protocol.transport.written
        assert parsed(only) == hub.ready(hub.MAILBOX_SIZE + 1)

    asyncio.run(scene())


def test_a_client_that_never_reads_is_given_up_and_one_that_reads_again_is_not(settings):
    settings.STUCK_CLIENT_SECONDS = 0.05

    async def scene():
        (_, stuck), (_, slow), (_, gone) = opened(), opened(), opened()
        for protocol in (stuck, slow, gone):
            protocol.transport.producer.pauseProducing()
        slow.transport.producer.resumeProducing()
        gone.transport.producer.stopProducing()
        await asyncio.sleep(0.1)
        assert (stuck.transport.aborted, slow.transport.aborted, gone.transport.aborted) == (True, False, False)

    run(scene())


def test_nothing_is_written_after_the_close():
    mailbox, protocol = opened()
    protocol.state = "closing"
    mailbox.put("late", cursor=1)
    assert protocol.transport.written == []


def uvicorns_send(**differs):
    transport = Transport()
    transport.abort = transport.abortConnection
    transport.get_extra_info = lambda name: None
    writable = asyncio.Event()
    writable.set()
    protocol = SimpleNamespace(
        transport=transport,
        conn=SimpleNamespace(extensions=[]),
        writable=writable,
        handshake_complete=True,
        close_sent=False,
        disconnected=False,
    )
    vars(protocol).update(differs)

    async def send(protocol, message): ...

    return MethodType(send, protocol), protocol


def opened_on_uvicorn():
    send, protocol = uvicorns_send()
    mailbox = hub.Mailbox()
    mailbox.flow_into(wire.of(send, on_room=mailbox.flow))
    return mailbox, protocol


def fills_up(protocol) -> None:
    """The next write is one too many, as asyncio tells its protocol in the middle of it."""
    write = protocol.transport.write

    def write_and_pause(data: bytes) -> None:
        write(data)
        protocol.writable.clear()

    protocol.transport.write = write_and_pause


def test_on_uvicorn_too_a_slow_client_gets_nothing_until_it_reads_and_then_all_of_it():
    async def scene():
        mailbox, protocol = opened_on_uvicorn()
        fills_up(protocol)
        mailbox.put("one", cursor=1)
        mailbox.put("two", cursor=2)
        assert [parsed(data) for data in protocol.transport.written] == ["one"]
        protocol.writable.set()
        await asyncio.sleep(1)
        assert [parsed(data) for data in protocol.transport.written] == ["one", "two"]
        assert not protocol.transport.aborted

    run(scene())


def test_on_uvicorn_too_a_client_that_never_reads_is_given_up(settings):
    settings.STUCK_CLIENT_SECONDS = 5

    async def scene():
        mailbox, protocol = opened_on_uvicorn()
        fills_up(protocol)
        mailbox.put("one", cursor=1)
        await asyncio.sleep(4)
        assert not protocol.transport.aborted
        await asyncio.sleep(2)
        assert protocol.transport.aborted

    run(scene())


@pytest.mark.parametrize("over", [{"close_sent": True}, {"disconnected": True}])
def test_on_uvicorn_too_nothing_is_written_after_the_close(over):
    mailbox, protocol = opened_on_uvicorn()
    vars(protocol).update(over)
    mailbox.put("late", cursor=1)
    assert protocol.transport.written == []


def test_any_other_server_has_no_wire():
    class AnotherServers:
        async def send(self, message): ...

    strangers_transport, _ = daphnes_send(transport=SimpleNamespace(write=print))
    compressed, _ = uvicorns_send(conn=SimpleNamespace(extensions=["permessage-deflate"]))
    no_abort, _ = uvicorns_send(transport=SimpleNamespace(write=print))
    a_partial_of_something_else = functools.partial(print, "x")
    others = (AnotherServers().send, strangers_transport, compressed, no_abort)
    for send in (None, *others, a_partial_of_something_else, functools.partial(print)):
        assert wire.of(send, on_room=lambda: None) is None
