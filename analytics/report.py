"""All figures of one account and period, as of one moment and from one snapshot of the database."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Min

from analytics import breakdowns, facts, metrics
from analytics.breakdowns import TrendRow, Work
from analytics.metrics import Measured, Timed
from analytics.periods import Period
from escalations.models import Handoff
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
        as_of = metrics.now()
        return Report(
            account,
            period,
            as_of,
            figures_of(account, period, as_of),
            breakdowns.trend(account, period, as_of=as_of),
            figures_of(account, period.before(), as_of),
        )


def for_people(account: Account, period: Period) -> Report:
    """What the page shows: more by hour and by person, and of the period before only counts and rates."""
    facts.catch_up(account)
    with metrics.one_moment():
        as_of = metrics.now()
        return Report(
            account,
            period,
            as_of,
            figures_of(account, period, as_of),
            breakdowns.trend(account, period, as_of=as_of),
            Figures(metrics.rates(account, period.before(), as_of=as_of), {}, None),
            breakdowns.trend(account, period.before(), as_of=as_of),
            breakdowns.load(account, period),
            breakdowns.people(account, period),
        )


def figures_of(account: Account, period: Period, as_of: datetime) -> Figures:
    waiting = metrics.cohort(account, period).filter(state=Handoff.State.WAITING)
    return Figures(
        metrics.rates(account, period, as_of=as_of),
        metrics.durations(account, period, as_of=as_of),
        waiting.aggregate(since=Min("escalated_at"))["since"],
    )
