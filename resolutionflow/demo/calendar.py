"""When things begin: over the last weeks, in the team's working hours, seldom in the evening or on a Saturday."""

import random
from datetime import UTC, date, datetime, time, timedelta, tzinfo

DAYS = 89
SATURDAY = 5
EVENINGS = 0.08
SATURDAYS = 0.15  # share of Friday's cases that really came a day later


def starts(count: int, *, tz: tzinfo, now: datetime, chance: random.Random) -> list[datetime]:
    """`count` moments in order, spread over the last 89 days up to yesterday, as that team's clock tells the days."""
    today = now.astimezone(tz).date()
    workdays = [day for day in _days_before(today) if day.weekday() < SATURDAY]
    return sorted(_start(workdays[index * len(workdays) // count], today, tz, chance) for index in range(count))


def _days_before(today: date) -> list[date]:
    return [today - timedelta(days=ago) for ago in range(DAYS, 0, -1)]


def _start(day: date, today: date, tz: tzinfo, chance: random.Random) -> datetime:
    # Every draw is made for every case, so that the dates do not change which number falls to whom.
    evening, saturday, hour, minutes = chance.random(), chance.random(), chance.triangular(8, 16.5, 10), chance.random()
    if day.weekday() == SATURDAY - 1 and saturday < SATURDAYS and day + timedelta(days=1) < today:
        day += timedelta(days=1)
    if evening < EVENINGS:
        hour = 17.5 + 2 * minutes
    clock = (datetime.min + timedelta(hours=hour)).time().replace(microsecond=0)
    return datetime.combine(day, max(clock, time(7)), tz).astimezone(UTC)
