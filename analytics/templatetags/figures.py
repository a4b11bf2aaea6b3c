"""Numbers as people read them. All rounding happens here."""

from django import template

register = template.Library()

DASH = "–"
THIN = "\u00a0"  # a number and its unit stay on one line
UNITS = ((86_400, "days"), (3600, "h"), (60, "min"), (1, "s"))


@register.filter
def percent(value: float | None) -> str:
    """`78 %`; a dash where there is nothing to divide by. Only 0 and 1 are shown as 0 and 100."""
    if value is None:
        return DASH
    rounded = round(value * 100)
    if rounded in (0, 100) and value not in (0, 1):
        rounded = 1 if rounded == 0 else 99
    return f"{rounded}{THIN}%"


@register.filter
def share(parts: tuple[int, int]) -> float | None:
    """(numerator, denominator) → the rate."""
    return parts[0] / parts[1] if parts[1] else None


@register.filter
def per(value: float | None) -> str:
    """`0.25`, for what may be more than one for each."""
    return DASH if value is None else f"{value:.2f}"


@register.filter
def parts_of(seconds: float | None) -> list[tuple[int, str]]:
    """The two largest units, as (number, unit): 250 → [(4, "min"), (10, "s")]."""
    if seconds is None:
        return []
    left = round(seconds)
    for place, (size, unit) in enumerate(UNITS):
        if left >= size:
            found = [(left // size, _one(unit, left // size))]
            rest = left % size
            if place + 1 < len(UNITS) and rest >= UNITS[place + 1][0]:
                found.append((rest // UNITS[place + 1][0], UNITS[place + 1][1]))
            return found
    return [(0, "s")]


def _one(unit: str, number: int) -> str:
    return "day" if unit == "days" and number == 1 else unit


@register.filter
def span(seconds: float | None) -> str:
    """`4 min 10 s`; a dash where there is none."""
    return " ".join(f"{number}{THIN}{unit}" for number, unit in parts_of(seconds)) or DASH


@register.filter
def points(change: float | None) -> str:
    """`+6 points`: how far two rates are apart."""
    if change is None:
        return ""
    rounded = round(change * 100)
    return (
        f"{'+' if rounded > 0 else '−' if rounded < 0 else '±'}{abs(rounded)} point{'' if abs(rounded) == 1 else 's'}"
    )


@register.filter
def counted(change: int) -> str:
    """`+6`, `−3`, `±0`."""
    return f"{'+' if change > 0 else '−' if change < 0 else '±'}{abs(change):,}"
