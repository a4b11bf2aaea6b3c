"""The cohort by time, by hour of the week and by person. Sums of parts are the whole: each row is in one of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import Count, DateTimeField, F, Func, IntegerField, Q, Value

from analytics import tallies
from analytics.figures import CONVERSION, ESCALATIONS, MIN_N
from analytics.metrics import Percentiles, cohort, held, moment_of
from analytics.periods import Bucket, Period
from analytics.tallies import Tally
from resolutionflow.accounts.models import Account, User

MEDIAN = (0.5,)
# The zone's clock is asked once for each quarter of an hour, not for each escalation.
LOAD = """
    SELECT extract(isodow FROM local)::int, extract(hour FROM local)::int, sum(n)::int
    FROM (
        SELECT quarter AT TIME ZONE %(tz)s AS local, n
        FROM (
            SELECT date_bin('15 minutes', escalated_at, '2000-01-01Z') AS quarter, count(*) AS n
            FROM analytics_handoff
            WHERE account_id = %(account)s AND escalated_at >= %(start)s AND escalated_at < %(end)s
            GROUP BY 1
        ) AS counted
    ) AS told
    GROUP BY 1, 2
"""
IDLE = Q(was_released=True, first_action_at__isnull=True)


@dataclass(frozen=True)
class TrendRow:
    """One bucket: its escalations, their conversion (acted on of picked up), and the median wait in seconds."""

    bucket: Bucket
    escalations: int = 0
    numerator: int = 0
    denominator: int = 0
    median_wait: float | None = None

    @property
    def value(self) -> float | None:
        return self.numerator / self.denominator if self.denominator else None

    @property
    def too_few(self) -> bool:
        return self.denominator < MIN_N[50]


def trend(account: Account, period: Period, *, as_of: datetime) -> list[TrendRow]:
    """One row per bucket, empty ones included."""
    buckets = period.buckets(as_of)
    told = tallies.of(account, edges_of(buckets), moment_of(as_of))
    return trend_of(buckets, told, medians(account, period, buckets))


def edges_of(buckets: list[Bucket]) -> list[datetime]:
    """Where the buckets begin, and where the last one ends."""
    return [*(bucket.start for bucket in buckets), buckets[-1].end]


def trend_of(buckets: list[Bucket], told: list[Tally], waits: dict[int, float]) -> list[TrendRow]:
    """The rows, of what was counted already."""
    name = CONVERSION.name
    return [
        TrendRow(
            bucket,
            tally[f"{ESCALATIONS.name}:numerator"],
            tally[f"{name}:numerator"],
            tally[f"{name}:denominator"],
            waits.get(number) if tally[f"{name}:denominator"] >= MIN_N[50] else None,
        )
        for number, (bucket, tally) in enumerate(zip(buckets, told, strict=True), 1)
    ]


def medians(account: Account, period: Period, buckets: list[Bucket]) -> dict[int, float]:
    """The median wait in seconds, by the bucket's number from 1."""
    starts = Value([bucket.start for bucket in buckets], output_field=ArrayField(DateTimeField()))
    told: Any = (
        cohort(account, period)
        .filter(pickup_seconds__isnull=False)
        .order_by()
        .annotate(bucket=Func(F("escalated_at"), starts, function="width_bucket", output_field=IntegerField()))
        .values("bucket")
        .annotate(median=Percentiles("pickup_seconds", MEDIAN))
    )
    return {row["bucket"]: row["median"][0] for row in told}


def _median(percentiles: object, n: object) -> float | None:
    return percentiles[0] if isinstance(percentiles, list) and isinstance(n, int) and n >= MIN_N[50] else None


def load(account: Account, period: Period) -> dict[tuple[int, int], int]:
    """Escalations by (ISO weekday 1 to 7, hour 0 to 23) of the account's clock; hours without any are left out."""
    told: dict[str, Any] = {"account": account.pk, "start": period.start, "end": period.end, "tz": account.time_zone}
    with connection.cursor() as cursor:
        cursor.execute(LOAD, told)
        return {(weekday, hour): n for weekday, hour, n in cursor.fetchall()}


@dataclass(frozen=True)
class Work:
    """What one person had to do with the period's escalations; times are medians in seconds."""

    person: User
    escalated: int
    pickups: int
    acted: int
    idle_releases: int
    resolved: int
    to_action: float | None
    hands_on: float | None


def people(account: Account, period: Period) -> list[Work]:
    """Everybody who escalated or picked up, by name: a load is no merit."""
    escalated = dict(cohort(account, period).order_by().values_list("escalated_by").annotate(Count("handoff_id")))
    told = {row["picker"]: row for row in _by_picker(account, period)}
    ids = escalated.keys() | told.keys()
    found = User.objects.for_account(account).filter(pk__in=ids).order_by("name", "pk")
    return [_work(person, escalated.get(person.pk, 0), told.get(person.pk, {})) for person in found]


def _by_picker(account: Account, period: Period) -> Any:
    return (
        held(account, period)
        .order_by()
        .values("picker")
        .annotate(
            pickups=Count("pk"),
            acted=Count("first_action_at"),
            idle_releases=Count("pk", filter=IDLE),
            resolved=Count("resolved_at"),
            to_action=Percentiles("action_seconds", MEDIAN),
            hands_on=Percentiles("hands_on_seconds", MEDIAN),
        )
    )


def _work(person: User, escalated: int, told: dict[str, Any]) -> Work:
    counts = {name: told.get(name, 0) for name in ("pickups", "acted", "idle_releases", "resolved")}
    return Work(
        person,
        escalated,
        **counts,
        to_action=_median(told.get("to_action"), counts["acted"]),
        hands_on=_median(told.get("hands_on"), counts["resolved"]),
    )
