"""Who looks at an escalation: counted once, told once a second at most, gone soon after the page or its process."""

import asyncio
import json
from uuid import UUID, uuid4

import pytest
from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import InMemoryChannelLayer, channel_layers, get_channel_layer

from escalations.live import groups, transport
from escalations.live import looking as live_looking
from escalations.live.hub import Hub, Mailbox
from escalations.live.looking import ASK, Look, Looking
from tests.clock import run

HARBOR, SUMMIT = uuid4(), uuid4()
SESSION, HANDOFF = uuid4(), uuid4()
BEN, ERIN = uuid4(), uuid4()
NAMES = {BEN: "Ben Bauer", ERIN: "Erin Ek"}
GONE = 15.0  # seconds, at most, after which nobody is told to look who does not


@pytest.fixture(autouse=True)
def layer(monkeypatch):
    monkeypatch.setitem(channel_layers.backends, DEFAULT_CHANNEL_LAYER, InMemoryChannelLayer(capacity=5000))
    monkeypatch.setattr(transport, "_serving_loop", None)
    return get_channel_layer()


class Page(Mailbox):
    """A context screen, which answers when it is asked."""

    def __init__(self, process: "Process", look: Look | None) -> None:
        super().__init__()
        self.process, self.look, self.answers = process, look, True

    def put(self, text: str, *, cursor: int | None) -> None:
        super().put(text, cursor=cursor)
        if text == ASK and self.answers:
            asyncio.get_running_loop().call_soon(self.process.looking.answer, self)


class Process:
    """One web process."""

    def __init__(self) -> None:
        transport.serve_from(asyncio.get_running_loop())
        self.hub = Hub()
        self.looking = Looking(self.hub)
        self.looking.watch()

    async def open(self, group: str, look: Look | None = None) -> Page:
        page = Page(self, look)
        await self.hub.join(group, page)
        self.looking.watch()
        if shown := self.looking.frame_of(group):
            page.put(shown, cursor=None)
        if look:
            self.looking.enter(page, look)
        return page

    async def open_context(self, user: UUID, account: UUID = HARBOR) -> Page:
        look = Look(account, SESSION, HANDOFF, user, NAMES[user])
        return await self.open(groups.session(SESSION), look)

    async def open_queue(self, account: UUID = HARBOR) -> Page:
        return await self.open(groups.queue_of(account))

    def close(self, page: Page) -> None:
        self.looking.leave(page)
        self.hub.leave(groups.session(SESSION), page)
        page.answers = False

    def kill(self) -> None:
        """It says nothing any more, and hears nothing."""
        self.looking._task.cancel()


def told(page: Page) -> list[dict]:
    """The frames about lookers that came since the last question."""
    frames = [json.loads(text) for _, text in page._frames]
    page._frames.clear()
    return [frame for frame in frames if frame["type"] == "looking"]


def number(page: Page) -> int:
    return told(page)[-1]["handoffs"].get(str(HANDOFF), 0)


def names(page: Page) -> list[str]:
    return [person["name"] for person in told(page)[-1]["names"]]


def within(seconds: float, scenario) -> None:
    run(scenario(), seconds=seconds)


def test_the_queue_hears_how_many_look_and_the_screen_who():
    async def scenario():
        process = Process()
        queue = await process.open_queue()
        bens, _erins = await process.open_context(BEN), await process.open_context(ERIN)
        await asyncio.sleep(1.5)
        assert number(queue) == 2
        assert names(bens) == ["Ben Bauer", "Erin Ek"]

    within(5, scenario)


def test_a_person_counts_once_however_many_tabs_and_processes():
    async def scenario():
        one, other = Process(), Process()
        queue = await one.open_queue()
        for process in (one, one, other):
            await process.open_context(BEN)
        await asyncio.sleep(3)
        assert number(queue) == 1
        await other.open_context(ERIN)
        await asyncio.sleep(3)
        assert number(queue) == 2

    within(10, scenario)


def test_who_opens_a_page_later_is_told_at_once():
    async def scenario():
        one, other = Process(), Process()
        await one.open_context(BEN)
        await asyncio.sleep(3)
        assert number(await other.open_queue()) == 1
        assert names(await other.open(groups.session(SESSION))) == ["Ben Bauer"]
        assert told(await other.open_queue(SUMMIT)) == []

    within(5, scenario)


def test_another_account_is_told_nothing():
    async def scenario():
        one, other = Process(), Process()
        here, there = await one.open_queue(), await one.open_queue(SUMMIT)
        far = await other.open_queue(SUMMIT)
        await one.open_context(BEN)
        await asyncio.sleep(5)
        assert number(here) == 1
        assert told(there) + told(far) == []

    within(10, scenario)


def test_however_much_comes_and_goes_a_socket_gets_one_frame_a_second_at_most():
    async def scenario():
        one, other = Process(), Process()
        queue = await one.open_queue()
        for _ in range(40):
            for process, user in ((one, BEN), (other, ERIN)):
                page = await process.open_context(user)
                await asyncio.sleep(0.1)
                process.looking.turn_out(page)
        assert 2 <= len(told(queue)) <= 9  # in eight seconds

    within(20, scenario)


@pytest.mark.parametrize("apart", [False, True])
def test_who_closes_the_page_is_gone_soon_but_not_who_loads_it_anew(apart):
    async def scenario():
        here = Process()
        there = Process() if apart else here
        queue = await there.open_queue()
        page = await here.open_context(BEN)
        await asyncio.sleep(3)
        assert number(queue) == 1
        here.close(page)
        page = await here.open_context(BEN)
        await asyncio.sleep(6)
        assert {frame["handoffs"][str(HANDOFF)] for frame in told(queue)} == {1}
        here.close(page)
        await asyncio.sleep(6)
        assert number(queue) == 0

    within(30, scenario)


@pytest.mark.parametrize("apart", [False, True])
def test_a_page_that_does_not_answer_any_more_is_gone_after_fifteen_seconds(apart):
    async def scenario():
        here = Process()
        there = Process() if apart else here
        queue = await there.open_queue()
        page = await here.open_context(BEN)
        await asyncio.sleep(30)
        assert {frame["handoffs"][str(HANDOFF)] for frame in told(queue)} == {1}, "as long as it answers it looks"
        page.answers = False
        await asyncio.sleep(GONE - 3)  # the browser may take that long to show it
        assert number(queue) == 0

    within(60, scenario)


def test_those_of_a_killed_process_are_gone_after_fifteen_seconds():
    async def scenario():
        here, there = Process(), Process()
        queue = await there.open_queue()
        await here.open_context(BEN)
        await asyncio.sleep(20)
        assert number(queue) == 1
        here.kill()
        await asyncio.sleep(2)
        assert told(queue)[-1:] in ([], [{"type": "looking", "handoffs": {str(HANDOFF): 1}}])
        await asyncio.sleep(GONE - 5)
        assert number(queue) == 0

    within(60, scenario)


def test_who_is_turned_out_is_gone_at_once():
    async def scenario():
        process = Process()
        queue, page = await process.open_queue(), await process.open_context(BEN)
        await asyncio.sleep(1.5)
        assert number(queue) == 1
        process.looking.turn_out(page)
        await asyncio.sleep(live_looking.TICK_SECONDS)
        assert number(queue) == 0

    within(5, scenario)


def test_a_page_that_was_not_asked_says_nothing():
    async def scenario():
        process = Process()
        stranger, asked = Mailbox(), Mailbox()
        assert not process.looking.answer(stranger)
        process.looking.enter(asked, Look(HARBOR, SESSION, HANDOFF, BEN, "Ben Bauer"))
        assert process.looking.answer(asked)
        assert not process.looking.answer(asked)

    within(5, scenario)


def test_a_crowd_is_counted_and_its_first_dozen_named():
    crowd = [Look(HARBOR, SESSION, HANDOFF, uuid4(), f"Person {n:03}") for n in range(300)]
    frames = live_looking.frames_of(crowd)
    told = json.loads(frames[groups.session(SESSION)])
    assert [len(told["names"]), told["count"]] == [live_looking.MOST_NAMES, 300]
    assert json.loads(frames[groups.queue_of(HARBOR)])["handoffs"] == {str(HANDOFF): 300}
