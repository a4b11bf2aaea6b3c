"""Whoever was told to wait and does not is told again here, before anything is done for them.

It costs no thread, no query and no place in the queue of requests. The answer comes late, so that a program that asks
again at once asks once a second; so many wait at a time, the others are answered at once.
"""

import asyncio
import hashlib
import time
from typing import Any

from django.conf import settings

from resolutionflow import addresses
from resolutionflow.limits import answers
from resolutionflow.limits.rates import READS, Refusal

LATE_SECONDS = 1.0
MOST_WAITING = 1000
MANY = 20_000  # who is remembered; beyond that, those who may come again are forgotten

Who = tuple[bytes, bool]  # by what they ask, and whether they read


class Resting:
    """Who has been told to wait, and until when."""

    def __init__(self) -> None:
        self._until: dict[Who, tuple[float, Refusal]] = {}

    def note(self, scope: dict[str, Any], refusal: Refusal) -> None:
        """Called where the request was counted, from any thread."""
        now = time.monotonic()
        if len(self._until) > MANY:
            self._until = {who: told for who, told in list(self._until.items()) if told[0] > now}
        by_address, by_credential = who_asks(scope)
        who = by_address if refusal.whose == "address" else by_credential
        if who:
            self._until[who] = now + refusal.seconds, refusal

    def refusal(self, scope: dict[str, Any]) -> Refusal | None:
        if not self._until:
            return None
        now = time.monotonic()
        for who in who_asks(scope):
            until, told = self._until.get(who, (0.0, None)) if who else (0.0, None)
            if told and until > now:
                return Refusal(until - now, told.whose)
        return None


def who_asks(scope: dict[str, Any]) -> tuple[Who, Who | None]:
    """By their address, and by what they sign in with (None: nothing): without a look into the database."""
    reads = scope["method"] in READS
    headers = dict(scope["headers"])
    sign_in = headers.get(b"authorization") or _session_in(headers.get(b"cookie", b""))
    address = b"address " + addresses.counted_as(addresses.of_scope(scope)).encode()
    return (address, reads), (hashlib.blake2b(sign_in, digest_size=16).digest(), reads) if sign_in else None


def _session_in(cookies: bytes) -> bytes:
    name = settings.SESSION_COOKIE_NAME.encode() + b"="
    return next((part for part in map(bytes.strip, cookies.split(b";")) if part.startswith(name)), b"")


class Gate:
    def __init__(self, application: Any) -> None:
        self.application = application
        self.waiting = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        refusal = None if scope["path"] in answers.FREE else resting.refusal(scope)
        if refusal is None:
            await self.application(scope, receive, send)
            return
        if self.waiting < MOST_WAITING:
            self.waiting += 1
            try:
                await asyncio.sleep(min(LATE_SECONDS, refusal.seconds))
            finally:
                self.waiting -= 1
        headers = dict(scope["headers"])
        body, about = answers.answer(scope["path"], refusal, htmx=b"hx-request" in headers)
        told = [(name.lower().encode(), value.encode()) for name, value in about.items()]
        await send({"type": "http.response.start", "status": 429, "headers": told})
        await send({"type": "http.response.body", "body": body})


resting = Resting()
