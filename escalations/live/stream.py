"""`GET /api/escalations/stream`: the account's feed for programs, as server-sent events.

The hub only rings: what a stream sends it reads from the feed, after the position that it has reached. So nothing can
be missed, come twice or out of turn, and a program that reads slowly costs no more than its position.
"""

import asyncio
import json
import logging
from io import BytesIO
from typing import Any
from uuid import UUID

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.handlers.asgi import ASGIRequest
from django.db import InterfaceError, OperationalError

from escalations.live import cursors, groups, replay
from escalations.live.counted import counted
from escalations.live.crowd import Place, crowd
from escalations.live.doors import doors
from escalations.live.flow import Flow
from escalations.live.hub import HEARTBEAT_SECONDS, Mailbox, hub, read
from resolutionflow import addresses, logs
from resolutionflow.accounts.admission import Admission, Standing, engineer_of
from resolutionflow.accounts.models import User
from resolutionflow.accounts.sessions import SessionStore
from resolutionflow.accounts.tokens import MissingScope
from resolutionflow.limits.gate import resting
from resolutionflow.limits.rates import rates

log = logging.getLogger(__name__)

FURTHEST_BEHIND = 1_000  # events; beyond that a program had better ask the API
HIGHEST_POSITION = 2**63 - 1
NO_PAGE = [  # if a browser should open it as one
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
AS_EVENTS = [
    *NO_PAGE,
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


class Refused(Exception):
    """The answer is no: a status, a sentence, and perhaps a header about it."""

    def __init__(self, status: int, detail: str, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers


class Bell(Mailbox):
    """Keeps no frames, only how far the feed is."""

    def __init__(self) -> None:
        super().__init__()
        self.cursor = 0
        self._rung = asyncio.Event()

    def put(self, text: str, *, cursor: int | None) -> None:
        if cursor is not None:
            self.cursor = cursor
            self._rung.set()

    async def rings(self, *, within: float) -> bool:
        """Wait for the next ring; False if there was none in so many seconds."""
        try:
            async with asyncio.timeout(max(within, 0)):
                await self._rung.wait()
        except TimeoutError:
            return False
        self._rung.clear()
        return True


class StreamConsumer(AsyncConsumer):  # type: ignore[misc]
    """One open stream: a task that answers, for as long as the program stays."""

    channel_layer_alias = "none"  # there is no such layer: the hub has the process's only channel
    kind = "stream"

    def __init__(self) -> None:
        self.work: asyncio.Task[None] | None = None
        self.bell = Bell()
        self.group = ""
        self.position = 0  # of the last event that was sent
        self.flow: Flow | None = None
        self.place: Place | None = None
        self.sent_at = 0.0

    async def http_request(self, message: dict[str, Any]) -> None:
        if self.work is None:  # a body, which nobody reads, may come in parts
            self.work = asyncio.create_task(self.answer())

    async def http_disconnect(self, message: dict[str, Any]) -> None:
        if self.work:
            self.work.cancel()
        raise StopConsumer

    async def turn_out(self, standing: Standing) -> None:
        if self.work:
            self.work.cancel()
            await asyncio.wait([self.work])
        await self.finish()

    async def send_home(self) -> None:
        """A stream's end is whole: the program comes back with `Last-Event-ID`."""
        await self.turn_out(Standing.HOLDS)

    async def answer(self) -> None:
        try:
            admission, since = await read(asked_of, self.scope)
            assert admission.account_id, "asked_of refuses people without an account"
            logs.add(user=admission.user_id, account=admission.account_id)
            await self.begin(admission, admission.account_id, since)
            await self.follow(admission.account_id)
        except Refused as refused:
            await self.refuse(refused)
        except (InterfaceError, OperationalError):
            log.exception("A stream could not begin.")
            await self.refuse(Refused(503, "The database does not answer. Please try again in a moment."))
        except Exception:
            log.exception("A stream failed.")
            await (
                self.finish()
                if self.flow
                else self.refuse(Refused(500, f"Something went wrong; it is in the log ({logs.request_id()})."))
            )
        finally:
            self.end()

    def end(self) -> None:
        doors.leave(self)
        if self.place:
            crowd.give_back(self.place)
            self.place = None
        if self.group:
            hub.leave(self.group, self.bell)
        if self.flow:
            self.flow.end()

    async def begin(self, admission: Admission, account_id: UUID, since: int | None) -> None:
        """Join first, then read the cursor: whatever commits in between has rung."""
        self.place = crowd.take(admission.user_id, account_id)
        if self.place is None:
            said = "You or your account have as many streams and pages open as may be. Close one, or try again later."
            raise Refused(429, said, (b"retry-after", b"30"))
        self.group = groups.queue_of(account_id)
        await hub.join(self.group, self.bell)
        cursor = await read(cursors.of_group, self.group)
        self.bell.cursor = max(cursor, self.bell.cursor)
        self.position = cursor if since is None else since
        await self.send({"type": "http.response.start", "status": 200, "headers": AS_EVENTS})
        self.flow = Flow(self.scope.get("server_send"))
        await self.write(replay.event("ready", {"cursor": cursor}))
        doors.enter(self, admission)

    async def follow(self, account_id: UUID) -> None:
        """For ever. A database that is away is waited for; meanwhile the stream is kept alive."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                await self.catch_up(account_id)
            except (InterfaceError, OperationalError):
                log.warning("A stream waits for the database.", exc_info=True)
            while not await self.bell.rings(within=self.sent_at + HEARTBEAT_SECONDS - loop.time()):
                await self.write(replay.KEEPALIVE)

    async def catch_up(self, account_id: UUID) -> None:
        """Send what there is after this stream's position."""
        if self.bell.cursor < self.position:
            await self.find_place()
        more = self.position < self.bell.cursor
        while more:
            if self.bell.cursor - self.position > FURTHEST_BEHIND:
                return await self.resync(self.bell.cursor)
            chunk = await replay.after(account_id, self.position)
            if chunk is None:
                return None
            await self.write(chunk.text)
            self.position = chunk.last
            more = chunk.full or self.position < self.bell.cursor
        return None

    async def find_place(self) -> None:
        """A frame that came late rings with an old cursor. But if the feed itself is behind, it is another one."""
        self.bell.cursor = await read(cursors.of_group, self.group)
        if self.bell.cursor < self.position:
            replay.forget()
            await self.resync(self.bell.cursor)

    async def resync(self, cursor: int) -> None:
        """There are events that this stream will not tell: the program has to ask the API for the handoffs."""
        await self.write(replay.event("resync", {"cursor": cursor}))
        self.position = cursor
        counted.resyncs += 1

    async def write(self, text: bytes) -> None:
        if self.flow:
            await self.flow.has_room()
        await self.send({"type": "http.response.body", "body": text, "more_body": True})
        self.sent_at = asyncio.get_running_loop().time()
        counted.pieces += 1

    async def finish(self) -> None:
        self.end()
        await self.send({"type": "http.response.body", "body": b"", "more_body": False})

    async def refuse(self, refused: Refused) -> None:
        body = json.dumps({"detail": str(refused)}).encode()
        about = [
            (b"content-type", b"application/json; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            *NO_PAGE,
            *refused.headers,
        ]
        await self.send({"type": "http.response.start", "status": refused.status, "headers": about})
        await self.send({"type": "http.response.body", "body": body})


# What was asked


def asked_of(scope: dict[str, Any]) -> tuple[Admission, int | None]:
    """Who asks, and after which position; None: from now on. Raises Refused."""
    request = ASGIRequest(scope, BytesIO())
    if request.method != "GET":
        raise Refused(405, "This address takes GET only.", (b"allow", b"GET"))
    try:
        request.get_host()
        return admission_of(request), since_of(request)
    except SuspiciousOperation as error:
        raise Refused(400, "The request is malformed.") from error


def refuse_too_many(request: ASGIRequest, user: User) -> None:
    """A stream counts as one call of the API, when it begins."""
    if refusal := rates.refusal(user, addresses.of_request(request), "GET"):
        resting.note(dict(request.scope), refusal)
        raise Refused(429, str(refusal), (b"retry-after", str(refusal.retry_after).encode()))


def admission_of(request: ASGIRequest) -> Admission:
    request.session = SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    try:
        found = engineer_of(request)
    except MissingScope as missing:
        raise Refused(403, str(missing)) from missing
    if found is None:
        said = "Send a valid token (Authorization: Bearer …), or sign in."
        raise Refused(401, said, (b"www-authenticate", b"Bearer"))
    user, admission = found
    refuse_too_many(request, user)
    if user.account_id is None:
        raise Refused(403, "The operator of the installation belongs to no account, so there is nothing to see here.")
    if not user.may_work:
        raise Refused(403, "The stream is for engineers: your role is viewer.")
    return admission


def since_of(request: ASGIRequest) -> int | None:
    """`Last-Event-ID`, which a program sends when it comes back, or else `?since=`."""
    if unknown := request.GET.keys() - {"since"}:
        raise Refused(400, f"There is no parameter {min(unknown)[:80]!r} here, only since.")
    told = request.headers.get("Last-Event-ID") or request.GET.get("since")
    if told is None:
        return None
    if not (told.isascii() and told.isdigit() and len(told) < 20 and int(told) <= HIGHEST_POSITION):
        raise Refused(400, "Last-Event-ID and since take the id of an event: a whole number from 0.")
    return int(told)
