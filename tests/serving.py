"""A real server process on a real port, over the test's own database: for sockets, browsers and races."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connection

from resolutionflow.accounts.models import User
from resolutionflow.accounts.sessions import SessionStore
from tests.cookies import cookies_of

ROOT = Path(__file__).parent.parent
START_SECONDS = 60  # with everything else that a small machine does at the same time


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def database_url() -> str:
    """The address of the database that the tests of this process use, for another process."""
    told = connection.settings_dict
    host = told["HOST"] or told["OPTIONS"].get("host", "localhost")
    user = told["USER"] + (f":{told['PASSWORD']}" if told["PASSWORD"] else "")
    if host.startswith("/"):
        return f"postgresql://{user}@/{told['NAME']}?host={host}"
    return f"postgresql://{user}@{host}:{told['PORT'] or 5432}/{told['NAME']}"


def cookie_of(user: User) -> str:
    """The session cookie of somebody who has signed in."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return session.session_key


def post(server: "Server", user: User, path: str, **data: str) -> httpx.Response:
    """What the person's browser would send, without one: frames then come from the server."""
    return post_as(cookie_of(user), server, path, **data)


def post_as(cookie: str, server: "Server", path: str, **data: str) -> httpx.Response:
    """The same by the cookie of a sign-in, for threads, which ask the database nothing."""
    headers = {"X-CSRFToken": "x" * 32}
    return httpx.post(server.url + path, data=data, cookies=cookies_of(cookie), headers=headers, timeout=20)


def wait_until_idle(seconds: float = 20) -> None:
    """Until no other process works on the test's database: its rows are about to be truncated."""
    until = time.monotonic() + seconds
    while busy := _what_is_going_on():
        assert time.monotonic() < until, f"still at work: {busy}"
        time.sleep(0.02)


def _what_is_going_on() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE status = 'todo' AND scheduled_at IS NOT NULL")
        cursor.execute("SELECT task_name FROM procrastinate_jobs WHERE status IN ('todo', 'doing')")
        jobs = [name for (name,) in cursor.fetchall()]
        cursor.execute(
            "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND state <> 'idle'"
        )
        return jobs + [query for (query,) in cursor.fetchall()]


def remove_jobs(*, in_hand: bool) -> None:
    """Remove the jobs of the test's database; those that a worker has in hand too only where it has ended."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE status <> 'doing' OR %s", [in_hand])


def wait_until_alone(seconds: float = 2) -> None:
    """Until nobody else is connected to the test's database: a process that ended leaves its session a moment later."""
    until = time.monotonic() + seconds
    while _of_others("SELECT count(*)") and time.monotonic() < until:
        time.sleep(0.02)
    _of_others("SELECT count(pg_terminate_backend(pid))")  # what is left belongs to threads of this process


def _of_others(question: str) -> int:
    others = " FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with connection.cursor() as cursor:
        cursor.execute(question + others)
        return int(cursor.fetchone()[0])


class Server:
    """`manage.py serve` as a process. `arguments` and `env` go to it; `command` runs something else in its place."""

    def __init__(self, *arguments: str, command: list[str] | None = None, **env: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.ws_url = f"ws://127.0.0.1:{self.port}"
        self.arguments = arguments
        self.command = command or [sys.executable, "manage.py", "serve"]
        self.env = {**os.environ, "DATABASE_URL": database_url(), "DEBUG": "true", "PORT": str(self.port), **env}
        self.process: subprocess.Popen[str] | None = None
        self.log = Path(os.environ["RESOLUTIONFLOW_DATA_DIR"]) / f"serve-{self.port}.log"
        self.said_before = 0

    def start(self) -> "Server":
        self.said_before = len(self.said()) if self.log.exists() else 0
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*self.command, *self.arguments], cwd=ROOT, env=self.env, stdout=log, stderr=log, text=True
            )
        self.wait_until_up()
        return self

    def wait_until_up(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            assert self.process
            assert self.process.poll() is None, f"the server ended ({self.process.returncode}):\n{self.log.read_text()}"
            try:
                if httpx.get(f"{self.url}/healthz", timeout=1).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError(f"the server did not come up:\n{self.log.read_text()}")

    def wait_until_ready(self) -> None:
        """Until the worker is there too."""
        until = time.monotonic() + START_SECONDS
        while httpx.get(f"{self.url}/readyz", timeout=5).status_code != 200:
            assert time.monotonic() < until, httpx.get(f"{self.url}/readyz", timeout=5).text
            time.sleep(0.05)

    def stop(self, with_signal: int = signal.SIGTERM) -> int:
        """End it and give its exit status."""
        assert self.process
        self.process.send_signal(with_signal)
        return self.process.wait(timeout=20)

    def said(self) -> str:
        return self.log.read_text()


class WorkerProcess(Server):
    """`manage.py worker` as a process: no web, no sockets."""

    def __init__(self, **env: str) -> None:
        super().__init__(command=[sys.executable, "manage.py", "worker"], **env)

    def wait_until_up(self) -> None:
        until = time.monotonic() + START_SECONDS
        while "at work" not in self.said()[self.said_before :]:
            assert self.process
            assert self.process.poll() is None, f"the worker ended:\n{self.said()}"
            assert time.monotonic() < until, f"the worker did not come up:\n{self.said()}"
            time.sleep(0.05)
