"""A program that follows the stream of a real server, byte by byte: `with Stream(server, token=…) as stream`.

It speaks HTTP/1.0, so that what comes is what was written, without chunks.
"""

import json
import socket
import time
from types import TracebackType
from typing import Any, Self

from resolutionflow.accounts.models import ApiToken, User
from tests.serving import Server

ADDRESS = "/api/escalations/stream"


def token_of(user: User) -> str:
    return ApiToken.issue(user)[1]


class Ended(Exception):
    """The server has closed the stream."""


class Stream:
    def __init__(
        self,
        server: Server,
        user: User | None = None,
        *,
        cookie: str = "",
        token: str = "",
        method: str = "GET",
        query: str = "",
        receive_buffer: int = 0,
        **headers: str,
    ) -> None:
        """`user` comes with a new token; `cookie` and `token` are sign-ins that the test keeps."""
        if user:
            token = token_of(user)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if cookie:
            headers["Cookie"] = f"sessionid={cookie}"
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(10)
        self.socket.connect(("127.0.0.1", server.port))
        lines = [f"{method} {ADDRESS}{query} HTTP/1.0", f"Host: 127.0.0.1:{server.port}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode("latin1"))
        self.pending = b""
        head = self._until(b"\r\n\r\n", 10).decode("latin1").split("\r\n")
        self.status = int(head[0].split()[1])
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def _until(self, end: bytes, seconds: float) -> bytes:
        until = time.monotonic() + seconds
        while end not in self.pending:
            self.socket.settimeout(max(until - time.monotonic(), 0.001))
            came = self.socket.recv(65536)  # raises TimeoutError
            if not came:
                raise Ended(self.pending)
            self.pending += came
        found, _, self.pending = self.pending.partition(end)
        return found

    def frame(self, seconds: float = 10) -> bytes:
        """The next frame as it was written, with the empty line that ends it. Raises TimeoutError and Ended."""
        return self._until(b"\n\n", seconds) + b"\n\n"

    def event(self, seconds: float = 10) -> dict[str, Any]:
        """The next frame that is no comment, as `{"event", "data", "id"?}`."""
        until = time.monotonic() + seconds
        while (frame := self.frame(until - time.monotonic())).startswith(b":"):
            pass
        fields = dict(line.split(": ", 1) for line in frame.decode().splitlines() if line)
        return {**fields, "data": json.loads(fields["data"])}

    def refusal(self) -> str:
        """The sentence of an answer that is no stream."""
        body = self.pending
        while came := self.socket.recv(65536):
            body += came
        assert self.headers["content-type"] == "application/json; charset=utf-8"
        return json.loads(body)["detail"]

    def ended(self, seconds: float) -> bool:
        """Whether the stream ends within so many seconds; what was on its way may come before."""
        until = time.monotonic() + seconds
        try:
            while time.monotonic() < until:
                self.frame(until - time.monotonic())
        except Ended as error:
            return error.args == (b"",)
        except TimeoutError:
            pass
        return False


def bulk_feed(handoff_id: Any, account_id: Any, upto: int) -> None:
    """Lengthen the account's feed to `upto` with events of one handoff, past the verbs, which would take minutes."""
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT seq FROM feed_counter WHERE account_id = %s", [account_id])
        (seq,) = cursor.fetchone()
        cursor.execute("DELETE FROM feed_counter WHERE account_id = %s", [account_id])
        cursor.execute("INSERT INTO feed_counter (account_id, seq) VALUES (%s, %s)", [account_id, upto])
        cursor.execute(
            "INSERT INTO feed_event (account_id, seq, kind, handoff_id, session_id, data)"
            " SELECT %s, n, 'handoff_assessed', id, session_id, '{}'"
            " FROM escalations_handoff, generate_series(%s::bigint, %s) n WHERE id = %s",
            [account_id, seq + 1, upto, handoff_id],
        )
