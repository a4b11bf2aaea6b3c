"""What one of each costs, for the sizing model in docs/scale.md: `python -m tests.bench.scale [scene …]`

Measured is what a core spends and what memory a process holds, because those can be added
up; how many there are per second on this machine, with its clients beside it, is told as well, but is no promise.
"""

import asyncio
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.bench.ground import fresh_database, machine
from tests.cookies import cookie_header

SECONDS = 6.0
CLIENTS = 8
ACCOUNTS = 400
HEARTBEAT = 2.0


def main() -> int:
    wanted = sys.argv[1:] or [scene.__name__ for scene in SCENES]
    with fresh_database():
        print(f"{machine()}, load {os.getloadavg()[0]:.1f}")
        for scene in SCENES:
            if scene.__name__ in wanted:
                scene()
    return 0


# What processes use


def cpu(*pids: int) -> float:
    """Seconds of a core that these processes have used so far: all their threads, those that ended too."""
    ticks = 0
    for pid in pids:
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """MiB that are resident and the process's own."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(lines["RssAnon"].split()[0]) / 1024


def backends() -> dict[int, str]:
    """The server processes of this database's connections, with what they are."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid, application_name FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return dict(cursor.fetchall())


@contextmanager
def installation(webs: int, *, valkeys: int = 1, worker: bool = True, **env: str) -> Iterator:
    """So many web processes over so many Valkeys, and a worker."""
    from tests.bench.processes import IN_EARNEST
    from tests.serving import Server, WorkerProcess
    from tests.valkey import Valkey

    with ExitStack() as started:
        layers = [Valkey().start() for _ in range(valkeys)]
        for layer in layers:
            started.callback(layer.stop)
        env = {**IN_EARNEST, "STOP_DRAIN_SECONDS": "0", "STOP_SPREAD_SECONDS": "0", **env}
        env["REDIS_URL"] = ",".join(layer.url for layer in layers)
        processes = [Server("--no-worker", **env) for _ in range(webs)]
        processes += [WorkerProcess(**env)] if worker else []
        for process in processes:
            process.start()
            started.callback(process.stop)
        yield processes[:webs], processes[webs] if worker else None, layers


def tokens(count: int, *, accounts: int) -> list[str]:
    """API tokens of so many people, spread over so many accounts."""
    from resolutionflow.accounts.models import ApiToken
    from tests.factories import AccountFactory, UserFactory

    teams = [AccountFactory() for _ in range(accounts)]
    return [ApiToken.issue(UserFactory(account=teams[n % accounts]), name="scale")[1] for n in range(count)]


# Scenes


def escalations() -> None:
    """What an escalation costs each part, with one, two and four web processes, over one account and over eight."""
    for webs, accounts in ((1, 8), (2, 8), (4, 8), (2, 1)):
        with installation(webs) as (servers, worker, (layer,)):
            who = tokens(CLIENTS, accounts=accounts)
            load(servers, who, 1.0)  # warm
            until_idle()
            pids = [server.process.pid for server in servers], worker.process.pid, layer.process.pid
            base = {pid: cpu(pid) for pid in backends()}
            before = cpu(*pids[0]), cpu(pids[1]), cpu(pids[2])
            began = time.monotonic()
            took = load(servers, who, SECONDS)
            seconds = time.monotonic() - began
            web = cpu(*pids[0]) - before[0]
            until_idle()
            database = sum(cpu(pid) - base.get(pid, 0) for pid in backends())
            of_worker, of_layer = cpu(pids[1]) - before[1], cpu(pids[2]) - before[2]
            each = 1000 / len(took)
            print(
                f"{webs} web, {accounts} accounts: {len(took) / seconds:5.1f} escalations/s"
                f" (median {1000 * statistics.median(took):.0f} ms); ms of a core each: web {web * each:.1f},"
                f" database {database * each:.1f}, worker {of_worker * each:.1f}, Valkey {of_layer * each:.2f};"
                f" {len(base)} connections"
            )


def load(servers: list, who: list[str], seconds: float) -> list[float]:
    """Everybody begins sessions and escalates them for so long; seconds of each escalation's POST."""
    import httpx

    took: list[float] = []
    until = time.monotonic() + seconds

    def work(number: int) -> None:
        base = servers[number % len(servers)].url
        headers = {"Authorization": f"Bearer {who[number]}"}
        with httpx.Client(base_url=base, headers=headers, timeout=30) as http:
            while time.monotonic() < until:
                began = http.post("/api/sessions", json={"title": "It loops", "problem": "Outlook asks again."})
                began.raise_for_status()
                at = time.perf_counter()
                told = {"intent": "escalate", "reason": "Stuck."}
                http.post(f"/api/sessions/{began.json()['id']}/handoffs", json=told).raise_for_status()
                took.append(time.perf_counter() - at)

    in_threads(work, len(who))
    return took


def in_threads(work: Callable[[int], None], count: int) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def until_idle(seconds: float = 120) -> None:
    from django.db import connection

    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing') AND priority >= 0"
            )
            if cursor.fetchone() == (0,):
                return
        time.sleep(0.2)
    raise AssertionError("the worker did not come to an end")


def processes() -> None:
    """Memory of a web process and of a worker, before and after work."""
    with installation(1) as ((web,), worker, (layer,)):
        fresh = memory(web.process.pid), memory(worker.process.pid), memory(layer.process.pid)
        load([web], tokens(CLIENTS, accounts=2), 3.0)
        until_idle()
        used = memory(web.process.pid), memory(worker.process.pid), memory(layer.process.pid)
    for name, before, after in zip(("web", "worker", "Valkey"), fresh, used, strict=True):
        print(f"{name}: {before:.0f} MiB at the start, {after:.0f} MiB after work")


def accounts() -> None:
    """What open accounts cost a web process while nothing happens: heartbeats, looks at who may stay, memory."""
    from tests.bench.processes import Crowd, allow_many_sockets
    from tests.factories import UserFactory
    from tests.serving import cookie_of

    allow_many_sockets()
    cookies = [cookie_of(UserFactory()) for _ in range(ACCOUNTS)]
    for count, kinds in ((ACCOUNTS, 1), (ACCOUNTS, ACCOUNTS)):
        with installation(1, worker=False, LIVE_HEARTBEAT_SECONDS=str(HEARTBEAT)) as ((web,), _, _), Crowd() as crowd:
            crowd.ask("open", port=web.port, path="/ws/queue/", cookies=cookies[:1], count=20)
            empty = memory(web.process.pid)
            crowd.ask("open", port=web.port, path="/ws/queue/", cookies=cookies[:kinds], count=count)
            full = memory(web.process.pid)
            before, began = cpu(web.process.pid), time.monotonic()
            time.sleep(5 * HEARTBEAT)
            each = (cpu(web.process.pid) - before) / ((time.monotonic() - began) / HEARTBEAT)
            print(
                f"{count} sockets of {kinds} accounts: {(full - empty) * 1024 / count:.0f} KiB each,"
                f" {1000 * each:.1f} ms of a core per heartbeat"
            )


def pool() -> None:
    """The pool bounds the connections whatever comes: 60 pages at once of a process that may have six."""
    import httpx

    from tests.factories import UserFactory
    from tests.serving import cookie_of

    with installation(2, worker=False, DATABASE_POOL_SIZE="6") as (servers, _, _):
        cookie = cookie_of(UserFactory())
        most, answers, stop = 0, [], threading.Event()

        def watch() -> None:
            nonlocal most
            while not stop.is_set():
                most = max(most, len(backends()))
                time.sleep(0.02)

        watcher = threading.Thread(target=watch)
        watcher.start()

        async def crowd() -> None:
            async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=None)) as http:
                for _ in range(5):
                    asked = [
                        http.get(f"{server.url}/queue/", headers={"Cookie": cookie_header(cookie)})
                        for server in servers
                        for _ in range(60)
                    ]
                    answers.extend(answer.status_code for answer in await asyncio.gather(*asked))

        asyncio.run(crowd())
        stop.set()
        watcher.join()
        print(f"2 web, 6 connections each: {answers.count(200)} of {len(answers)} pages, at most {most} connections")


def two_valkeys() -> None:
    """Two hosts in the channel layer: every account's frames arrive in both processes, and half of them without one."""
    from tests.factories import UserFactory

    with installation(2, valkeys=2, worker=False) as (servers, _, layers):
        people = [UserFactory() for _ in range(16)]
        print(f"both Valkeys: {heard(servers, people)} of 32 pages heard of their account's escalation within 1 s")
        layers[0].kill()
        print(f"one is gone: {heard(servers, people)} of 32 did; the others get it with a heartbeat")


def heard(servers: list, people: list) -> int:
    """Every person has a page open at both processes, and escalates at the first one."""
    import json

    import httpx
    from websockets.sync.client import connect

    from resolutionflow.accounts.models import ApiToken
    from tests.serving import cookie_of

    came: list[int] = []

    def one(number: int) -> None:
        person = people[number]
        headers = {"Cookie": cookie_header(cookie_of(person))}
        with ExitStack() as pages:
            sockets = [
                pages.enter_context(connect(f"{server.ws_url}/ws/queue/", additional_headers=headers))
                for server in servers
            ]
            for socket in sockets:
                while json.loads(socket.recv(timeout=10))["type"] != "ready":
                    pass
            token = {"Authorization": f"Bearer {ApiToken.issue(person, name='scale')[1]}"}
            with httpx.Client(base_url=servers[0].url, headers=token, timeout=20) as http:
                session = http.post("/api/sessions", json={"title": "It loops"}).json()["id"]
                told = {"intent": "escalate", "reason": "Stuck."}
                http.post(f"/api/sessions/{session}/handoffs", json=told).raise_for_status()
            for socket in sockets:
                with suppress(TimeoutError):
                    while json.loads(socket.recv(timeout=1))["type"] != "handoff_created":
                        pass
                    came.append(number)

    for number in range(len(people)):
        one(number)
    return len(came)


SCENES = (processes, escalations, accounts, pool, two_valkeys)

if __name__ == "__main__":
    sys.exit(main())
