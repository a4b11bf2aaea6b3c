"""All figures of one account and period, as of one moment and from one snapshot of the database."""

from dataclasses import dataclass, field
from datetime import datetime

from analytics import breakdowns, facts, metrics, tallies
from analytics.breakdowns import TrendRow, Work
from analytics.metrics import Measured, Timed
from analytics.periods import Period
from analytics.tallies import Tally
from resolutionflow.accounts.models import Account


@dataclass(frozen=True)
class Figures:
    """Rates and durations by name. `oldest` is since when the longest waiting of the period's escalations waits."""

    rates: dict[str, Measured]
    durations: dict[str, Timed]
    oldest: datetime | None


@dataclass(frozen=True)
class Report:
    account: Account
    period: Period
    as_of: datetime
    figures: Figures
    trend: list[TrendRow]
    previous: Figures
    previous_trend: list[TrendRow] = field(default_factory=list)
    load: dict[tuple[int, int], int] = field(default_factory=dict)
    people: list[Work] = field(default_factory=list)


def for_programs(account: Account, period: Period) -> Report:
    """What the API answers."""
    facts.catch_up(account)
    with metrics.one_moment():
        return of(account, period, as_of=metrics.now(), is_page=False)


def for_people(account: Account, period: Period) -> Report:
    """What the page shows: more by hour and by person, and of the period before only counts and rates."""
    facts.catch_up(account)
    with metrics.one_moment():
        return of(account, period, as_of=metrics.now(), is_page=True)


def for_table(account: Account, period: Period) -> list[TrendRow]:
    """The trend alone."""
    facts.catch_up(account)
    with metrics.one_moment():
        return breakdowns.trend(account, period, as_of=metrics.now())


def of(account: Account, period: Period, *, as_of: datetime, is_page: bool) -> Report:
    """The facts as they are: all counts of both periods in one pass, by bucket, and the rest beside it."""
    before = period.before()
    earlier, buckets = before.buckets(as_of), period.buckets(as_of)
    edges = [*breakdowns.edges_of(earlier)[:-1], *breakdowns.edges_of(buckets)]
    told = tallies.of(account, edges, metrics.moment_of(as_of))
    past, present = told[: len(earlier)], told[len(earlier) :]
    return Report(
        account,
        period,
        as_of,
        _figures(account, period, present, as_of, with_durations=True),
        breakdowns.trend_of(buckets, present, breakdowns.medians(account, period, buckets)),
        _figures(account, before, past, as_of, with_durations=not is_page),
        breakdowns.trend_of(earlier, past, {}),
        breakdowns.load(account, period) if is_page else {},
        breakdowns.people(account, period) if is_page else [],
    )


def _figures(account: Account, period: Period, told: list[Tally], as_of: datetime, *, with_durations: bool) -> Figures:
    tally = tallies.together(told)
    refused = metrics.refusals(account, period).count()
    return Figures(
        metrics.rates_of(tally, refused, as_of=as_of),
        metrics.durations(account, period, as_of=as_of) if with_durations else {},
        tally.oldest,
    )
