"""The sockets of the queue and of a session: join, say `ready`, then write what comes into the mailbox."""

import asyncio
import contextlib
import logging
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from autobahn.exception import Disconnected
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

from escalations.live import cursors, groups, wire
from escalations.live.counted import counted
from escalations.live.crowd import Place, crowd
from escalations.live.doors import doors
from escalations.live.frames import ready
from escalations.live.hub import Mailbox, hub, read
from escalations.live.looking import ANSWER, Look, looking
from escalations.models import AISession, Handoff
from resolutionflow import logs, walls
from resolutionflow.accounts.admission import Admission, Standing, signed_in
from resolutionflow.accounts.models import User

log = logging.getLogger(__name__)

SIGN_IN = 4401  # the page goes to the login
NOT_YOURS = 4403  # the page says so and stops
COME_BACK = 4012  # the process stops: like 1012, which Daphne may not send; retried like any other
TOO_MANY = 4429  # the page tries again, ever more rarely
GONE = (Disconnected, OSError)  # how servers say that the client left meanwhile: Daphne, and any other
MOST_HEARD = 100  # messages that nobody asked for; a page of ours sends none


class LiveConsumer(AsyncConsumer):  # type: ignore[misc]
    """One browser page. It listens; all that it is asked is whether it is still looked at (`looking.py`). What a client
    sends beyond that is ignored, and who sends much of it is closed."""

    channel_layer_alias = "none"  # there is no such layer: the hub has the process's only channel
    kind = ""

    def __init__(self) -> None:
        self.group = ""
        self.mailbox = Mailbox()
        self.writer: asyncio.Task[None] | None = None
        self.place: Place | None = None
        self.look: Look | None = None
        self.heard = 0

    async def websocket_connect(self, message: dict[str, Any]) -> None:
        try:
            await self.let_in()
        except GONE:
            self.let_go()
            raise StopConsumer from None
        except BaseException:
            self.let_go()  # nobody will hear of this socket's end
            raise

    async def let_in(self) -> None:
        await self.send({"type": "websocket.accept"})
        found = await self.who()
        if found is None:
            await self.close(SIGN_IN)
            return
        user, admission = found
        logs.add(user=admission.user_id, account=admission.account_id)
        group = await self.find_group(user)
        if group is None:
            await self.close(NOT_YOURS)
            return
        self.place = crowd.take(user.pk, user.account_id)
        if self.place is None:
            await self.close(TOO_MANY)
            return
        self.group = group
        await hub.join(group, self.mailbox)  # first join, then read: what commits in between is in the mailbox
        cursor = await read(cursors.of_group, group)
        self.mailbox.skip_to(cursor)
        await self.write(ready(cursor))
        counted.readys += 1
        self.begin_looking()
        if straight := wire.of(self.scope.get("server_send"), on_room=self.mailbox.flow):
            self.mailbox.flow_into(straight)
        else:
            self.writer = asyncio.create_task(self.write_on())
        doors.enter(self, admission)

    async def who(self) -> tuple[User, Admission] | None:
        """Whose sign-in the handshake's cookie names. Not kept in the scope, which lasts as long as the socket."""
        cookies: bytes = dict(self.scope["headers"]).get(b"cookie", b"")
        return await read(signed_in, cookies.decode("latin1"))

    async def find_group(self, user: User) -> str | None:
        """The group that this person may listen to at this address; None if there is none."""
        raise NotImplementedError

    def begin_looking(self) -> None:
        looking.watch()
        if shown := looking.frame_of(self.group):
            self.mailbox.put(shown, cursor=None)
        if self.look:
            looking.enter(self.mailbox, self.look)

    async def websocket_receive(self, message: dict[str, Any]) -> None:
        if message.get("text") == ANSWER and looking.answer(self.mailbox):
            return
        self.heard += 1
        if self.heard == MOST_HEARD:
            doors.leave(self)
            self.stop_writing()
            await self.close(TOO_MANY)

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        self.let_go()
        raise StopConsumer

    def let_go(self) -> None:
        doors.leave(self)
        self.stop_writing()
        if self.place:
            crowd.give_back(self.place)
            self.place = None

    async def turn_out(self, standing: Standing) -> None:
        looking.turn_out(self.mailbox)
        self.stop_writing()
        await self.close(SIGN_IN if standing is Standing.SIGNED_OUT else NOT_YOURS)

    async def send_home(self) -> None:
        self.stop_writing()
        await self.close(COME_BACK)

    def stop_writing(self) -> None:
        looking.leave(self.mailbox)
        if self.group:
            hub.leave(self.group, self.mailbox)
        self.mailbox.close()
        if self.writer:
            self.writer.cancel()

    async def write_on(self) -> None:
        """The mailbox onto the socket, on servers whose wire we cannot hold: their `send` waits for a slow client."""
        with contextlib.suppress(*GONE):
            while True:
                await self.write(await self.mailbox.get())

    async def write(self, text: str) -> None:
        counted.frames += 1
        await self.send({"type": "websocket.send", "text": text})

    async def close(self, code: int) -> None:
        with contextlib.suppress(*GONE):
            await self.send({"type": "websocket.close", "code": code})


class QueueConsumer(LiveConsumer):
    """`/ws/queue/`: the account's feed."""

    kind = "queue"

    async def find_group(self, user: User) -> str | None:
        return groups.queue_of(user.account_id) if user.account_id else None


class SessionConsumer(LiveConsumer):
    """`/ws/sessions/<uuid>/`: one session. A stranger's looks just like one that does not exist.

    The context screen of a handoff of it says so: `?looking=<handoff>`.
    """

    kind = "session"

    async def find_group(self, user: User) -> str | None:
        session_id = self.scope["url_route"]["kwargs"]["session_id"]
        try:
            handoff_id = _handoff_in(self.scope["query_string"])
        except ValueError:
            return None
        if handoff_id is None:
            known = await read(_is_session_of, session_id, user.account_id)
            return groups.session(session_id) if known else None
        escalator = await read(_escalator, handoff_id, session_id, user.account_id)
        if escalator is None or user.account_id is None:
            return None
        if escalator != user.pk:
            self.look = Look(user.account_id, session_id, handoff_id, user.pk, user.name)
        return groups.session(session_id)


def _handoff_in(query: bytes) -> UUID | None:
    """Raises ValueError for what is no UUID."""
    told = parse_qs(query.decode("latin1")).get("looking")
    return UUID(told[-1]) if told else None


def _is_session_of(session_id: Any, account_id: Any) -> bool:
    with walls.within(account_id):
        return AISession.objects.filter(pk=session_id, account=account_id).exists()


def _escalator(handoff_id: UUID, session_id: Any, account_id: Any) -> UUID | None:
    """Whose escalation it is; None if there is no such handoff of this session in this account."""
    with walls.within(account_id):
        found = Handoff.objects.filter(pk=handoff_id, session=session_id, account=account_id)
        return found.values_list("created_by", flat=True).first()


class NowhereConsumer(AsyncConsumer):  # type: ignore[misc]
    """Any other address: the handshake is refused."""

    channel_layer_alias = "none"

    async def websocket_connect(self, message: dict[str, Any]) -> None:
        await self.send({"type": "websocket.close"})

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        raise StopConsumer
