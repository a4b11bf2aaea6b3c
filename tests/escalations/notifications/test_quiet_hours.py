"""Quiet hours: over midnight, and over every kind of change of the clock."""

from datetime import UTC, datetime, time

import pytest

from escalations.models import NotificationPreference
from escalations.notifications import quiet_hours


def are_on(start: str, end: str, zone: str, at: str) -> bool:
    """`at` is UTC."""
    hours = NotificationPreference(
        quiet_from=time.fromisoformat(start), quiet_until=time.fromisoformat(end), time_zone=zone
    )
    return quiet_hours.are_on(hours, datetime.fromisoformat(at).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("at", "quiet"),
    [
        ("2026-11-27 20:59", False),
        ("2026-11-27 21:00", True),  # 22:00 in Berlin
        ("2026-11-27 23:30", True),
        ("2026-11-28 05:59:59", True),
        ("2026-11-28 06:00", False),  # 07:00: the end is not part of it
        ("2026-11-28 12:00", False),
    ],
)
def test_they_go_over_midnight_in_ones_own_zone(at, quiet):
    assert are_on("22:00", "07:00", "Europe/Berlin", at) is quiet


def test_they_may_stand_within_a_day():
    assert [are_on("12:00", "13:00", "Asia/Kathmandu", f"2026-11-27 {at}") for at in ("06:14", "06:15", "07:15")] == [
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("start", "end", "zone", "at", "quiet"),
    [
        # Berlin skips 02:00 to 03:00 at 01:00 UTC on 29 March 2026
        ("22:00", "02:30", "Europe/Berlin", "2026-03-29 00:59", True),
        ("22:00", "02:30", "Europe/Berlin", "2026-03-29 01:00", False),  # 03:00, and 02:30 is over
        ("02:30", "06:00", "Europe/Berlin", "2026-03-29 00:59", False),
        ("02:30", "06:00", "Europe/Berlin", "2026-03-29 01:00", True),
        ("22:00", "07:00", "Europe/Berlin", "2026-03-29 04:59", True),
        ("22:00", "07:00", "Europe/Berlin", "2026-03-29 05:00", False),  # 07:00 of the summer
        # and shows 02:00 to 03:00 twice on 25 October 2026, from 00:00 and from 01:00 UTC
        ("22:00", "02:30", "Europe/Berlin", "2026-10-25 00:45", True),  # not interrupted between the two
        ("22:00", "02:30", "Europe/Berlin", "2026-10-25 01:29", True),
        ("22:00", "02:30", "Europe/Berlin", "2026-10-25 01:30", False),
        ("02:30", "06:00", "Europe/Berlin", "2026-10-25 00:29", False),
        ("02:30", "06:00", "Europe/Berlin", "2026-10-25 00:30", True),
        ("02:30", "06:00", "Europe/Berlin", "2026-10-25 01:10", True),
        # Lord Howe goes back by half an hour: 01:30 to 02:00 twice, from 14:30 and from 15:00 UTC on 4 April 2026
        ("23:00", "01:45", "Australia/Lord_Howe", "2026-04-04 14:50", True),
        ("23:00", "01:45", "Australia/Lord_Howe", "2026-04-04 15:14", True),
        ("23:00", "01:45", "Australia/Lord_Howe", "2026-04-04 15:15", False),
        # New York skips 02:00 to 03:00 at 07:00 UTC on 8 March 2026
        ("01:00", "02:15", "America/New_York", "2026-03-08 06:59", True),
        ("01:00", "02:15", "America/New_York", "2026-03-08 07:00", False),
        # Apia had no 30 December 2011: after the 29th, which ended at 10:00 UTC on the 30th, came the 31st
        ("22:00", "07:00", "Pacific/Apia", "2011-12-30 09:59", True),
        ("22:00", "07:00", "Pacific/Apia", "2011-12-30 16:59", True),
        ("22:00", "07:00", "Pacific/Apia", "2011-12-30 17:00", False),
    ],
)
def test_they_follow_the_clock_where_it_is_changed(start, end, zone, at, quiet):
    assert are_on(start, end, zone, at) is quiet


def test_without_any_nothing_is_quiet():
    assert quiet_hours.stretches(NotificationPreference(time_zone="UTC"), datetime.now(UTC)) == []
