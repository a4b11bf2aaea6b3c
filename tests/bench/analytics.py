"""Figures of a large account: `python -m tests.bench.analytics`

A million handoffs in 50 accounts, written by COPY into a database of their own. The page, the API and the CSV of the
largest account (200,000 in the year) at 90 and at 366 days, beside one plain aggregate over the same handoffs, in
turns. Goals: the page's queries take at most 3 times as long as the aggregate; time grows with the account no faster
than linearly; the streamed CSV takes no more memory for 200,000 rows than for few. `--scale 0.05` tries the benchmark.
"""

import argparse
import io
import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench import analytics_rows
from tests.bench.ground import fresh_database, machine
from tests.cookies import cookies_of

if TYPE_CHECKING:
    from analytics.periods import Period
    from resolutionflow.accounts.models import Account
    from tests.serving import Server

TURNS = 5
GOAL = 3.0
MOST_GROWTH = 1.2  # of time per handoff, from the small account to the large one
FLAT = 16  # MiB
PLAIN = """
    SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY picked_up_at - created_at)
    FROM escalations_handoff WHERE account_id = %s AND created_at >= %s AND created_at < %s
"""


def main() -> int:
    told = argparse.ArgumentParser()
    told.add_argument("--scale", type=float, default=1.0)
    scale = told.parse_args().scale
    with fresh_database():
        ids = _timed("writing", lambda: _write(scale))
        _timed("deriving the facts (rebuild_metrics)", _derive)
        missed = _measure(ids)
    return int(any(missed))


def _write(scale: float) -> "dict[int, Any]":
    import psycopg

    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        return analytics_rows.write(connection, now=analytics_rows.now(), scale=scale)


def _derive() -> None:
    import psycopg
    from django.core.management import call_command

    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    call_command("rebuild_metrics", stdout=io.StringIO())
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def _timed(what: str, work: Callable[[], Any]) -> Any:
    began = time.perf_counter()
    result = work()
    print(f"{what}: {time.perf_counter() - began:.0f} s", flush=True)
    return result


def _measure(ids: "dict[int, Any]") -> list[str]:
    from resolutionflow.accounts.models import Account

    print(machine(), f"load {os.getloadavg()[0]:.1f}")
    accounts = {size: Account.objects.get(pk=pk) for size, pk in ids.items()}
    largest = accounts[analytics_rows.LARGEST]
    missed = []
    for days in (90, 366):
        missed += _beside_the_plain(largest, days)
    missed += _growth(accounts)
    missed += _served(largest)
    return missed


def _period(account: "Account", days: int) -> "Period":
    from analytics import metrics, periods

    now = metrics.now()
    today = now.astimezone(account.tz).date()
    asked = {"from": str(today - timedelta(days=days - 1)), "to": str(today)}
    return periods.parse(asked, tz=account.tz, now=now)


def _beside_the_plain(account: "Account", days: int) -> list[str]:
    """Queries alone: the report of the page and of the API, beside the aggregate, in turns."""
    from analytics import report

    period = _period(account, days)
    works = {
        "plain": lambda: plain(account, period),
        "page": lambda: report.for_people(account, period),
        "API": lambda: report.for_programs(account, period),
    }
    took = {name: statistics.median(seconds) for name, seconds in _in_turns(works).items()}
    n = plain(account, period)
    print(f"{days} days, {n:,} handoffs: " + ", ".join(f"{name} {1000 * took[name]:.0f} ms" for name in took))
    return [_goal(f"{days} days: {name} / plain", took[name] / took["plain"], GOAL) for name in ("page", "API")]


def plain(account: "Account", period: "Period") -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(PLAIN, [account.pk, period.start, period.end])
        return int(cursor.fetchone()[0])


def _in_turns(works: dict[str, Callable[[], Any]]) -> dict[str, list[float]]:
    took: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(TURNS + 1):
        for name, work in works.items():
            began = time.perf_counter()
            work()
            if turn:  # the first warms the caches
                took[name].append(time.perf_counter() - began)
    return took


def _growth(accounts: "dict[int, Account]") -> list[str]:
    from analytics import report

    periods = {size: _period(accounts[size], 366) for size in (*analytics_rows.GROWTH, analytics_rows.LARGEST)}
    works = {
        str(size): lambda size=size, period=period: report.for_people(accounts[size], period)
        for size, period in periods.items()
    }
    took = {int(name): statistics.median(seconds) for name, seconds in _in_turns(works).items()}
    print("growth: " + ", ".join(f"{size:,} handoffs {1000 * seconds:.0f} ms" for size, seconds in took.items()))
    small, large = min(took), max(took)
    per_handoff = (took[large] / large) / (took[small] / small)
    return [_goal("time per handoff, 200,000 / 2,000", per_handoff, MOST_GROWTH)]


def _served(account: "Account") -> list[str]:
    """Over HTTP, from a server of its own: page, API and CSV, and the memory of the CSV."""
    import httpx

    from resolutionflow.accounts.models import User
    from tests.serving import Server, cookie_of

    server = Server("--no-worker").start()
    try:
        owner = User.objects.get(account=account, role="owner")
        client = httpx.Client(base_url=server.url, cookies=cookies_of(cookie_of(owner)), timeout=120)
        for days in (90, 366):
            period = _period(account, days)
            asked = f"from={period.first}&to={period.last}"
            paths = {
                "page": f"/analytics/escalations/?{asked}",
                "API": f"/api/analytics/escalations?{asked}",
                "table.csv": f"/analytics/escalations/table.csv?{asked}",
                "list": f"/analytics/escalations/handoffs/?{asked}&figure=conversion_rate",
            }
            works = {name: lambda path=path: client.get(path).raise_for_status() for name, path in paths.items()}
            took = {name: statistics.median(seconds) for name, seconds in _in_turns(works).items()}
            print(f"served, {days} days: " + ", ".join(f"{name} {1000 * took[name]:.0f} ms" for name in took))
        return [_memory_of_the_csv(server, client, account)]
    finally:
        server.stop()


def _memory_of_the_csv(server: "Server", client: Any, account: "Account") -> str:
    period = _period(account, 366)
    path = f"/analytics/escalations/handoffs.csv?from={period.first}&to={period.last}"
    month = _period(account, 30)
    few, before = _read_all(client, f"/analytics/escalations/handoffs.csv?from={month.first}&to={month.last}", server)
    began = time.perf_counter()
    rows, most = _read_all(client, path, server)
    seconds = time.perf_counter() - began
    print(f"CSV of {rows:,} rows: {seconds:.1f} s; memory {most:.0f} MiB at most, {before:.0f} for {few:,} rows")
    return _goal("MiB more for the long CSV than for the short one", most - before, FLAT)


def _read_all(client: Any, path: str, server: "Server") -> tuple[int, float]:
    rows, most = -1, 0.0
    with client.stream("GET", path) as response:
        assert response.status_code == 200
        for number, chunk in enumerate(response.iter_bytes()):
            rows += chunk.count(b"\n")
            if number % 10 == 0:
                most = max(most, resident(server))
    return rows, most


def resident(server: "Server") -> float:
    """MiB of the server's process."""
    assert server.process
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def _goal(what: str, value: float, goal: float) -> str:
    reached = value <= goal
    print(f"  {'reached' if reached else 'MISSED '} {value:6.2f} (goal ≤ {goal:g}) {what}", flush=True)
    return "" if reached else what


if __name__ == "__main__":
    sys.exit(main())
