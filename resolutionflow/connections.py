"""How long a client may take to say what it wants, how much it may say, and how many may be connected.

Daphne leaves that to Twisted, which starts its minute anew with every byte: whoever sends one now and then keeps a
connection for ever, and a body is taken whole, however long, before anybody looks at it. Open answers (streams) and
sockets are none of this module's business: for them a connection's request has come.
"""

import contextlib
import json
import logging
import resource
from typing import Any

from daphne import server as daphne
from daphne.http_protocol import HTTPFactory
from django.conf import settings
from twisted.web.http import HTTPChannel

from resolutionflow import body_limits

log = logging.getLogger(__name__)

MOST_BODY = 8 * 1024 * 1024  # bytes; up to here the application itself refuses politely what is over 256 KiB
MOST_QUICK = 1024 * 1024  # bytes; what declares more (a file) gets time for it
FILES_OF_OTHERS = 200  # what a process opens beside connections
TOO_MUCH = json.dumps({"detail": "That is more than 256 KiB in one request, which is the most that is taken."}).encode()


Channel: Any = HTTPChannel  # half of its types are there


class PatientChannel(Channel):  # type: ignore[misc]
    """One connection. Each of its requests has to come whole within SLOW_CLIENT_SECONDS. Twisted calls all of this."""

    _deadline: Any = None
    _answering = False
    _refused = False
    _came = 0
    _most = MOST_BODY

    def connectionMade(self) -> None:
        super().connectionMade()
        if self.factory.has_room_for(self.transport):
            self._expect()
        else:
            self.transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        if self._refused:
            return
        if self._deadline is None and not self._answering:
            self._expect()
        super().dataReceived(data)

    def allHeadersReceived(self) -> None:
        super().allHeadersReceived()
        self._most = most_of(self)
        if (self.length or 0) > self._most:
            self._refuse()
        elif self.length and self.length > MOST_QUICK and not self._answering:
            self._stop_waiting()
            self._expect(self.length / body_limits.SLOWEST)

    def rawDataReceived(self, data: bytes) -> None:
        if not self._answering:
            self._came += len(data)
            if self._came > self._most:
                self._refuse()
        if not self._refused:
            super().rawDataReceived(data)

    def allContentReceived(self) -> None:
        self._stop_waiting()
        self._answering = True
        self._came = 0
        super().allContentReceived()

    def requestDone(self, request: Any) -> None:
        self._answering = False
        super().requestDone(request)

    def connectionLost(self, reason: Any) -> None:
        self._stop_waiting()
        super().connectionLost(reason)

    def _expect(self, more: float = 0.0) -> None:
        self._deadline = self.callLater(settings.SLOW_CLIENT_SECONDS + more, self._give_up)

    def _stop_waiting(self) -> None:
        deadline, self._deadline = self._deadline, None
        if deadline and deadline.active():
            deadline.cancel()

    def _give_up(self) -> None:
        log.info("Closing a connection whose request had not come after %g s.", settings.SLOW_CLIENT_SECONDS)
        self.transport.abortConnection()

    def _refuse(self) -> None:
        self._refused = True
        head = f"HTTP/1.1 413 Content Too Large\r\nContent-Length: {len(TOO_MUCH)}\r\nConnection: close\r\n"
        self.transport.write(head.encode() + b"Content-Type: application/json; charset=utf-8\r\n\r\n" + TOO_MUCH)
        self.loseConnection()


def most_of(channel: Any) -> int:
    """How much of a body this request's channel takes: more than usual only where a file is attached."""
    content_type = (channel.requests[-1].requestHeaders.getRawHeaders(b"content-type") or [b""])[0].decode("latin1")
    path = channel._path.partition(b"?")[0].decode("latin1")
    return max(MOST_BODY, body_limits.of(channel._command.decode("latin1"), path, content_type))


class PatientFactory(HTTPFactory):  # type: ignore[misc]
    """Daphne's, with our connections, and no more of them than MAX_CONNECTIONS and the open files allow."""

    protocol = PatientChannel

    def __init__(self, server: Any) -> None:
        super().__init__(server)
        self._most = min(settings.MAX_CONNECTIONS, max(_files() - FILES_OF_OTHERS, 50))
        self._transports: set[Any] = set()

    def has_room_for(self, transport: Any) -> bool:
        """A socket's connection leaves its channel, so the transports are asked, and only when there are many."""
        if len(self._transports) >= self._most:
            self._transports = {known for known in self._transports if known.connected}
        if len(self._transports) >= self._most:
            log.warning("%d connections are open: the next one is closed at once.", self._most)
            return False
        self._transports.add(transport)
        return True


def _files() -> int:
    with contextlib.suppress(OSError, ValueError):
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return soft if soft != resource.RLIM_INFINITY else settings.MAX_CONNECTIONS + FILES_OF_OTHERS
    return 1024


def install() -> None:
    """Let servers of this process use it. Daphne has no setting for that, only this name."""
    daphne.HTTPFactory = PatientFactory
