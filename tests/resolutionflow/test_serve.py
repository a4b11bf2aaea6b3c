"""`manage.py serve` as its operator meets it: up, down, and what happens when its database goes away.

The servers here have a data directory of their own, with an embedded PostgreSQL that can be taken away from them.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from procrastinate import App, SyncPsycopgConnector
from websockets.sync.client import connect

from resolutionflow import postgres
from tests.serving import Server, cookie_of

ROOT = Path(__file__).parents[2]
WITH_TEST_JOBS = """
import asyncio, os, sys, time
from pathlib import Path
os.environ["DJANGO_SETTINGS_MODULE"] = "resolutionflow.settings"
import django
django.setup()
from procrastinate.contrib.django import app
from escalations.retrying import PutBack

@app.task(name="tests.work", retry=PutBack())
async def work(path, seconds):
    Path(path).with_suffix(".begun").write_text("")
    await asyncio.sleep(seconds)
    Path(path).write_text(str(time.time()))

@app.task(name="tests.hang", retry=PutBack())
async def hang(path):
    Path(path).with_suffix(".begun").write_text("")
    await asyncio.to_thread(time.sleep, 300)

import manage
sys.argv[:1] = ["manage.py", "serve"]
manage.main()
"""


class Place:
    """A data directory with its migrated database, which lives while the tests of this module need it."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.env = {"DATABASE_URL": "", "RESOLUTIONFLOW_DATA_DIR": str(data_dir), "DEBUG": "true"}

    def manage(self, *arguments: str) -> None:
        command = [sys.executable, "manage.py", *arguments]
        subprocess.run(command, cwd=ROOT, env={**os.environ, **self.env}, check=True, capture_output=True)

    def server(self, *arguments: str) -> Server:
        return Server(*arguments, command=[sys.executable, "-c", WITH_TEST_JOBS], **self.env)

    def defer(self, task: str, **told: object) -> int:
        app = App(connector=SyncPsycopgConnector(conninfo=postgres.url(self.data_dir)))
        with app.open():
            return app.configure_task(task, allow_unknown=True).defer(**told)

    def status(self, job: int) -> str | None:
        with psycopg.connect(postgres.url(self.data_dir)) as connection:
            row = connection.execute("SELECT status FROM procrastinate_jobs WHERE id = %s", [job]).fetchone()
        return row and row[0]

    def forget_jobs(self) -> None:
        with psycopg.connect(postgres.url(self.data_dir)) as connection:
            connection.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")

    def postmaster(self) -> int:
        return int((self.data_dir / "postgres" / "postmaster.pid").read_text().split("\n")[0])

    def stop_database(self) -> None:
        """PostgreSQL's fast shutdown, from outside: the next process that uses the server starts it again."""
        os.kill(self.postmaster(), signal.SIGINT)
        wait_until(lambda: not (self.data_dir / "postgres" / "postmaster.pid").exists())


@pytest.fixture(scope="module")
def kept_place() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="rf-serve-", dir="/var/tmp"))
    place = Place(folder / "data")
    postgres.start(place.data_dir, options="-c fsync=off")
    place.manage("migrate")
    yield place
    pid = place.postmaster()
    postgres.leave(place.data_dir)
    assert not Path(f"/proc/{pid}/cmdline").exists() or not Path(f"/proc/{pid}/cmdline").read_bytes()
    if (place.data_dir / "postgres").is_symlink():
        shutil.rmtree((place.data_dir / "postgres").resolve())
    shutil.rmtree(folder)


@pytest.fixture
def place(kept_place) -> Place:
    kept_place.forget_jobs()
    return kept_place


@contextlib.contextmanager
def running(server: Server) -> Iterator[Server]:
    """`server` is up in here, and gone afterwards, whatever the test did to it."""
    try:
        yield server.start()
    finally:
        if server.process and server.process.poll() is None:
            server.process.kill()
            server.process.wait()


def wait_until(is_so: Callable[[], object], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)


def status_of(server: Server, path: str = "/readyz") -> int:
    return httpx.get(server.url + path, timeout=30).status_code


def ends_well(server: Server, with_signal: int = signal.SIGTERM) -> None:
    began = time.monotonic()
    assert server.stop(with_signal) == 0
    assert time.monotonic() - began < 10
    assert "Traceback" not in server.said()
    assert "ERROR" not in server.said()


# Up


def test_one_process_is_web_and_worker_and_says_where_it_is(place):
    with running(place.server()) as server:
        wait_until(lambda: status_of(server) == 200)
        assert status_of(server, "/login/") == 200
        assert server.said() == f"ResolutionFlow is at {server.url}  (uvloop; Ctrl-C stops it)\n"
        ends_well(server)
        assert server.said().endswith("Stopped.\n")


def test_a_port_that_is_taken_is_one_clear_line(place):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        server = place.server("--port", str(other.getsockname()[1]))
        with pytest.raises(AssertionError, match="the server ended"):
            server.start()
    assert server.process.returncode == 1
    assert len(server.said().splitlines()) == 1
    assert "Address already in use" in server.said()
    assert "PORT=" in server.said()


@pytest.mark.parametrize("told", [["--port", "99999"], ["--port", "abc"], ["--port=-1"]], ids=" ".join)
def test_a_port_that_is_none_is_refused(told):
    command = [sys.executable, "manage.py", "serve", *told]
    env = {**os.environ, "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none", "DEBUG": "true"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 2
    assert "must be a port from 1 to 65535" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_that_is_not_this_machines_is_one_clear_line(place):
    server = place.server("--host", "192.0.2.1")
    with pytest.raises(AssertionError, match="the server ended"):
        server.start()
    assert len(server.said().splitlines()) == 1
    assert "Cannot listen on 192.0.2.1" in server.said()


@pytest.mark.skipif(not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists(), reason="needs IPv6")
def test_it_listens_on_ipv6_and_prints_an_address_that_works(place):
    server = place.server("--host", "::1")
    server.url = f"http://[::1]:{server.port}"
    with running(server):
        assert f"at {server.url} " in server.said()
        ends_well(server)


# Down


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.django_db(transaction=True)
def test_a_signal_ends_it_while_sockets_are_open(ann, with_signal):
    with running(Server()) as server, socket.create_connection(("127.0.0.1", server.port)) as silent:
        silent.sendall(b"GET /login/ HTTP/1.1\r\n")  # and never the rest
        headers = {"Cookie": f"sessionid={cookie_of(ann)}"}
        with connect(f"{server.ws_url}/ws/queue/", additional_headers=headers, origin=server.url) as page:
            page.recv(timeout=10)
            ends_well(server, with_signal)


def test_further_signals_change_nothing(place, tmp_path):
    with running(place.server()) as server:
        place.defer("tests.work", path=str(tmp_path / "done"), seconds=1.5)
        wait_until((tmp_path / "done.begun").exists)
        for with_signal in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
            server.process.send_signal(with_signal)
            time.sleep(0.2)
        ends_well(server)
    assert (tmp_path / "done").exists()


def test_a_job_at_hand_is_finished_first(place, tmp_path):
    with running(place.server()) as server:
        job = place.defer("tests.work", path=str(tmp_path / "done"), seconds=1.5)
        wait_until((tmp_path / "done.begun").exists)
        ends_well(server)
    assert (tmp_path / "done").exists()
    assert place.status(job) is None


@pytest.mark.parametrize("task", ["tests.work", "tests.hang"])
def test_a_job_that_does_not_end_is_put_back(place, tmp_path, task):
    told = {"seconds": 300} if task == "tests.work" else {}
    with running(place.server()) as server:
        job = place.defer(task, path=str(tmp_path / "done"), **told)
        wait_until((tmp_path / "done.begun").exists)
        ends_well(server)
    assert place.status(job) == "todo"


# Work


def test_a_job_begins_within_a_second_of_its_commit(place, tmp_path):
    with running(place.server()) as server:
        wait_until(lambda: status_of(server) == 200)
        place.defer("tests.work", path=str(tmp_path / "first"), seconds=0)
        wait_until((tmp_path / "first").exists)
        committed = time.time()
        place.defer("tests.work", path=str(tmp_path / "second"), seconds=0)
        wait_until((tmp_path / "second").exists)
        assert float((tmp_path / "second").read_text()) - committed < 1  # polling alone would take up to five
        ends_well(server)


def test_without_a_worker_no_job_runs(place, tmp_path):
    with running(place.server("--no-worker")) as server:
        job = place.defer("tests.work", path=str(tmp_path / "done"), seconds=0)
        answer = httpx.get(f"{server.url}/readyz", timeout=30)
        assert (answer.status_code, list(answer.json())) == (503, ["status", "worker"])
        time.sleep(1)
        assert place.status(job) == "todo"
        assert server.stop() == 0


def test_the_worker_and_the_pages_recover_when_the_database_comes_back(place, tmp_path):
    with running(place.server()) as server:
        wait_until(lambda: status_of(server) == 200)
        pid = place.postmaster()
        place.stop_database()
        answer = httpx.get(f"{server.url}/readyz", timeout=30)
        assert (answer.status_code, list(answer.json())) == (503, ["status", "database"])
        assert status_of(server, "/healthz") == 200
        place.manage("migrate")
        assert place.postmaster() != pid
        wait_until(lambda: status_of(server, "/login/") == 200)
        wait_until(lambda: status_of(server) == 200)
        place.defer("tests.work", path=str(tmp_path / "done"), seconds=0)
        wait_until((tmp_path / "done").exists)
        assert server.stop() == 0


def test_it_ends_while_its_database_is_away(place):
    with running(place.server()) as server:
        wait_until(lambda: status_of(server) == 200)
        place.stop_database()
        time.sleep(1)
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 10
    place.manage("migrate")


def test_it_starts_without_its_database_and_finds_it_later(place):
    """Where PostgreSQL runs apart: nobody chooses the order in which a machine starts its services."""
    place.stop_database()
    with running(Server(DATABASE_URL=postgres.url(place.data_dir), DEBUG="true")) as server:
        assert status_of(server) == 503
        place.manage("migrate")
        wait_until(lambda: status_of(server) == 200)
        assert server.stop() == 0
