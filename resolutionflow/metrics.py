"""What /metrics tells Prometheus: this process's own counts, and a few figures of the whole database.

Nothing here names an account or a person, and nothing costs the hot path more than a sum: connections are counted when
somebody asks, and the database is asked at most every READ_EVERY seconds however many ask.
"""

import hmac
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest
from prometheus_client import REGISTRY, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

import resolutionflow
from escalations.live.counted import counted
from escalations.live.doors import doors
from resolutionflow import walls
from resolutionflow.stopping import stopping

READ_EVERY = 5.0  # seconds
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FROM_A_PROXY = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA", "HTTP_X_FORWARDED_HOST")
THIS_MACHINE = {"127.0.0.1", "::1"}
DOORS = {"api", "admin", "static", "analytics", "login", "queue", "handoffs", "sessions"}
PROBED = {"healthz", "readyz", "metrics"}  # a second apart, and no part of what people wait for

Gauge("resolutionflow_build", "Always 1; which version runs.", ["version"]).labels(resolutionflow.__version__).set(1)
requests = Histogram(
    "resolutionflow_request_seconds",
    "From the request's arrival to the end of its answer, waiting for a connection included.",
    ["door", "status"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def door_of(path: str) -> str:
    """The first part of the address, if it is one of ours: what strangers invent makes no new series."""
    first = path.split("/", 2)[1] if path.startswith("/") else ""
    return first if first in DOORS else "probe" if first in PROBED else "other"


# Who may read them


def may_read(request: HttpRequest) -> bool:
    """With METRICS_TOKEN whoever has it; without, this machine itself, and not what a proxy on it passes on."""
    if settings.METRICS_TOKEN:
        told = request.headers.get("Authorization", "")
        return hmac.compare_digest(told.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    return request.META.get("REMOTE_ADDR") in THIS_MACHINE and not any(name in request.META for name in FROM_A_PROXY)


def text() -> bytes:
    """All of it, in Prometheus' text format."""
    return generate_latest(REGISTRY)


# What is counted elsewhere, collected when somebody asks


class Asked(Collector):
    """Is not asked when it is registered, which the registry would do to know its names."""

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        raise NotImplementedError


class Live(Asked):
    """Sockets and streams of this process."""

    def collect(self) -> Iterator[Metric]:
        connections = GaugeMetricFamily(
            "resolutionflow_open_connections", "Open sockets (queue, session) and streams.", labels=["kind"]
        )
        now_open = doors.open_of_each_kind()
        for kind in ("queue", "session", "stream"):
            connections.add_metric([kind], now_open[kind])
        yield connections
        for name, what, value in (
            ("frames_sent", "Frames written to sockets.", counted.frames),
            ("stream_pieces_sent", "Events and keepalives written to streams.", counted.pieces),
            ("readys_sent", "Times that a socket was told where the feed is.", counted.readys),
            ("mailbox_overflows", "Sockets that could not keep up and were told to fetch.", counted.overflows),
            ("stream_resyncs", "Streams that were told to ask anew.", counted.resyncs),
            (
                "sent_home",
                "Sockets and streams told to come back elsewhere, because this process stops.",
                counted.sent_home,
            ),
        ):
            yield CounterMetricFamily(f"resolutionflow_{name}", what, value)
        yield GaugeMetricFamily("resolutionflow_requests_at_hand", "Requests being answered.", stopping.requests)
        yield GaugeMetricFamily("resolutionflow_stopping", "1 while this process goes down.", stopping.has_begun)


class Work(Asked):
    """Figures of the whole database, which every process tells alike."""

    def __init__(self) -> None:
        self._reading = threading.Lock()
        self._read_at = float("-inf")
        self._last: list[Metric] = []

    def collect(self) -> Iterable[Metric]:
        with self._reading:
            if time.monotonic() - self._read_at >= READ_EVERY:
                self._last = list(self._read())
                self._read_at = time.monotonic()
            return self._last

    def forget(self) -> None:
        self._read_at = float("-inf")

    def _read(self) -> Iterator[Metric]:
        try:
            waiting, jobs, failed = what_there_is_to_do()
        except DatabaseError:
            yield GaugeMetricFamily("resolutionflow_database_up", "Whether the database answered.", 0)
            return
        yield GaugeMetricFamily("resolutionflow_database_up", "Whether the database answered.", 1)
        yield GaugeMetricFamily("resolutionflow_handoffs_waiting", "Handoffs that nobody has picked up.", waiting[0])
        yield GaugeMetricFamily(
            "resolutionflow_oldest_waiting_seconds", "How long the oldest of them waits; 0 if none does.", waiting[1]
        )
        due = GaugeMetricFamily("resolutionflow_jobs_due", "Jobs that could run now.", labels=["task"])
        lag = GaugeMetricFamily("resolutionflow_job_lag_seconds", "How long the oldest due job waits.", labels=["task"])
        for task, count, seconds in jobs:
            due.add_metric([task], count)
            lag.add_metric([task], seconds)
        yield due
        yield lag
        yield GaugeMetricFamily("resolutionflow_jobs_failed", "Jobs that were given up and are kept.", failed)


@walls.everywhere()
def what_there_is_to_do() -> tuple[tuple[int, float], list[tuple[str, int, float]], int]:
    """(waiting handoffs, the oldest's seconds); (task, due jobs, the oldest's seconds) of each; failed jobs."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        waiting = cursor.fetchone()
        cursor.execute(DUE)
        due = cursor.fetchall()
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed'")
        (failed,) = cursor.fetchone()
    return waiting, due, failed


WAITING = """
SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float
FROM escalations_handoff WHERE state = 'waiting'
"""
# A job without a time is as old as the event that says it was deferred; of those the lowest id is the oldest.
DUE = """
WITH due AS (
  SELECT task_name, count(*) AS jobs, min(scheduled_at) AS scheduled,
    min(id) FILTER (WHERE scheduled_at IS NULL) AS first
  FROM procrastinate_jobs WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= clock_timestamp())
  GROUP BY task_name
)
SELECT task_name, jobs, coalesce(extract(epoch FROM clock_timestamp() - least(
  scheduled, (SELECT min(at) FROM procrastinate_events WHERE job_id = due.first)
)), 0)::float FROM due ORDER BY task_name
"""

work = Work()
REGISTRY.register(Live())
REGISTRY.register(work)


def count_request(path: str, status: int, seconds: float) -> None:
    requests.labels(door_of(path), str(status)).observe(seconds)


def told(name: str, **labels: str) -> Any:
    """One value of the registry, or None; for tests and the curious."""
    return REGISTRY.get_sample_value(name, labels)
