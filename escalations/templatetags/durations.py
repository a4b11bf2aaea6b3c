"""How long ago, in the words that `static/js/clock.js` uses too."""

import math
from datetime import datetime

from django import template
from django.utils import timezone

register = template.Library()


@register.filter
def ago(moment: datetime | None) -> str:
    """`4 s`, `26 min`, `1 h 04 min`, `3 days`: the time from `moment` to now."""
    return in_words(max(0, int((timezone.now() - moment).total_seconds()))) if moment else ""


@register.filter
def left(moment: datetime | None) -> str:
    """`2 minutes`, `45 seconds`: the time from now to `moment`, rather too long than too short."""
    seconds = max(0, math.ceil((moment - timezone.now()).total_seconds())) if moment else 0
    n, unit = (math.ceil(seconds / 60), "minute") if seconds > 60 else (seconds, "second")
    return f"{n} {unit}" if n == 1 else f"{n} {unit}s"


def in_words(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 48 * 3600:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02} min"
    return f"{seconds // 86400} days"
