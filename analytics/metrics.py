"""The figures, computed by PostgreSQL from the facts: plain functions over (account, period).

Numbers come back as they are (counts as integers, durations in seconds, rates between 0 and 1, `None` where there is
nothing to divide by); rounding is the template's. The caller has called `facts.catch_up`, and holds one snapshot of
the database (`one_moment`) while it asks for several.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import connection, transaction
from django.db.models import Aggregate, Avg, Count, F, FloatField, QuerySet

from analytics import survival, tallies
from analytics.figures import (
    AVAILABILITY,
    DURATIONS,
    IN_BUDGET,
    MIN_N,
    RATES,
    REFUSED,
    STEP_USE,
    TIME_TO_PICKUP,
    Duration,
    Moment,
    Rate,
)
from analytics.models import HandoffFact, PickupFact
from analytics.periods import Period
from analytics.tallies import Tally
from escalations.models import RefusedPickup
from resolutionflow.accounts.models import Account

LEVELS = (50, 90, 95)


@dataclass(frozen=True)
class Measured:
    """A rate as it was measured. `more` are figures that stand beside it."""

    figure: Rate
    numerator: int
    denominator: int
    excluded: dict[str, int]
    as_of: datetime
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def value(self) -> float | None:
        if self.figure.is_count:
            return self.numerator
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True)
class Timed:
    """A duration as it was measured, in seconds. A percentile of fewer than its minimum n is None."""

    figure: Duration
    n: int
    percentiles: dict[int, float | None]
    avg: float | None
    excluded: dict[str, int]
    as_of: datetime
    including_waiting: survival.Curve | None = None

    @property
    def p50(self) -> float | None:
        return self.percentiles[50]

    @property
    def shown(self) -> list[tuple[int, float | None]]:
        """The levels that the page shows beside the median."""
        return [(level, self.percentiles[level]) for level in self.figure.levels if level != 50]


@contextmanager
def one_moment() -> Iterator[None]:
    """Everything that is asked inside sees the same rows, so that sums add up."""
    outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if outermost:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # A year of a large account is sorted in memory, and nothing here is worth compiling.
        cursor.execute("SET LOCAL work_mem = '64MB'; SET LOCAL jit = off")
        yield


def now() -> datetime:
    """The database's clock: the only one that counts."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        (moment,) = cursor.fetchone()
    return moment  # type: ignore[no-any-return]


def moment_of(as_of: datetime) -> Moment:
    return Moment(as_of, settings.ASSESSMENT_BUDGET_SECONDS)


def cohort(account: Account, period: Period) -> QuerySet[HandoffFact]:
    """The escalations of the period."""
    return HandoffFact.objects.for_account(account).filter(escalated_at__gte=period.start, escalated_at__lt=period.end)


def held(account: Account, period: Period) -> QuerySet[PickupFact]:
    """The pickups of the period's escalations, whenever they were."""
    return PickupFact.objects.for_account(account).filter(escalated_at__gte=period.start, escalated_at__lt=period.end)


def refusals(account: Account, period: Period) -> QuerySet[RefusedPickup]:
    """The refused attempts at the period's escalations."""
    return RefusedPickup.objects.for_account(account).filter(handoff__in=cohort(account, period).values("handoff"))


# Rates


def rates(account: Account, period: Period, *, as_of: datetime) -> dict[str, Measured]:
    """All rates by name, in one pass over the cohort."""
    (tally,) = tallies.of(account, [period.start, period.end], moment_of(as_of))
    return rates_of(tally, refusals(account, period).count(), as_of=as_of)


def rate(figure: Rate, account: Account, period: Period, *, as_of: datetime) -> Measured:
    """One figure alone."""
    return rates(account, period, as_of=as_of)[figure.name]


def rates_of(tally: Tally, refused: int, *, as_of: datetime) -> dict[str, Measured]:
    """All rates by name, of what was counted already."""
    counts = Tally({**tally.counts, f"{REFUSED.name}:numerator": refused})
    return {figure.name: _measured(figure, counts, as_of) for figure in RATES}


def _measured(figure: Rate, told: Tally, as_of: datetime) -> Measured:
    excluded = {reason: told[f"{figure.name}:{reason}"] for reason in figure.excluded}
    parts = (told[f"{figure.name}:numerator"], told[f"{figure.name}:denominator"])
    return Measured(figure, *parts, excluded, as_of, _more(figure, told, as_of))


def _more(figure: Rate, told: Tally, as_of: datetime) -> dict[str, Any]:
    also = {name: told[f"{figure.name}:{name}"] for name in figure.also}
    if figure.name == AVAILABILITY.name:
        return {"within_budget": _measured(IN_BUDGET, told, as_of), "reasons": also}
    if figure.name == STEP_USE.name:
        unchanged, worked = (told["uses_unchanged"], told["uses"]), (told["uses_worked"], told["uses_with_outcome"])
        return {"sent_unchanged": unchanged, "step_worked": worked}
    return also


# Durations


class Percentiles(Aggregate):
    """Some continuous percentiles at once; `percentile_disc` gives values that are there instead.

    PostgreSQL sorts once for both kinds over the same numbers.
    """

    template = "%(function)s('{%(fractions)s}'::float8[]) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = ArrayField(FloatField())

    def __init__(self, name: str, fractions: Iterable[float], function: str = "percentile_cont") -> None:
        super().__init__(F(name), fractions=",".join(map(repr, fractions)), function=function)


def durations(account: Account, period: Period, *, as_of: datetime) -> dict[str, Timed]:
    """All durations by name: one pass over the cohort for the ranks of the waiting, one for everything else."""
    ranks = survival.ranks(account, period, as_of=as_of)
    at_ranks = Percentiles(TIME_TO_PICKUP.seconds, ranks.fractions(), "percentile_disc")
    told = cohort(account, period).order_by().aggregate(**_percentiles(), waits=at_ranks, all=Count("handoff_id"))
    found = {figure.name: _timed(figure, told, as_of) for figure in DURATIONS}
    pickup = found[TIME_TO_PICKUP.name]
    found[TIME_TO_PICKUP.name] = replace(pickup, including_waiting=ranks.curve(told["waits"]))
    return found


def duration(figure: Duration, account: Account, period: Period, *, as_of: datetime) -> Timed:
    """One figure alone."""
    return durations(account, period, as_of=as_of)[figure.name]


def _percentiles() -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    for figure in DURATIONS:
        wanted[f"{figure.name}:n"] = Count(figure.seconds)
        wanted[f"{figure.name}:avg"] = Avg(figure.seconds)
        wanted[f"{figure.name}:percentiles"] = Percentiles(figure.seconds, [level / 100 for level in LEVELS])
    return wanted


def _timed(figure: Duration, told: dict[str, Any], as_of: datetime) -> Timed:
    n = told[f"{figure.name}:n"]
    values = dict(zip(LEVELS, told[f"{figure.name}:percentiles"] or [None] * len(LEVELS), strict=True))
    return Timed(
        figure,
        n,
        {level: value if n >= MIN_N[level] else None for level, value in values.items()},
        told[f"{figure.name}:avg"],
        {"without": told["all"] - n},
        as_of,
    )
