"""What the templates show of a report, besides the figures themselves."""

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page

from analytics import lists
from analytics.breakdowns import TrendRow
from analytics.lists import SORTS, Selection
from analytics.metrics import Measured
from analytics.models import HandoffFact, PickupFact
from analytics.periods import Bucket, Period
from analytics.report import Report

LEAST_TO_COMPARE = 10  # of either period; below, a change says nothing
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SHADES = 4


@dataclass(frozen=True)
class Change:
    """From the period before to this one: a count's difference, or a rate's in points."""

    by: float
    is_rate: bool

    @property
    def direction(self) -> str:
        rounded = round(self.by * 100) if self.is_rate else self.by
        return "up" if rounded > 0 else "down" if rounded < 0 else "same"


@dataclass(frozen=True)
class Line:
    """A row of the trend's table, and how an address asks for its escalations."""

    row: TrendRow
    query: str


@dataclass(frozen=True)
class Hour:
    weekday: int
    hour: int
    n: int
    shade: int  # 0 to 4


@dataclass(frozen=True)
class Weekday:
    name: str
    hours: list[Hour]
    n: int


def of_report(report: Report) -> dict[str, Any]:
    """The context of the page."""
    rates = report.figures.rates
    changes = {name: change(rates[name], report.previous.rates[name]) for name in rates}
    return {
        "report": report,
        "period": report.period,
        "rates": {name: (measured, changes[name]) for name, measured in rates.items()},
        "durations": report.figures.durations,
        "lines": [Line(row, _query(row.bucket, report.period)) for row in reversed(report.trend)],
        "week": _week(report.load, hours := _hours(report.load)),
        "hours": hours,
        "is_empty": not rates["escalations"].numerator,
    }


def change(now: Measured, before: Measured) -> Change | None:
    """None where either period has too few to compare."""
    if min(now.denominator, before.denominator) < LEAST_TO_COMPARE or now.value is None or before.value is None:
        return None
    return Change(now.value - before.value, is_rate=not now.figure.is_count)


def _query(bucket: Bucket, period: Period) -> str:
    one = Period(bucket.start, bucket.end, period.tz, "")
    if one.is_of_whole_days:
        return f"from={one.first}&to={one.last}"
    return f"from={bucket.start:%Y-%m-%dT%H:%M:%S.%fZ}&to={bucket.end:%Y-%m-%dT%H:%M:%S.%fZ}"


def _hours(load: dict[tuple[int, int], int]) -> range:
    """From the first hour of any day that has escalations to the last."""
    hours = [hour for _, hour in load]
    return range(min(hours, default=0), max(hours, default=23) + 1)


def _week(load: dict[tuple[int, int], int], hours: range) -> list[Weekday]:
    most = max(load.values(), default=0)
    return [
        Weekday(name, [_hour(load, weekday, hour, most) for hour in hours], _of_day(load, weekday))
        for weekday, name in enumerate(WEEKDAYS, 1)
    ]


def _hour(load: dict[tuple[int, int], int], weekday: int, hour: int, most: int) -> Hour:
    n = load.get((weekday, hour), 0)
    return Hour(weekday, hour, n, -(-SHADES * n // most) if most else 0)


def _of_day(load: dict[tuple[int, int], int], weekday: int) -> int:
    return sum(n for (day, _), n in load.items() if day == weekday)


COLUMNS: dict[type, tuple[tuple[str, str], ...]] = {
    HandoffFact: (
        *(("escalated", "Escalated"), ("", "By"), ("", "State"), ("pickup", "Time to pickup")),
        *(("action", "First action"), ("resolution", "Resolution")),
    ),
    PickupFact: (
        *(("escalated", "Escalated"), ("", "Picked up by"), ("picked_up", "Picked up")),
        *(("", "Ended"), ("action", "First action"), ("resolution", "Resolution")),
    ),
}
OF_ATTEMPTS = (("at", "Refused"), ("", "Who"), ("", "Had it"))


@dataclass(frozen=True)
class Column:
    """A heading of the list; `sort` is what it asks for, `order` how the list is sorted by it now."""

    title: str
    sort: str
    order: str


def of_list(period: Period, chosen: Selection, rows: "Page[Any]", sort: str) -> dict[str, Any]:
    """The context of an opened list."""
    model = rows.paginator.object_list.model  # type: ignore[attr-defined]
    names = SORTS[model]
    current = sort if sort.removeprefix("-") in names else f"-{next(iter(names))}"
    return {
        "period": period,
        "chosen": chosen,
        "title": lists.parts(chosen.figure)[chosen.part],
        "query": f"{period.query}&{chosen.query}",
        "rows": rows,
        "kind": {HandoffFact: "handoffs", PickupFact: "pickups"}.get(model, "attempts"),
        "columns": [_column(title, name, current) for name, title in COLUMNS.get(model, OF_ATTEMPTS)],
        "sort": current,
    }


def _column(title: str, name: str, current: str) -> Column:
    if not name:
        return Column(title, "", "")
    if current.removeprefix("-") != name:
        return Column(title, f"-{name}", "")
    backwards = current.startswith("-")
    return Column(title, name if backwards else f"-{name}", "descending" if backwards else "ascending")
