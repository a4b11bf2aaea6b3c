"""Lets a fragment that knows only the assessment show its statements."""

from typing import Any

from django import template

from escalations import statements
from escalations.statements import Shown

register = template.Library()


@register.filter
def as_shown(data: dict[str, Any]) -> Shown:
    return statements.of(data)
