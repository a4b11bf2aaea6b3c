"""A receiver of webhooks on loopback: real HTTP, one thread. It verifies each request with an implementation of its own
that shares nothing with the product but what docs/notifications.md says."""

import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """`down`: answers 503. `status`, `headers`: what it answers else. `got` has what it took, as it came."""

    def __init__(self) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks?to=us"
        self.got: list[dict] = []
        self.raw: list[tuple[dict[str, str], bytes]] = []
        self.refused = 0
        self.down, self.status, self.headers = False, 200, {}
        self.hold = threading.Event()
        self.hold.set()
        self.arrived = threading.Condition()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, headers: dict[str, str], body: bytes) -> None:
        with self.arrived:
            self.raw.append((headers, body))
            self.got.append(json.loads(body))
            self.arrived.notify_all()

    def wait_for(self, count: int, seconds: float = 15) -> list[dict]:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.got) >= count, seconds), self.got
        return self.got

    def stop(self) -> None:
        self.hold.set()
        self.server.shutdown()
        self.server.server_close()


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            receiver.hold.wait(20)
            if receiver.down:
                receiver.refused += 1
                status = 503
            else:
                status = receiver.status
                if body and status == 200:
                    receiver.take(dict(self.headers), body)
            self.send_response(status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *args: object) -> None:
            pass

    return Handler


def is_genuine(secret: str, headers: dict[str, str], body: bytes, *, now: float, tolerance: float = 300) -> bool:
    """As the documentation tells receivers: the HMAC by hand (RFC 2104), so that no mistake is shared."""
    timestamp = headers["X-ResolutionFlow-Timestamp"]
    if abs(now - int(timestamp)) > tolerance:
        return False
    key = (
        secret.encode().ljust(64, b"\0") if len(secret) <= 64 else hashlib.sha256(secret.encode()).digest() + bytes(32)
    )
    inner = hashlib.sha256(bytes(each ^ 0x36 for each in key) + timestamp.encode() + b"." + body).digest()
    wanted = hashlib.sha256(bytes(each ^ 0x5C for each in key) + inner).hexdigest()
    version, _, given = headers["X-ResolutionFlow-Signature"].partition("=")
    return version == "v1" and hmac.compare_digest(given, wanted)
