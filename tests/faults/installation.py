"""An installation of which each process may be killed: PostgreSQL, Valkey, two webs, a worker."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from resolutionflow import postgres
from tests.serving import ROOT, Server, WorkerProcess
from tests.valkey import Valkey

# Holds the embedded server until its standard input closes; the product's own way of starting it, after a crash too.
HOLD = """
import pathlib, sys
from resolutionflow import postgres
postgres.start(pathlib.Path(sys.argv[1]))
print("up", flush=True)
sys.stdin.read()
"""


class Postgres:
    """The embedded PostgreSQL in a data directory of its own."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.url = postgres.url(data_dir)
        self.holder: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it, also after `kill`: then the killed one's children first have to notice."""
        until = time.monotonic() + 30
        while True:
            pipe = subprocess.PIPE
            self.holder = subprocess.Popen(
                [sys.executable, "-c", HOLD, str(self.data_dir)], cwd=ROOT, stdin=pipe, stdout=pipe, text=True
            )
            if self.holder.stdout.readline() == "up\n":
                return
            self._let_go()
            assert time.monotonic() < until, "PostgreSQL did not come up"

    def pid(self) -> int:
        return int((self.data_dir / "postgres" / "postmaster.pid").read_text().split()[0])

    def kill(self) -> None:
        """SIGKILL to the postmaster; whoever held the server lets go of it without a word."""
        os.kill(self.pid(), signal.SIGKILL)
        self.holder.kill()
        self._let_go()

    def stop(self) -> None:
        if self.holder:
            self._let_go()

    def _let_go(self) -> None:
        self.holder.stdin.close()
        self.holder.wait(timeout=30)
        self.holder.stdout.close()
        self.holder = None


@dataclass
class Person:
    """Somebody with a session cookie and an API token."""

    id: int | str
    email: str
    cookie: str
    token: str


class Installation:
    """Started once for all fault tests of a process; what a test kills it starts again."""

    def __init__(self) -> None:
        self.data_dir = Path(tempfile.mkdtemp(prefix="rf-faults-", dir="/var/tmp"))
        self.postgres = Postgres(self.data_dir)
        self.valkey = Valkey()
        self.settings = {
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.valkey.url,
            "RESOLUTIONFLOW_DATA_DIR": str(self.data_dir),
        }
        self.env = {**os.environ, **self.settings, "DEBUG": "true"}
        self.web = [Server("--no-worker", **self.settings) for _ in range(2)]
        self.worker = WorkerProcess(**self.settings)

    def start(self, people: int) -> "Installation":
        self.postgres.start()
        self.valkey.start()
        self.people = [Person(**told) for told in json.loads(self._run("-m", "tests.faults.people", str(people)))]
        for process in (*self.web, self.worker):
            process.start()
        for web in self.web:
            web.wait_until_ready()
        return self

    def stop(self) -> None:
        """End every process; raises if one of them is left."""
        started = [process for process in (*self.web, self.worker) if process.process]
        for process in started:
            if process.process.poll() is None:
                process.stop()
        self.valkey.stop()
        with suppress(FileNotFoundError):
            pid = self.postgres.pid()
            self.postgres.stop()
            wait_until(lambda: not is_alive(pid), 20, "PostgreSQL ended")
        assert all(process.process.poll() is not None for process in started)
        assert self.valkey.process is None or self.valkey.process.poll() is not None
        shutil.rmtree((self.data_dir / "postgres").resolve(), ignore_errors=True)
        shutil.rmtree(self.data_dir, ignore_errors=True)

    def rows(self, query: str, *values: object) -> list[tuple]:
        with psycopg.connect(self.postgres.url, connect_timeout=5) as connection:
            return connection.execute(query, values).fetchall()

    def audit(self) -> str:
        """What `manage.py audit_feed` finds; raises if that is anything."""
        return self._run("manage.py", "audit_feed")

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return (
        "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        if Path("/proc").exists()
        else True
    )


def wait_until(condition: Callable[[], object], seconds: float, what: str) -> float:
    """Wait for a condition and give the seconds that it took; raises with `what` did not happen."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)
    return time.monotonic() - began
