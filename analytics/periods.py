"""Which escalations are looked at: a half-open stretch of time, told in days of the account's time zone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from urllib.parse import urlencode

from escalations.actions.refusals import Refusal

PRESETS = {"7d": 7, "30d": 30, "90d": 90}
DEFAULT = "30d"
MOST_DAYS = 366
MOST_DAILY_BUCKETS = 31  # beyond, a bucket is an ISO week
EARLIEST = date(2012, 1, 1)  # since then every zone is a whole number of quarter hours from UTC, at every moment
A_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
A_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]", re.ASCII)
NAMES = ("period", "from", "to")
ALLOWED = "Ask for 7, 30 or 90 days, or for two days of your own, at most 366 days apart and none in the future."


class BadPeriod(Refusal):
    """What was asked for is no period; `str()` says why, and what is allowed."""

    status = 422

    def __init__(self, why: str, field: str = "period") -> None:
        self.field = field
        self.why = why
        super().__init__(f"{why} {ALLOWED}")

    @property
    def facts(self) -> dict[str, object]:
        return {"errors": [{"field": self.field, "message": self.why}]}


@dataclass(frozen=True)
class Bucket:
    """A day or a week of the trend, cut to its period; `partial` while it is not over."""

    start: datetime
    end: datetime
    first: date
    partial: bool


@dataclass(frozen=True)
class Period:
    """`[start, end)`, in UTC; `query` is how an address asks for it."""

    start: datetime
    end: datetime
    tz: tzinfo
    query: str

    @property
    def first(self) -> date:
        return self.start.astimezone(self.tz).date()

    @property
    def last(self) -> date:
        return (self.end - timedelta(microseconds=1)).astimezone(self.tz).date()

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def is_daily(self) -> bool:
        return self.days <= MOST_DAILY_BUCKETS

    @property
    def is_of_whole_days(self) -> bool:
        return self.start == _midnight(self.first, self.tz) and self.end == _midnight(_next(self.last), self.tz)

    def before(self) -> Period:
        """The period of equal length that ends where this one begins: as many days, or as much time."""
        if not self.is_of_whole_days:
            return Period(self.start - (self.end - self.start), self.start, self.tz, "")
        start = _midnight(self.first - timedelta(days=self.days), self.tz)
        return Period(start, self.start, self.tz, "")

    def buckets(self, now: datetime) -> list[Bucket]:
        """All of them, in order. Days are the zone's own: one of a clock change has 23 or 25 hours, and one that
        a zone has left out is not there."""
        found, first = [], self.first
        while first <= self.last:
            next_first = _next(first) if self.is_daily else first + timedelta(days=7 - first.weekday())
            start = max(_midnight(first, self.tz), self.start)
            end = min(_midnight(next_first, self.tz), self.end)
            if start < end:
                found.append(Bucket(start, end, first, partial=start <= now < end))
            first = next_first
        return found


def parse(asked: Mapping[str, str], *, tz: tzinfo, now: datetime) -> Period:
    """The period that `period=` or `from=` and `to=` ask for; 30 days if none does. Raises BadPeriod.

    Days are taken whole, the last one included; moments with a time are half-open.
    """
    chosen = {name: asked[name].strip() for name in NAMES if asked.get(name, "").strip()}
    if "period" in chosen:
        if len(chosen) > 1:
            raise BadPeriod("Give either a number of days or two days of your own, not both.")
        return _preset(chosen["period"], tz, now)
    if not chosen:
        return _preset(DEFAULT, tz, now)
    if len(chosen) < 2:
        missing = "to" if "from" in chosen else "from"
        raise BadPeriod(f"One end is missing: {missing}.", missing)
    return _custom(chosen["from"], chosen["to"], tz, now)


def _preset(name: str, tz: tzinfo, now: datetime) -> Period:
    if name not in PRESETS:
        raise BadPeriod("There is no such period.")
    today = now.astimezone(tz).date()
    start = _midnight(today - timedelta(days=PRESETS[name] - 1), tz)
    return Period(start, _midnight(_next(today), tz), tz, urlencode({"period": name}))


def _custom(first: str, last: str, tz: tzinfo, now: datetime) -> Period:
    start, end = _start("from", first, tz), _end("to", last, tz)
    today = now.astimezone(tz).date()
    tomorrow = _midnight(_next(today), tz)
    if start >= end:
        raise BadPeriod("The period ends before it begins.", "to")
    if start >= tomorrow:
        raise BadPeriod("The period has not begun yet.", "from")
    # A caller east of the account may be a day ahead; there is nothing to see there, and nothing wrong with it.
    if end > _midnight(_next(_next(today)), tz):
        raise BadPeriod("The period ends in the future.", "to")
    period = Period(start, min(end, tomorrow), tz, urlencode({"from": first, "to": last}))
    if period.days > MOST_DAYS:
        raise BadPeriod(f"These are more than {MOST_DAYS} days.", "from")
    return period


def _start(field: str, text: str, tz: tzinfo) -> datetime:
    read = _read(field, text)
    return read if isinstance(read, datetime) else _midnight(read, tz)


def _end(field: str, text: str, tz: tzinfo) -> datetime:
    read = _read(field, text)
    return read if isinstance(read, datetime) else _midnight(_next(read), tz)


def _read(field: str, text: str) -> date | datetime:
    """A day, or a moment with its offset from UTC."""
    try:
        is_day = A_DAY.fullmatch(text)
        read: date | datetime = date.fromisoformat(text) if is_day else _moment(text)
        day = read.date() if isinstance(read, datetime) else read
        if not EARLIEST <= day <= date(9998, 12, 31):
            raise BadPeriod(f"{day} is out of reach.", field)
        if isinstance(read, datetime):
            if read.tzinfo is None:
                raise BadPeriod(f"{field} has a time but no zone, such as Z or +01:00.", field)
            return read.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadPeriod(f"{field} is no day, such as 2026-11-22.", field) from None
    return read


def _moment(text: str) -> datetime:
    if not A_MOMENT.match(text):
        raise ValueError(text)
    return datetime.fromisoformat(text[:11] + text[11:].replace(" ", "+"))  # an unescaped + comes as a space


def _next(day: date) -> date:
    return day + timedelta(days=1)


def _midnight(day: date, tz: tzinfo) -> datetime:
    """When the day begins there, in UTC; where a clock change has left midnight out, the moment of the change."""
    return datetime.combine(day, time(), tz).astimezone(UTC)
