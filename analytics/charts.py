"""The trend as a drawing: coordinates for an inline SVG. The same rows stand in a table behind it."""

from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from analytics.breakdowns import TrendRow

WIDTH, HEIGHT = 960, 240
LEFT, RIGHT, TOP, BOTTOM = 62, 944, 16, 204
LABELS = 6  # at most, below
GAP = 0.28  # of a bucket's width


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    partial: bool


@dataclass(frozen=True)
class Label:
    x: float
    day: date


@dataclass(frozen=True)
class Chart:
    """`lines` and `before` are the points of each unbroken stretch; a bucket without a rate is a gap."""

    bars: list[Bar]
    lines: list[str]
    dots: list[tuple[float, float]]
    before: list[str]
    labels: list[Label]
    grid: list[tuple[float, int]]
    most: int
    partial_x: float | None

    width = WIDTH
    height = HEIGHT


def of(trend: list[TrendRow], previous: list[TrendRow]) -> Chart:
    """Bars are escalations, to the height of the largest; the line is the conversion rate from 0 to 100 %."""
    most = max((row.escalations for row in trend), default=0)
    step = (RIGHT - LEFT) / max(1, len(trend))
    middles = [LEFT + step * (place + 0.5) for place in range(len(trend))]
    return Chart(
        bars=[_bar(row, middle, step, most) for row, middle in zip(trend, middles, strict=True) if row.escalations],
        lines=_stretches(trend, middles),
        dots=_alone(trend, middles),
        before=_stretches(previous, middles),
        labels=_labels(trend, middles),
        grid=[(_height(share / 100), share) for share in (0, 25, 50, 75, 100)],
        most=most,
        partial_x=next((middle for row, middle in zip(trend, middles, strict=True) if row.bucket.partial), None),
    )


def _bar(row: TrendRow, middle: float, step: float, most: int) -> Bar:
    height = (BOTTOM - TOP) * 0.6 * row.escalations / most  # the rate's line keeps the upper part to itself
    width = step * (1 - GAP)
    return Bar(_round(middle - width / 2), _round(BOTTOM - height), _round(width), _round(height), row.bucket.partial)


def _height(share: float) -> float:
    return _round(BOTTOM - (BOTTOM - TOP) * share)


def _points(trend: list[TrendRow], middles: list[float]) -> list[tuple[float, float] | None]:
    return [
        None if row.value is None else (_round(middle), _height(row.value))
        for row, middle in zip(trend, middles, strict=False)
    ]


def _stretches(trend: list[TrendRow], middles: list[float]) -> list[str]:
    stretches: list[list[tuple[float, float]]] = [[]]
    for point in _points(trend, middles):
        if point is None:
            stretches.append([])
        else:
            stretches[-1].append(point)
    return [" ".join(f"{x},{y}" for x, y in stretch) for stretch in stretches if len(stretch) > 1]


def _alone(trend: list[TrendRow], middles: list[float]) -> list[tuple[float, float]]:
    """Rates between two gaps: no line shows them."""
    points = [None, *_points(trend, middles), None]
    around = zip(pairwise(points), pairwise(points[1:]), strict=False)
    return [point for (left, point), (_, right) in around if point and left is None and right is None]


def _labels(trend: list[TrendRow], middles: list[float]) -> list[Label]:
    every = max(1, -(-len(trend) // LABELS))
    return [Label(_round(middles[place]), trend[place].bucket.first) for place in range(0, len(trend), every)]


def _round(number: float) -> float:
    return round(number, 1)
