"""How long ago, in the words that `static/js/clock.js` uses too."""

from datetime import datetime

from django import template
from django.utils import timezone

register = template.Library()


@register.filter
def ago(moment: datetime | None) -> str:
    """`4 s`, `26 min`, `1 h 04 min`, `3 days`: the time from `moment` to now."""
    return in_words(max(0, int((timezone.now() - moment).total_seconds()))) if moment else ""


def in_words(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 48 * 3600:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02} min"
    return f"{seconds // 86400} days"
