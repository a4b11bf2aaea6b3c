"""The figures of the SQL and those of the oracle, brought into one form."""

from typing import Any

import pytest

from analytics import facts, periods, report
from analytics.metrics import Measured, Timed
from analytics.periods import Period
from resolutionflow.accounts.models import Account
from tests.oracle import oracle
from tests.oracle.history import History


def period_of(history: History) -> Period:
    asked = {"from": history.first.isoformat(), "to": history.last.isoformat()}
    return periods.parse(asked, tz=history.tz, now=history.as_of)


def by_sql(account: Account, history: History) -> dict[str, Any]:
    period, as_of = period_of(history), history.as_of
    facts.catch_up(account)
    told = report.of(account, period, as_of=as_of, is_page=True)
    found = told.figures
    rates, durations = found.rates, found.durations
    pickup = durations["time_to_pickup"].including_waiting
    availability, use = rates["assessment_availability"].more, rates["step_use"].more
    return {
        **{name: _rate(measured) for name, measured in rates.items()},
        "waiting": rates["escalations"].more["waiting"],
        "oldest": found.oldest,
        "n_immature": rates["conversion_rate"].more["immature"],
        "within_budget": _rate(availability["within_budget"]),
        "reasons": availability["reasons"],
        "sent_unchanged": use["sent_unchanged"],
        "step_worked": use["step_worked"],
        **{name: _duration(timed) for name, timed in durations.items()},
        "including_waiting": {
            "n": pickup.n,
            "censored": pickup.censored,
            **{f"p{level}": value for level, value in pickup.percentiles.items()},
            **{f"at_least_{level}": value for level, value in pickup.at_least.items()},
        },
        "trend": [
            (row.bucket.first, row.escalations, row.numerator, row.denominator, row.median_wait) for row in told.trend
        ],
        "load": told.load,
        "people": {
            work.person.pk: (
                *(work.escalated, work.pickups, work.acted, work.idle_releases, work.resolved),
                *(work.to_action, work.hands_on),
            )
            for work in told.people
        },
        "previous": {name: _rate(measured) for name, measured in told.previous.rates.items()},
    }


def by_oracle(history: History) -> dict[str, Any]:
    first, last = history.first, history.last
    length = last - first
    before = oracle.figures(history, first - length - oracle.timedelta(days=1), first - oracle.timedelta(days=1))
    told = oracle.figures(history, first, last)
    rates = [name for name, value in told.items() if isinstance(value, tuple) and len(value) == 3]
    return {
        **told,
        "trend": oracle.trend(history, first, last),
        "load": oracle.load(history, first, last),
        "people": oracle.people(history, first, last),
        "previous": {name: before[name] for name in rates},
    }


def _rate(measured: Measured) -> tuple[int, int, dict[str, int]]:
    return measured.numerator, measured.denominator, measured.excluded


def _duration(timed: Timed) -> dict[str, Any]:
    return {"n": timed.n, "avg": timed.avg, **{f"p{level}": value for level, value in timed.percentiles.items()}}


def differences(told: dict[str, Any], expected: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The figures in which they differ: by name, what the SQL says and what the oracle says."""
    assert told.keys() == expected.keys()
    return {name: (told[name], expected[name]) for name in told if not _alike(told[name], expected[name])}


def _alike(told: Any, expected: Any) -> bool:
    if isinstance(told, float) and isinstance(expected, (int, float)):
        return told == pytest.approx(expected, rel=1e-9, abs=1e-5)
    if isinstance(told, dict):
        return told.keys() == expected.keys() and all(_alike(told[name], expected[name]) for name in told)
    if isinstance(told, (list, tuple)):
        return len(told) == len(expected) and all(map(_alike, told, expected))
    return bool(told == expected)
