"""One membership per group, one text for all its sockets, and no socket that can hold up another."""

import asyncio
import json
import logging

import pytest
from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import InMemoryChannelLayer, channel_layers, get_channel_layer

from escalations.live import groups
from escalations.live import hub as live_hub
from escalations.live.frames import UNAVAILABLE, heartbeat, ready
from escalations.live.hub import HOLD_SECONDS, MAILBOX_SIZE, Hub, Mailbox, Topic
from tests.clock import run

SOON = 0.01
GROUP, OTHER = "queue.harbor", "queue.summit"


class Layer(InMemoryChannelLayer):
    """Counts who joins and leaves; `away` is a Redis that does not answer."""

    def __init__(self):
        super().__init__(capacity=5000)
        self.calls: list[tuple[str, str]] = []
        self.away = False
        self.leaving_takes = 0.0

    async def group_add(self, group, channel):
        self.calls.append(("join", group))
        if self.away:
            raise ConnectionRefusedError
        await asyncio.sleep(0)  # a real one goes over the network
        await super().group_add(group, channel)

    async def group_discard(self, group, channel):
        self.calls.append(("leave", group))
        await asyncio.sleep(self.leaving_takes)
        await super().group_discard(group, channel)


@pytest.fixture
def layer(monkeypatch):
    monkeypatch.setitem(channel_layers.backends, DEFAULT_CHANNEL_LAYER, Layer())
    return get_channel_layer()


async def tell(layer, cursor, text=None, group=GROUP):
    frame = {"type": "frame", "group": group, "cursor": cursor, "text": text or f"frame {cursor}"}
    await layer.group_send(group, frame)


async def take(mailbox, count):
    return [await asyncio.wait_for(mailbox.get(), timeout=2) for _ in range(count)]


async def is_empty(mailbox):
    try:
        await asyncio.wait_for(mailbox.get(), timeout=SOON)
    except TimeoutError:
        return True
    return False


async def joined(hub, *groups):
    boxes = [Mailbox() for _ in groups]
    for group, box in zip(groups, boxes, strict=True):
        await hub.join(group, box)
    return boxes


def fill(mailbox, count, first=1):
    for cursor in range(first, first + count):
        mailbox.put(f"frame {cursor}", cursor=cursor)


# A mailbox


def test_a_mailbox_gives_what_it_got_in_order_and_waits_for_more():
    async def scenario():
        box = Mailbox()
        fill(box, 3)
        assert await take(box, 3) == ["frame 1", "frame 2", "frame 3"]
        assert await is_empty(box)
        asyncio.get_running_loop().call_later(SOON, lambda: fill(box, 1, first=4))
        assert await take(box, 1) == ["frame 4"]

    run(scenario())


def test_an_overflow_becomes_a_single_ready_and_the_rest_follows():
    async def scenario():
        box = Mailbox()
        fill(box, MAILBOX_SIZE + 1)
        fill(box, 1, first=MAILBOX_SIZE + 2)
        assert await take(box, 2) == [ready(MAILBOX_SIZE + 1), f"frame {MAILBOX_SIZE + 2}"]
        assert await is_empty(box)

    run(scenario())


def test_a_mailbox_stays_bounded_whatever_comes():
    async def scenario():
        box = Mailbox()
        fill(box, 1000)
        left = held_back(box)
        assert len(left) <= MAILBOX_SIZE
        kinds = [text for text in left if "ready" in text]
        assert len(kinds) == 1
        assert left[0] == kinds[0]
        first = json.loads(kinds[0])["cursor"]
        assert left[1:] == [f"frame {cursor}" for cursor in range(first + 1, 1001)]

    run(scenario())


def test_a_full_mailbox_drops_pieces_of_an_answer_and_keeps_the_frames():
    async def scenario():
        box = Mailbox()
        fill(box, MAILBOX_SIZE)
        box.put("a piece", cursor=None)
        assert await take(box, MAILBOX_SIZE) == [f"frame {cursor}" for cursor in range(1, MAILBOX_SIZE + 1)]
        assert await is_empty(box)

    run(scenario())


def test_what_ready_covers_is_forgotten():
    async def scenario():
        box = Mailbox()
        fill(box, 3)
        box.put("a piece", cursor=None)
        fill(box, 2, first=4)
        box.skip_to(4)
        assert await take(box, 2) == ["a piece", "frame 5"]

    run(scenario())


# The order


def topic_with_a_socket():
    topic, box = Topic(GROUP), Mailbox()
    topic.sockets.add(box)
    return topic, box


def deliver(topic, *cursors):
    for cursor in cursors:
        topic.deliver(cursor, f"frame {cursor}")


def held_back(box):
    return [text for _, text in box._frames]


def test_frames_in_order_are_handed_on_at_once():
    async def scenario():
        topic, box = topic_with_a_socket()
        deliver(topic, 7, 8, 9)
        assert held_back(box) == ["frame 7", "frame 8", "frame 9"]

    run(scenario())


@pytest.mark.parametrize("order", [(1, 3, 2), (1, 4, 3, 2), (1, 3, 4, 2), (1, 2, 5, 3, 4)])
def test_frames_out_of_order_are_put_in_order_as_soon_as_the_missing_one_comes(order):
    async def scenario():
        topic, box = topic_with_a_socket()
        deliver(topic, *order[:-1])
        assert len(held_back(box)) < len(order)
        deliver(topic, order[-1])
        assert held_back(box) == [f"frame {cursor}" for cursor in sorted(order)]
        await asyncio.sleep(HOLD_SECONDS * 1.5)
        assert len(held_back(box)) == len(order)  # and none of them twice

    run(scenario())


def test_a_lost_frame_holds_up_its_successors_only_briefly():
    async def scenario():
        topic, box = topic_with_a_socket()
        deliver(topic, 1, 4, 3)
        await asyncio.sleep(HOLD_SECONDS / 2)
        assert held_back(box) == ["frame 1"]
        await asyncio.sleep(HOLD_SECONDS)
        assert held_back(box) == ["frame 1", "frame 3", "frame 4"]
        deliver(topic, 5)
        assert held_back(box)[-1] == "frame 5"

    run(scenario())


def test_a_frame_that_comes_much_too_late_turns_nothing_back():
    async def scenario():
        topic, box = topic_with_a_socket()
        deliver(topic, 1, 3)
        await asyncio.sleep(HOLD_SECONDS * 1.5)
        deliver(topic, 2, 4)  # pages drop 2, for they stand at 3 and have fetched the list
        assert held_back(box) == ["frame 1", "frame 3", "frame 2", "frame 4"]
        assert topic.last == 4

    run(scenario())


def test_a_piece_of_an_answer_waits_for_nobody():
    async def scenario():
        topic, box = topic_with_a_socket()
        deliver(topic, 1, 3)
        topic.deliver(None, "a piece")
        assert held_back(box) == ["frame 1", "a piece"]

    run(scenario())


def test_each_gap_gets_its_own_time():
    async def scenario():
        topic, box = topic_with_a_socket()
        deliver(topic, 1, 3)
        await asyncio.sleep(HOLD_SECONDS * 0.6)
        deliver(topic, 2, 5)
        await asyncio.sleep(HOLD_SECONDS * 0.6)
        assert "frame 5" not in held_back(box)
        await asyncio.sleep(HOLD_SECONDS)
        assert "frame 5" in held_back(box)

    run(scenario())


# Memberships


def test_many_sockets_of_a_group_are_one_membership_and_get_one_text(layer):
    async def scenario():
        boxes = await joined(Hub(), GROUP, GROUP, GROUP)
        await tell(layer, 1)
        texts = [(await take(box, 1))[0] for box in boxes]
        assert texts == ["frame 1"] * 3
        assert len({id(text) for text in texts}) == 1
        assert layer.calls == [("join", GROUP)]

    run(scenario())


def test_sockets_that_come_at_the_same_moment_are_one_membership(layer):
    async def scenario():
        hub, boxes = Hub(), [Mailbox() for _ in range(5)]
        await asyncio.gather(*(hub.join(GROUP, box) for box in boxes))
        await tell(layer, 1)
        assert [await take(box, 1) for box in boxes] == [["frame 1"]] * 5
        assert layer.calls == [("join", GROUP)]

    run(scenario())


def test_a_group_hears_only_its_own(layer):
    async def scenario():
        mine, theirs = await joined(Hub(), GROUP, OTHER)
        await tell(layer, 1, "for harbor")
        await tell(layer, 1, "for summit", group=OTHER)
        assert await take(mine, 1) == ["for harbor"]
        assert await take(theirs, 1) == ["for summit"]
        assert await is_empty(mine)
        assert await is_empty(theirs)

    run(scenario())


def test_the_membership_ends_with_the_last_socket(layer):
    async def scenario():
        hub = Hub()
        first, second = await joined(hub, GROUP, GROUP)
        hub.leave(GROUP, first)
        await asyncio.sleep(SOON)
        assert layer.calls == [("join", GROUP)]
        await tell(layer, 1)
        assert await take(second, 1) == ["frame 1"]
        assert await is_empty(first)
        hub.leave(GROUP, second)
        await asyncio.sleep(SOON)
        assert layer.calls == [("join", GROUP), ("leave", GROUP)]
        assert GROUP not in layer.groups

    run(scenario())


def test_leaving_twice_or_from_nowhere_does_no_harm(layer):
    async def scenario():
        hub = Hub()
        (box,) = await joined(hub, GROUP)
        hub.leave(OTHER, box)
        hub.leave(GROUP, box)
        hub.leave(GROUP, box)
        await asyncio.sleep(SOON)
        assert layer.calls.count(("leave", GROUP)) == 1

    run(scenario())


@pytest.mark.parametrize("leaving_takes", [0, SOON])
@pytest.mark.parametrize("pause", [0, SOON / 2, SOON * 2])
def test_who_comes_while_the_last_one_leaves_misses_nothing(leaving_takes, pause, layer):
    """A page that is loaded anew: its old socket leaves while the new one joins."""
    layer.leaving_takes = leaving_takes

    async def scenario():
        hub = Hub()
        (box,) = await joined(hub, GROUP)
        for cursor in range(1, 6):
            hub.leave(GROUP, box)
            box = Mailbox()
            await hub.join(GROUP, box)
            await asyncio.sleep(pause)
            await tell(layer, cursor)
            assert await take(box, 1) == [f"frame {cursor}"]
            assert await is_empty(box)

    run(scenario())


def test_a_socket_that_reads_nothing_holds_up_nobody(layer):
    async def scenario():
        stuck, other = await joined(Hub(), GROUP, GROUP)
        for cursor in range(1, 201):
            await tell(layer, cursor)
            assert await take(other, 1) == [f"frame {cursor}"]
        assert len(stuck._frames) <= MAILBOX_SIZE
        assert (await take(stuck, 1))[0].startswith('{"type": "ready"')

    run(scenario())


def test_a_hub_lives_on_in_another_loop(layer):
    hub = Hub()

    async def scenario():
        (box,) = await joined(hub, GROUP)
        await tell(layer, 1)
        assert await take(box, 1) == ["frame 1"]

    run(scenario())
    run(scenario())


# Heartbeats


@pytest.fixture
def quick_heart(monkeypatch):
    """Beats every 20 ms, at the cursor 7."""
    monkeypatch.setattr(live_hub, "HEARTBEAT_SECONDS", 0.02)
    asked = []

    async def read(question, names):
        asked.append(sorted(names))
        return dict.fromkeys(names, 7)

    monkeypatch.setattr(live_hub, "read", read)
    return asked


def test_heartbeats_carry_the_cursor_and_ask_once_for_all_groups(layer, quick_heart):
    async def scenario():
        boxes = await joined(Hub(), GROUP, GROUP, OTHER)
        assert [await take(box, 1) for box in boxes] == [[heartbeat(7)]] * 3
        assert quick_heart[0] == [GROUP, OTHER]
        assert len(quick_heart) == 1

    run(scenario())


def test_sockets_live_by_heartbeats_until_the_layer_is_back(layer, quick_heart, caplog):
    async def scenario():
        layer.away = True
        hub = Hub()
        with caplog.at_level(logging.CRITICAL, logger="escalations.live.hub"):
            (box,) = await joined(hub, GROUP)
            assert await take(box, 1) == [heartbeat(7)]
        layer.away = False
        await asyncio.sleep(0.06)
        await tell(layer, 8)
        while (text := (await take(box, 1))[0]) == heartbeat(7):
            pass
        assert text == "frame 8"

    run(scenario())


def test_while_the_database_is_away_sockets_hear_so_in_place_of_heartbeats(layer, quick_heart, monkeypatch, caplog):
    async def scenario():
        answers = live_hub.read
        failures = []

        async def fail_once(question, names):
            if not failures:
                failures.append(1)
                raise ConnectionError
            return await answers(question, names)

        monkeypatch.setattr(live_hub, "read", fail_once)
        monkeypatch.setattr(live_hub, "AWAY_SECONDS", 0.02)
        box, doorbell = await joined(Hub(), GROUP, groups.PEOPLE)
        with caplog.at_level(logging.CRITICAL, logger="escalations.live.hub"):
            assert await take(box, 2) == [UNAVAILABLE, heartbeat(7)]
            assert await take(doorbell, 1) == [heartbeat(7)]  # which hears whose rights changed, not this
        assert failures == [1]

    run(scenario())


def test_memberships_are_renewed(layer, monkeypatch):
    monkeypatch.setattr(live_hub, "REJOIN_SECONDS", 0.02)

    async def scenario():
        await joined(Hub(), GROUP)
        await asyncio.sleep(0.05)
        assert layer.calls.count(("join", GROUP)) >= 2

    run(scenario())
