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
from django.db.models import Aggregate, Avg, Count, F, FloatField, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from analytics import survival
from analytics.figures import (
    DURATIONS,
    IN_BUDGET,
    MIN_N,
    RATES,
    TIME_TO_PICKUP,
    Duration,
    Moment,
    Rate,
    immature,
    waiting,
)
from analytics.models import HandoffFact, PickupFact
from analytics.periods import Period
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
    more: dict[str, Any] = field(default_factory=dict)


@contextmanager
def one_moment() -> Iterator[None]:
    """Everything that is asked inside sees the same rows, so that sums add up."""
    outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if outermost:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL work_mem = '64MB'")  # sorting a year of a large account in memory
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
    moment = moment_of(as_of)
    told = cohort(account, period).order_by().aggregate(**_counts(moment), **_beside(moment))
    told["refused_pickups:numerator"] = refusals(account, period).count()
    return {figure.name: _measured(figure, told, as_of) for figure in RATES}


def rate(figure: Rate, account: Account, period: Period, *, as_of: datetime) -> Measured:
    """One figure alone."""
    return rates(account, period, as_of=as_of)[figure.name]


def _counts(moment: Moment) -> dict[str, Aggregate]:
    counts: dict[str, Aggregate] = {}
    for figure in RATES:
        counts |= {f"{figure.name}:{part}": count for part, count in parts_of(figure, moment).items()}
    return counts


def parts_of(figure: Rate, moment: Moment) -> dict[str, Any]:
    """Numerator and denominator of a figure as aggregates over handoff facts, and what it excludes.

    The refused attempts have rows of their own; their numerator is counted there.
    """
    by_pickup = figure.unit != "handoffs"
    numerator = _total("idle_releases") if by_pickup else _number(figure.numerator(moment))
    parts = {
        "numerator": numerator,
        "denominator": _total("pickups") if by_pickup else _number(figure.denominator(moment)),
    }
    return parts | {reason: _number(condition(moment)) for reason, condition in figure.excluded.items()}


def _number(condition: Q) -> Count:
    return Count("handoff_id", filter=condition) if condition else Count("handoff_id")


def _total(name: str) -> Coalesce:
    return Coalesce(Sum(name), 0)


def _beside(moment: Moment) -> dict[str, Any]:
    """What is told beside the figures, by `name:part`."""
    unavailable = Q(first_pickup_at__isnull=False, ai_disabled=False)
    used = Q(has_steps=True)
    return {
        "escalations:waiting": _number(waiting(moment)),
        "conversion_rate:n_immature": _number(immature(moment)),
        **{
            f"assessment_availability:{state}": _number(unavailable & Q(assessed=state))
            for state in HandoffFact.Assessed.values
            if state != HandoffFact.Assessed.READY
        },
        **{
            f"step_use:{name}": Coalesce(Sum(name, filter=used), 0)
            for name in ("uses", "uses_unchanged", "uses_with_outcome", "uses_worked")
        },
    }


def _measured(figure: Rate, told: dict[str, Any], as_of: datetime) -> Measured:
    excluded = {reason: told[f"{figure.name}:{reason}"] for reason in figure.excluded}
    parts = (told[f"{figure.name}:numerator"], told[f"{figure.name}:denominator"])
    return Measured(figure, *parts, excluded, as_of, _more(figure.name, told, as_of))


def _more(name: str, told: dict[str, Any], as_of: datetime) -> dict[str, Any]:
    if name == "escalations":
        return {"waiting": told["escalations:waiting"]}
    if name == "conversion_rate":
        return {"n_immature": told["conversion_rate:n_immature"]}
    if name == "assessment_availability":
        reasons = [state for state in HandoffFact.Assessed.values if state != HandoffFact.Assessed.READY]
        return {
            "within_budget": _measured(IN_BUDGET, told, as_of),
            "reasons": {state: told[f"{name}:{state}"] for state in reasons},
        }
    if name == "step_use":
        return {
            "sent_unchanged": (told[f"{name}:uses_unchanged"], told[f"{name}:uses"]),
            "step_worked": (told[f"{name}:uses_worked"], told[f"{name}:uses_with_outcome"]),
        }
    return {}


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
