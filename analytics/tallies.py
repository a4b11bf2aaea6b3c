"""Everything that is counted, for some stretches of time at once: one pass over the escalations, whoever needs it.

The buckets of a period and of the one before are stretches; a period's counts are the sums of its buckets'.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import Count, DateTimeField, F, Func, IntegerField, Min, Q, Sum, Value

from analytics.figures import RATES, Moment, Rate, waiting
from analytics.models import HandoffFact
from resolutionflow.accounts.models import Account

USES = ("uses", "uses_unchanged", "uses_with_outcome", "uses_worked")


@dataclass(frozen=True)
class Tally:
    """Counts by `figure:part`, and since when the oldest that waits does."""

    counts: dict[str, int]
    oldest: datetime | None = None

    def __getitem__(self, name: str) -> int:
        return self.counts.get(name, 0)


def of(account: Account, edges: Sequence[datetime], moment: Moment) -> list[Tally]:
    """A tally for each stretch from one edge to the next, the later edge excluded."""
    aggregates, columns = _wanted(moment)
    starts = Value(list(edges), output_field=ArrayField(DateTimeField()))
    rows: Any = (
        HandoffFact.objects.for_account(account)
        .filter(escalated_at__gte=edges[0], escalated_at__lt=edges[-1])
        .order_by()
        .annotate(stretch=Func(F("escalated_at"), starts, function="width_bucket", output_field=IntegerField()))
        .values("stretch")
        .annotate(**aggregates, oldest=Min("escalated_at", filter=waiting(moment)))
    )
    found = {row["stretch"]: _tally(row, columns) for row in rows}
    return [found.get(number, Tally({})) for number in range(1, len(edges))]


def together(tallies: Iterable[Tally]) -> Tally:
    """Their sum."""
    counts: dict[str, int] = {}
    oldest: datetime | None = None
    for tally in tallies:
        for name, n in tally.counts.items():
            counts[name] = counts.get(name, 0) + n
        if tally.oldest and (oldest is None or tally.oldest < oldest):
            oldest = tally.oldest
    return Tally(counts, oldest)


def _tally(row: dict[str, Any], columns: dict[str, str]) -> Tally:
    return Tally({name: row[column] or 0 for name, column in columns.items()}, row["oldest"])


def _wanted(moment: Moment) -> tuple[dict[str, Any], dict[str, str]]:
    """The aggregates by column, and the column of each `figure:part`. What two figures share is counted once."""
    aggregates: dict[str, Any] = {f"sum_{name}": Sum(name, filter=Q(has_steps=True)) for name in USES}
    columns = {name: f"sum_{name}" for name in USES}
    conditions: dict[Q, str] = {}
    for figure in RATES:
        for part, condition in _conditions(figure, moment).items():
            if isinstance(condition, str):
                aggregates[f"sum_{condition}"] = Sum(condition)
                columns[f"{figure.name}:{part}"] = f"sum_{condition}"
                continue
            column = conditions.setdefault(condition, f"n_{len(conditions)}")
            aggregates[column] = Count("handoff_id", filter=condition) if condition else Count("handoff_id")
            columns[f"{figure.name}:{part}"] = column
    return aggregates, columns


def _conditions(figure: Rate, moment: Moment) -> dict[str, Q | str]:
    """The parts of a figure: a condition, or the number of each handoff that is summed up.

    The refused attempts have rows of their own; their numerator is counted there.
    """
    parts: dict[str, Q | str] = {"numerator": "idle_releases", "denominator": "pickups"}
    if figure.unit == "handoffs":
        parts = {"numerator": figure.numerator(moment), "denominator": figure.denominator(moment)}
    others = {**figure.excluded, **figure.also}
    return parts | {name: condition(moment) for name, condition in others.items()}
