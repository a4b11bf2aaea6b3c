"""Everything around the pages, on one thread and a clock of its own: the real verbs over real rows, the real views,
the real hub and the real consumer, and between them a channel layer that loses, repeats and reorders.

Nothing happens by itself: a step makes a change, lets a frame through, or moves the clock.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack, suppress
from types import SimpleNamespace
from typing import Any
from unittest import mock

from channels import consumer as channels_consumer
from django.db import connection, transaction
from django.db.models import F
from django.http import HttpResponse
from django.test import RequestFactory

from escalations import audit
from escalations.actions import assessments, handoffs, leases, offers, sessions
from escalations.actions.refusals import Refusal
from escalations.live import announce, cards, consumers, groups, transport
from escalations.live import hub as hub_module
from escalations.models import Assessment, Handoff
from escalations.models.feed import cursor_of
from escalations.views import queue as queue_views
from resolutionflow.accounts.admission import Admission
from resolutionflow.accounts.models import Account, User
from tests.model.client import Card, Listed, Page

MAILBOX_SIZE = 2  # small, so that a burst of four overflows it
REJOIN = 30.0  # s, not an hour
BEAT = hub_module.HEARTBEAT_SECONDS


class Clock(asyncio.SelectorEventLoop):
    """An event loop whose time stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0
        super().__init__()

    def time(self) -> float:
        return self.now

    def run_what_is_due(self) -> None:
        while True:
            self.call_soon(self.stop)
            self.run_forever()
            if not self._ready and (self.next_timer() or self.now + 1) > self.now:
                return

    def next_timer(self) -> float | None:
        return min((timer._when for timer in self._scheduled if not timer._cancelled), default=None)


class Layer:
    """A channel layer with one process. A message reaches who is a member at the moment it gets through."""

    def __init__(self) -> None:
        self.members: defaultdict[str, set[str]] = defaultdict(set)
        self.forgotten: set[str] = set()  # groups whose members are gone, and do not know
        self.queues: dict[str, asyncio.Queue] = {}

    async def new_channel(self, prefix: str) -> str:
        name = f"{prefix}-{len(self.queues)}"
        self.queues[name] = asyncio.Queue()
        return name

    async def group_add(self, group: str, channel: str) -> None:
        self.members[group].add(channel)
        self.forgotten.discard(group)

    async def group_discard(self, group: str, channel: str) -> None:
        self.members[group].discard(channel)

    async def receive(self, channel: str) -> dict:
        return await self.queues[channel].get()

    def let_through(self, group: str, message: dict) -> None:
        for channel in self.members[group]:
            self.queues[channel].put_nowait(message)

    def forget_members(self) -> None:
        self.forgotten |= {group for group, members in self.members.items() if members}
        self.members.clear()


class Consumer(consumers.QueueConsumer):
    """Knows who it is without asking the database."""

    async def who(self) -> tuple[User, Admission]:
        user = self.scope["user"]
        return user, Admission.by_sign_in(user, "a sign-in")


class Socket:
    """One WebSocket between a page and the server's real consumer."""

    def __init__(self, world: "World", page: Page) -> None:
        self.page = page
        self.world = world
        self.inbox: asyncio.Queue = asyncio.Queue()
        self.has_room = asyncio.Event()
        self.has_room.set()
        app = Consumer.as_asgi()
        scope = {"type": "websocket", "path": "/ws/queue/", "user": page.user, "url_route": {}}
        self.inbox.put_nowait({"type": "websocket.connect"})
        self.task = world.clock.create_task(app(scope, self.inbox.get, self.send))
        self.task.add_done_callback(world.socket_ended)

    async def send(self, message: dict) -> None:
        """What the server sends arrives at once, or waits while the client takes nothing."""
        await self.has_room.wait()
        if self.page.socket is not self:
            return
        if message["type"] == "websocket.send":
            self.page.receive(json.loads(message["text"]))
        elif message["type"] == "websocket.close":
            self.page.was_closed()

    def hang_up(self) -> None:
        self.has_room.set()
        self.inbox.put_nowait({"type": "websocket.disconnect", "code": 1001})

    def break_off(self) -> None:
        """The network, or the server, is gone."""
        if self.page.socket is self:
            self.page.was_closed()
        self.hang_up()


class World:
    """Of each queue it knows the newest cursor that got lost, and the newest that was heard: only where the lost one is
    newer is a heartbeat needed, because whoever hears of a later event sees the gap."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.layer = Layer()
        self.pages: list[Page] = []
        self.sockets: list[Socket] = []
        self.committed: list[Any] = []  # events that are not announced yet
        self.late: list[Any] = []  # the thread that committed stands still; it renders when it goes on
        self.in_flight: list[tuple[str, dict]] = []
        self.fetches: list[list] = []  # [page, what the server answered or None]
        self.slow: set[Page] = set()  # their requests wait for `serve` and `land`
        self.questions: list[tuple[asyncio.Future, Callable, tuple]] = []
        self.between: Callable[[], None] | None = None
        self.lost: defaultdict[str, int] = defaultdict(int)
        self.heard: defaultdict[str, int] = defaultdict(int)
        self.broken: list[BaseException] = []  # what ended a consumer that should have gone on
        self.tell = announce.handoff
        self.patches = ExitStack()
        self.patch(announce, "handoff", self.committed.append)
        for name in ("message_posted", "step_recorded", "assessed", "session_changed"):
            self.patch(announce, name, lambda *_: None)  # the session's own sockets are another story
        self.patch(transport, "publish", self.publish)
        self.patch(hub_module, "get_channel_layer", lambda: self.layer)
        self.patch(hub_module, "MAILBOX_SIZE", MAILBOX_SIZE)
        self.patch(hub_module, "REJOIN_SECONDS", REJOIN)
        self.patch(hub_module, "read", self.read)
        self.patch(consumers, "read", self.read)
        self.patch(consumers, "doors", mock.Mock())  # who may stay is another story too
        self.patch(channels_consumer, "aclose_old_connections", nothing)
        self.patch(queue_views, "render", lambda request, template, context: Rendered(context))
        self.patch(queue_views, "_today", nothing_today)
        self.patch(queue_views, "lessons", mock.Mock())
        self.patch(queue_views, "clients_at", mock.Mock())
        self.patch(queue_views, "cursor_of", self.first_of_two(cursor_of))
        self.patch(queue_views, "live_cards", SimpleNamespace(of_account=self.first_of_two(cards.of_account)))
        self.patch(consumers, "hub", hub_module.Hub())

    def patch(self, target: Any, name: str, value: Any) -> None:
        self.patches.enter_context(mock.patch.object(target, name, value))

    def close(self) -> None:
        for page in self.pages:
            page.close()
        self.end_all_tasks()
        self.patches.close()
        self.clock.close()

    # The server

    async def read(self, question: Callable, *args: Any) -> Any:
        answer = self.clock.create_future()
        self.questions.append((answer, question, args))
        return await answer

    def publish(self, group: str, frame: dict) -> None:
        message = {"type": "frame", "group": group, "cursor": frame.get("cursor"), "text": json.dumps(frame)}
        self.in_flight.append((group, message))

    def restart(self) -> None:
        """The web process ends and another begins: its hub and what was in it are gone, and every request fails. What
        got lost before is in the `ready` of every new connection."""
        self.end_all_tasks()
        self.layer.members.clear()
        self.layer.forgotten.clear()
        self.lost.clear()
        self.patch(consumers, "hub", hub_module.Hub())
        sockets, self.sockets = self.sockets, []
        for socket in sockets:
            socket.break_off()
        for fetch in list(self.fetches):
            self.land(fetch, fails=True)
        self.settle()

    def end_all_tasks(self) -> None:
        for task in asyncio.all_tasks(self.clock):
            task.cancel()
        self.clock.run_what_is_due()
        self.questions.clear()

    def answer(self, page_or_user: Any, view: Callable, query: str = "") -> Listed:
        request = RequestFactory().get(f"/{query}")
        request.user = page_or_user
        request.account = page_or_user.account
        told = view(request).context
        return Listed(told["cursor"], told["base"], [Card.parse(str(card)) for card in told["cards"]])

    def first_of_two(self, read: Callable) -> Callable:
        """A view reads the cursor and the list; what was put into `between` happens after whichever comes first."""

        def reading(*args: Any, **kwargs: Any) -> Any:
            found = read(*args, **kwargs)
            self.let_between_happen()
            return found

        return reading

    def let_between_happen(self) -> None:
        between, self.between = self.between, None
        if between:
            between()

    def socket_ended(self, task: asyncio.Task) -> None:
        if not task.cancelled() and task.exception():
            self.broken.append(task.exception())

    # Time and the network

    def settle(self) -> None:
        """Let everything happen that needs no time: the loop, its questions to the database, quick requests."""
        while True:
            self.clock.run_what_is_due()
            if self.questions:
                answer, question, args = self.questions.pop(0)
                said = question(*args)
                self.let_between_happen()
                if not answer.done():
                    answer.set_result(said)
            elif quick := next((fetch for fetch in self.fetches if fetch[0] not in self.slow), None):
                self.serve(quick)
                if quick in self.fetches:  # else what happened during its reading has settled it, too
                    self.land(quick)
            else:
                return

    def pass_time(self, seconds: float) -> None:
        end = self.clock.now + seconds
        self.settle()
        while (due := self.clock.next_timer()) is not None and due <= end:
            self.clock.now = max(due, self.clock.now)
            self.settle()
        self.clock.now = end

    def later(self, seconds: float, work: Callable[[], None]) -> asyncio.TimerHandle:
        return self.clock.call_later(seconds, work)

    def ask(self, page: Page) -> None:
        self.fetches.append([page, None])

    def serve(self, fetch: list) -> None:
        """The server reads what this request asks for."""
        fetch[1] = fetch[1] or self.answer(fetch[0].user, queue_views.cards, f"?base={fetch[0].base}")

    def land(self, fetch: list, *, fails: bool = False) -> None:
        """The answer arrives at the page, or the request fails."""
        self.fetches.remove(fetch)
        if not fetch[0].is_closed:
            fetch[0].answered(None if fails else fetch[1])

    def dial(self, page: Page) -> Socket:
        self.sockets = [socket for socket in self.sockets if not socket.task.done()]
        self.sockets.append(Socket(self, page))
        return self.sockets[-1]

    def open_page(self, user: User) -> Page:
        page = Page(self, user, self.answer(user, queue_views.show))
        self.pages.append(page)
        self.settle()
        return page

    def close_page(self, page: Page) -> None:
        self.pages.remove(page)
        self.slow.discard(page)
        page.close()
        self.settle()

    # Announcements

    def announce(self, fate: str) -> None:
        """What becomes of the events that were just committed."""
        if fate == "late":
            self.late += self.committed
            self.committed.clear()
            return
        if fate == "lost":
            for event in self.committed:
                self.miss(groups.queue_of(event.account_id), event.seq)
            self.committed.clear()
            return
        first = len(self.in_flight)
        while self.committed:
            self.tell(self.committed.pop(0))
        if fate == "reversed":
            self.in_flight[first:] = reversed(self.in_flight[first:])
        if fate != "in flight":
            while len(self.in_flight) > first:
                self.let_through(first)

    def go_on(self, position: int) -> None:
        """The thread that stood still renders and sends."""
        self.tell(self.late.pop(position))
        self.let_through(len(self.in_flight) - 1)

    def stall(self, page: Page) -> None:
        """Its client reads nothing more: one frame waits in `send`, the others in the mailbox."""
        if page.socket:
            page.socket.has_room.clear()

    def let_through(self, position: int, *, twice: bool = False) -> None:
        group, message = self.in_flight[position] if twice else self.in_flight.pop(position)
        if group in self.layer.forgotten:
            self.miss(group, message["cursor"])
        elif self.layer.members[group]:
            self.heard[group] = max(self.heard[group], message["cursor"] or 0)
        self.layer.let_through(group, message)
        self.settle()

    def lose(self, position: int) -> None:
        group, message = self.in_flight.pop(position)
        self.miss(group, message["cursor"])

    def miss(self, group: str, cursor: int | None) -> None:
        self.lost[group] = max(self.lost[group], cursor or 0)

    def is_lossy(self, page: Page) -> bool:
        group = groups.queue_of(page.user.account_id)
        return self.lost[group] > self.heard[group]

    # Rest

    def come_to_rest(self) -> None:
        """Everything gets through that still can; nothing that was lost is mended by this alone."""
        self.slow.clear()
        self.between = None
        while self.late:
            self.go_on(0)
        while self.in_flight:
            self.let_through(0)
        for socket in self.sockets:
            socket.has_room.set()
        self.pass_time(0.1)
        for _ in range(40):
            if all(page.is_settled for page in self.pages):
                return
            self.pass_time(1)
        raise AssertionError("the pages do not come to rest")

    def let_heartbeats_come(self) -> None:
        self.come_to_rest()
        self.pass_time(BEAT + 0.1)
        self.come_to_rest()
        self.lost.clear()

    def check_pages(self) -> None:
        """Every page whose account has lost nothing shows exactly the server's list, in its order, for its own base."""
        cards._newest.cache_clear()  # what a page was told is no witness; read once for all of them
        cursors = {desk.account: cursor_of(desk.account) for desk in Desk.all.values()}
        for page in self.pages:
            if self.is_lossy(page):
                continue
            account = page.user.account
            listed = [str(card) for card in cards.of_account(account, base=page.base, at=cursors[account])]
            assert [card.html for card in page.cards] == listed, difference(page, listed)
            assert page.cursor == cursors[account]

    def check_what_always_holds(self) -> None:
        """Nothing is shown twice, nothing of one account at another's, and no consumer has fallen over."""
        assert not self.broken, self.broken
        for page in self.pages:
            shown = [card.handoff for card in page.cards]
            assert len(shown) == len(set(shown)), "a card is shown twice"
            others = set(shown) - Desk.of(page.user.account).handoffs
            assert not others, "a card of another account is shown"


class Desk:
    """One account with its people, and what the test did in it."""

    all: dict[Any, "Desk"] = {}

    def __init__(self, account: Account, people: list[User]) -> None:
        self.account = account
        self.people = people
        self.handoffs: set[str] = set()
        Desk.all[account.pk] = self

    @staticmethod
    def of(account: Account) -> "Desk":
        return Desk.all[account.pk]

    # The verbs. A refusal is an answer like any other.

    def escalate(self, person: User) -> Handoff:
        session = sessions.start(self.account, by=person, title="Outlook asks for the password again and again")
        handoff = handoffs.escalate(session, by=person, reason="It still loops.")
        self.handoffs.add(str(handoff.pk))
        return handoff

    def act(self, number: int, verb: str, person: User) -> None:
        """Do `verb` to one of the handoffs, as whoever `person` is."""
        known = Handoff.objects.for_account(self.account).order_by("-queued_seq").values_list("pk", flat=True)[:12]
        if not known:
            return
        handoff = Handoff.objects.for_context().get(pk=known[number % len(known)])
        with suppress(Refusal):
            getattr(self, verb)(handoff, person)

    def pick_up(self, handoff: Handoff, person: User) -> None:
        handoffs.pick_up(handoff, by=person)

    def release(self, handoff: Handoff, person: User) -> None:
        handoffs.release(handoff, by=handoff.picked_up_by or person)

    def undo(self, handoff: Handoff, person: User) -> None:
        handoffs.undo(handoff, by=handoff.picked_up_by or person)

    def go_back(self, handoff: Handoff, person: User) -> None:
        """Its lease is over."""
        Handoff.objects.filter(pk=handoff.pk, state="picked_up").update(lease_ends_at=F("picked_up_at"))
        leases.see_to(handoff.pk)

    def change_hands(self, handoff: Handoff, person: User) -> None:
        """Offered and accepted: two events in one go."""
        holder = handoff.picked_up_by or person
        to = next(each for each in self.people if each not in {holder, handoff.created_by})
        offers.hand_to(handoff, by=holder, to=to)
        offers.accept(handoff, by=to)

    def take_back(self, handoff: Handoff, person: User) -> None:
        handoffs.take_back(handoff, by=handoff.created_by)

    def resolve(self, handoff: Handoff, person: User) -> None:
        sessions.resolve(handoff.session, by=handoff.session.holder, resolution="Deleted the cached token.")

    def assess(self, handoff: Handoff, person: User) -> None:
        assessments.store(handoff, data={"summary_prose": "…"}, made_by="playbook")

    def give_up(self, handoff: Handoff, person: User) -> None:
        assessments.give_up(handoff, state=Assessment.State.FAILED, reason="It broke.", attempt=9)

    def try_again(self, handoff: Handoff, person: User) -> None:
        assessments.try_again(handoff, by=person)

    def again(self, handoff: Handoff, person: User) -> None:
        """Put it back and pick it up in one go, or the other way round."""
        if handoff.is_waiting:
            handoffs.pick_up(handoff, by=next(p for p in self.people if p != handoff.created_by))
        handoffs.release(handoff, by=handoff.picked_up_by or person)


class Rendered(HttpResponse):
    def __init__(self, context: dict) -> None:
        super().__init__()
        self.context = context


class Rollback(Exception):
    pass


def rolled_back(work: Callable[[], None]) -> None:
    """The database refuses the commit, or the process dies just before it."""
    with suppress(Rollback), transaction.atomic():
        work()
        raise Rollback


async def nothing() -> None:
    pass


def nothing_today(*_: Any) -> dict[str, int]:
    return {}


def difference(page: Page, listed: list[str]) -> str:
    shown = [(card.handoff[:8], card.version) for card in page.cards]
    wanted = [(card.handoff[:8], card.version) for card in map(Card.parse, listed)]
    return f"at cursor {page.cursor}, base {page.base}, the page shows {shown}; the server lists {wanted}"


WIPE = """
    SET session_replication_role = replica;
    DELETE FROM feed_event;
    DELETE FROM feed_counter;
    DELETE FROM escalations_offer;
    DELETE FROM escalations_assessment;
    DELETE FROM escalations_message;
    DELETE FROM escalations_triedstep;
    DELETE FROM escalations_handoff;
    DELETE FROM escalations_aisession;
    DELETE FROM procrastinate_events;
    DELETE FROM procrastinate_jobs;
    SET session_replication_role = origin;
"""


def wipe() -> None:
    """Empty what the verbs write; accounts and people stay."""
    with connection.cursor() as cursor:
        cursor.execute(WIPE)


def audit_is_clean() -> None:
    assert audit.breaches() == []
