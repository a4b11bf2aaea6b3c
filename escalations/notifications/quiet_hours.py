"""When somebody wants to be left alone: every day from one time to another, as a clock in their zone shows them.

A stretch is never interrupted. Where the clock is set back and shows a time twice it begins with the first and ends
with the second; where a time is skipped, the jump stands for it.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from escalations.models.preference import NotificationPreference

Stretch = tuple[datetime, datetime]  # from, until (which is not part of it), in UTC
A_DAY = timedelta(days=1)


def stretches(preference: NotificationPreference, at: datetime) -> list[Stretch]:
    """Those that may hold `at` or come within a day of it; none without quiet hours."""
    start, end = preference.quiet_from, preference.quiet_until
    if start is None or end is None:
        return []
    zone = preference.tz
    today = at.astimezone(zone).date()
    nights = A_DAY if end < start else timedelta()
    days = [today + A_DAY * number for number in (-1, 0, 1)]
    return [(_shown(day, start, zone)[0], _shown(day + nights, end, zone)[1]) for day in days]


def are_on(preference: NotificationPreference, at: datetime) -> bool:
    return any(start <= at < end for start, end in stretches(preference, at))


def _shown(day: date, at: time, zone: ZoneInfo) -> Stretch:
    """The first and the last moment at which a clock of the zone shows this."""
    wanted = datetime.combine(day, at)
    first, last = (wanted.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= last:
        return first, last
    while last.astimezone(zone).replace(tzinfo=None) < wanted:  # it is skipped, and `last` lies before the jump
        last += timedelta(minutes=1)
    return last, last
