"""Days, weeks and clock changes, each in its own zone."""

import zoneinfo
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from analytics import periods
from analytics.periods import BadPeriod, Period

HOUR = timedelta(hours=1)
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "America/Havana")


def asked(first: str, last: str, *, zone: str = "Europe/Berlin", now: str = "2030-01-01T00:00:00+00:00") -> Period:
    return periods.parse({"from": first, "to": last}, tz=zoneinfo.ZoneInfo(zone), now=datetime.fromisoformat(now))


def lengths(period: Period) -> list[timedelta]:
    return [bucket.end - bucket.start for bucket in period.buckets(period.end)]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("America/Havana", "2026-03-08", 23),  # midnight itself is left out
        ("Asia/Kathmandu", "2026-03-29", 24),
    ],
)
def test_a_day_of_a_clock_change_is_as_long_as_it_is(zone, day, hours):
    assert lengths(asked(day, day, zone=zone)) == [hours * HOUR]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("days", [1, 7, 31, 32, 90, 366])
def test_buckets_cover_the_period_without_gap_or_overlap(zone, days):
    last = date(2026, 11, 22)
    period = asked((last - timedelta(days=days - 1)).isoformat(), last.isoformat(), zone=zone)
    buckets = period.buckets(period.end)
    assert (buckets[0].start, buckets[-1].end) == (period.start, period.end)
    assert all(early.end == late.start for early, late in pairwise(buckets))
    assert len(buckets) == days if days <= 31 else len(buckets) <= days // 7 + 2
    assert period.days == days


def test_weeks_are_iso_weeks_also_across_a_years_end():
    buckets = asked("2026-12-01", "2027-01-20").buckets(datetime(2028, 1, 1, tzinfo=UTC))
    assert [bucket.first for bucket in buckets][:1] == [date(2026, 12, 1)]
    assert all(bucket.first.isoweekday() == 1 for bucket in buckets[1:])
    assert date(2026, 12, 28) in [bucket.first for bucket in buckets]  # week 53, whose Friday is in January


def test_only_the_bucket_of_now_is_partial():
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    period = periods.parse({"period": "7d"}, tz=zoneinfo.ZoneInfo("Europe/Berlin"), now=now)
    assert [bucket.partial for bucket in period.buckets(now)] == [False] * 6 + [True]
    assert not any(bucket.partial for bucket in period.buckets(period.end))


def test_a_day_that_the_zone_left_out_is_not_there():
    # EARLIEST keeps such a range from being asked for; the buckets know it all the same.
    apia = zoneinfo.ZoneInfo("Pacific/Apia")
    period = Period(datetime(2011, 12, 29, 10, tzinfo=UTC), datetime(2011, 12, 31, 10, tzinfo=UTC), apia, "")
    assert [bucket.first.day for bucket in period.buckets(period.end)] == [29, 31]


def test_the_period_before_has_as_many_days_though_not_as_many_hours():
    period = asked("2026-03-29", "2026-04-04")
    before = period.before()
    assert (before.first, before.last, before.end) == (date(2026, 3, 22), date(2026, 3, 28), period.start)
    assert before.end - before.start == 7 * 24 * HOUR != period.end - period.start


def test_moments_are_half_open_and_their_period_before_is_as_long():
    period = asked("2026-11-01T10:00:00Z", "2026-11-01T16:30:00+01:00")
    assert period.end - period.start == 5.5 * HOUR
    assert period.before().end == period.start
    assert period.before().end - period.before().start == 5.5 * HOUR


@pytest.mark.parametrize(
    ("first", "last", "word"),
    [
        ("2026-02-01", "2026-01-31", "before it begins"),
        ("2026-11-23", "2026-11-24", "not begun"),
        ("2026-11-01", "2026-11-24", "in the future"),
        ("2025-11-21", "2026-11-22", "more than 366 days"),
        ("2011-01-01", "2011-02-01", "out of reach"),
        ("2026-11-01", "tomorrow", "is no day"),
        ("", "2026-11-01", "missing: from"),
    ],
)
def test_what_is_wrong_is_said_with_what_is_allowed(first, last, word):
    with pytest.raises(BadPeriod, match=word) as refused:
        asked(first, last, now="2026-11-22T12:00:00+00:00")
    assert str(refused.value).endswith("none in the future.")


def test_today_is_the_accounts_today():
    now = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    lasts = {
        zone: periods.parse({"period": "7d"}, tz=zoneinfo.ZoneInfo(zone), now=now).last
        for zone in ("Europe/Berlin", "America/New_York")
    }
    assert lasts == {"Europe/Berlin": date(2026, 11, 23), "America/New_York": date(2026, 11, 22)}
