"""The processes of a benchmark: servers that publish on order, a crowd of sockets, clients that hang."""

import json
import resource
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.bench.crowd import handshake
from tests.serving import ROOT, Server

MANY_FILES = 10_000
IN_EARNEST = {"DEBUG": "false"}  # with it Django keeps every query that it made


def allow_many_sockets() -> None:
    """For this process and the ones that it starts."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = MANY_FILES if hard == resource.RLIM_INFINITY else min(MANY_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Told:
    """A process that obeys JSON lines."""

    process: "subprocess.Popen[str] | None"

    def tell(self, **order: Any) -> Any:
        assert self.process
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise AssertionError(f"{type(self).__name__} ended: {self.process.wait()}")

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


class Triggered(Told, Server):
    """A server that publishes when it is told to, and is watched from outside."""

    @classmethod
    def of_product(cls, *arguments: str, **env: str) -> "Triggered":
        return cls(
            *arguments, command=[sys.executable, "-m", "tests.bench.serve_with_trigger"], **IN_EARNEST | env
        ).start()

    @classmethod
    def of_module(cls, module: str) -> "Triggered":
        server = cls(command=[sys.executable, "-m", module], **IN_EARNEST)
        server.arguments = (str(server.port),)
        return server.start()

    def start(self) -> "Triggered":
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*self.command, *self.arguments],
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.wait_until_up()
        return self

    def publish(self, group: str, frames: list[dict[str, Any]], *, gap: float = 0) -> list[float]:
        """Publish, and tell at which moment each frame was."""
        at: list[float] = self.tell(group=group, frames=frames, gap=gap)["at"]
        return at

    def cpu_seconds(self) -> float:
        """What all its threads have used so far, by the scheduler's clock (nanoseconds, not ticks)."""
        assert self.process
        used = 0
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            with suppress(FileNotFoundError):  # it just ended
                used += int((task / "schedstat").read_text().split()[0])
        return used / 1e9

    def memory(self) -> int:
        """Bytes that are resident, private to the process."""
        assert self.process
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        lines = dict(line.split(":", 1) for line in status.splitlines())
        return int(lines["RssAnon"].split()[0]) * 1024


class Crowd(Told):
    """`tests.bench.crowd`, as a process."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.crowd"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Crowd":
        return self

    def __exit__(self, *problem: object) -> None:
        self.kill()

    def ask(self, order: str, **arguments: Any) -> Any:
        answer = self.tell(**{order: arguments})["answer"]
        assert not (isinstance(answer, dict) and "problem" in answer), answer["problem"]
        return answer


class NeverReads:
    """A client that shakes hands, hears `ready`, and then reads nothing any more."""

    def __init__(self, port: int, cookie: str, path: str = "/ws/queue/") -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(30)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(handshake(path, cookie))
        heard = b""
        while b'"ready"' not in heard:
            data = self.socket.recv(1024)
            assert data, heard
            heard += data

    def is_closed(self) -> bool:
        """Whether the server ended the connection (a reset, as bytes were left unread)."""
        self.socket.setblocking(False)
        return bool(self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)) or _reset(self.socket)

    def close(self) -> None:
        self.socket.close()


def _reset(connection: socket.socket) -> bool:
    """Linux names the state of a connection in the first byte of TCP_INFO: 7 is closed."""
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == 7


def wait_until(condition: Any, seconds: float) -> float:
    """Seconds until `condition()` held."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() < began + seconds, f"not within {seconds} s"
        time.sleep(0.05)
    return time.monotonic() - began
