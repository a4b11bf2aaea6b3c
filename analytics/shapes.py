"""What the API answers: counts as integers, rates between 0 and 1, durations in seconds, `null` where there is none."""

from datetime import datetime
from typing import Any, NotRequired

from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from analytics.breakdowns import TrendRow
from analytics.metrics import LEVELS, Measured, Timed
from analytics.periods import Period
from analytics.report import Figures, Report
from analytics.survival import Curve


class ReportAsked(BaseModel):
    """The query. A day is whole and counts in the account's time zone; a moment with its offset is half-open."""

    period: str | None = Field(None, description="7d, 30d (the default) or 90d: the days up to today.")
    from_: str | None = Field(None, alias="from", description="The first day, such as 2026-10-24; then `to` as well.")
    to: str | None = Field(None, description="The last day, at most 366 days in all and none in the future.")


Span = TypedDict("Span", {"from": datetime, "to": datetime})


class Share(TypedDict):
    value: float | None
    numerator: int
    denominator: int


class RateShape(Share):
    """`excluded` are the escalations of the period that the denominator leaves out, by reason."""

    excluded: dict[str, int]
    definition: str


class EscalationsShape(RateShape):
    waiting: int
    oldest_waiting_seconds: float | None


class ConversionShape(RateShape):
    n_immature: int


class AvailabilityShape(RateShape):
    within_budget: RateShape
    unavailable: dict[str, int]


class StepUseShape(RateShape):
    sent_unchanged: Share
    step_worked: Share


class IncludingWaiting(TypedDict):
    """Kaplan–Meier. Where the curve does not reach a level it is null, and `at_least` holds its lower bound."""

    p50: float | None
    p90: float | None
    p95: float | None
    at_least: dict[str, float]
    n: int
    n_not_picked_up: int


class DurationShape(TypedDict):
    """Percentiles need n ≥ 3 (p50), 10 (p90) and 20 (p95), else they are null."""

    p50: float | None
    p90: float | None
    p95: float | None
    avg: float | None
    n: int
    excluded: dict[str, int]
    definition: str


class PickupTimeShape(DurationShape):
    including_waiting: IncludingWaiting


class ResolutionTimeShape(DurationShape):
    hands_on: DurationShape


class FiguresShape(TypedDict):
    escalations: EscalationsShape
    pickup_rate: RateShape
    conversion_rate: ConversionShape
    end_to_end_conversion: RateShape
    time_to_pickup: PickupTimeShape
    time_to_first_action: DurationShape
    time_to_resolution: ResolutionTimeShape
    re_escalation_rate: RateShape
    release_rate: RateShape
    refused_pickups: RateShape
    assessment_availability: AvailabilityShape
    step_use: StepUseShape


TrendShape = TypedDict(
    "TrendShape",
    {
        "from": datetime,
        "to": datetime,
        "partial": bool,
        "numerator": int,
        "denominator": int,
        "value": float | None,
        "escalations": int,
        "median_wait": NotRequired[float | None],
    },
)


class PreviousShape(TypedDict):
    period: Span
    figures: FiguresShape


class ReportShape(TypedDict):
    as_of: datetime
    tz: str
    period: Span
    figures: FiguresShape
    trend: list[TrendShape]
    previous: PreviousShape


def report(told: Report) -> dict[str, Any]:
    """A `ReportShape`."""
    return {
        "as_of": told.as_of,
        "tz": told.account.time_zone,
        "period": _span(told.period),
        "figures": figures(told.figures, told.as_of),
        "trend": [_trend(row) for row in told.trend],
        "previous": {"period": _span(told.period.before()), "figures": figures(told.previous, told.as_of)},
    }


def figures(told: Figures, as_of: datetime) -> dict[str, Any]:
    """A `FiguresShape`."""
    found: dict[str, Any] = {name: rate(measured) for name, measured in told.rates.items() if name != "within_budget"}
    found |= {name: _duration(timed) for name, timed in told.durations.items() if name != "hands_on"}
    found["time_to_resolution"]["hands_on"] = _duration(told.durations["hands_on"])
    waited = (as_of - told.oldest).total_seconds() if told.oldest else None
    found["escalations"]["oldest_waiting_seconds"] = waited
    return found


def rate(told: Measured) -> dict[str, Any]:
    share = {"value": told.value, "numerator": told.numerator, "denominator": told.denominator}
    return {**share, "excluded": told.excluded, "definition": told.figure.definition, **_more(told)}


def _more(told: Measured) -> dict[str, Any]:
    if "within_budget" in told.more:
        return {"within_budget": rate(told.more["within_budget"]), "unavailable": told.more["reasons"]}
    if "sent_unchanged" in told.more:
        return {name: _share(*parts) for name, parts in told.more.items()}
    return {"n_immature": told.more["immature"]} if "immature" in told.more else told.more


def _share(numerator: int, denominator: int) -> Share:
    value = numerator / denominator if denominator else None
    return {"value": value, "numerator": numerator, "denominator": denominator}


def _duration(told: Timed) -> dict[str, Any]:
    shape = {
        **{f"p{level}": told.percentiles[level] for level in LEVELS},
        "avg": told.avg,
        "n": told.n,
        "excluded": told.excluded,
        "definition": told.figure.definition,
    }
    return shape | {"including_waiting": _curve(told.including_waiting)} if told.including_waiting else shape


def _curve(curve: Curve) -> dict[str, Any]:
    return {
        **{f"p{level}": curve.percentiles[level] for level in LEVELS},
        "at_least": {f"p{level}": bound for level, bound in curve.at_least.items() if bound is not None},
        "n": curve.n,
        "n_not_picked_up": curve.censored,
    }


def _span(period: Period) -> dict[str, datetime]:
    return {"from": period.start, "to": period.end}


def _trend(row: TrendRow) -> dict[str, Any]:
    return {
        "from": row.bucket.start,
        "to": row.bucket.end,
        "partial": row.bucket.partial,
        **_share(row.numerator, row.denominator),
        "escalations": row.escalations,
        "median_wait": row.median_wait,
    }
