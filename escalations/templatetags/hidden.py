"""Secrets that were taken out of a text, as buttons that show them to the session's holder."""

import re
from uuid import UUID

from django import template
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

PLACE = re.compile(r"\[(hidden [a-z ]{2,20}) (\d{1,6})\]")
BUTTON = (
    '<button type="submit" class="hidden-secret" form="reveal" name="number" value="{number}" hx-post="{address}"'
    ' hx-vals=\'{{"number": "{number}"}}\' hx-swap="outerHTML" title="Show it; that stands in the session">'
    "{kind} {number}</button>"
)


@register.filter
def with_hidden(text: str, session_id: UUID) -> SafeString:
    """The text, escaped, with a button for each secret that was taken out. For everybody the same: who may press it is
    up to the page and to the server."""
    address = reverse("escalations:reveal", args=[session_id])
    escaped = str(escape(text))  # brackets, letters and digits stay as they are

    def button(match: "re.Match[str]") -> str:
        return str(format_html(BUTTON, kind=match[1], number=match[2], address=address))

    return mark_safe(PLACE.sub(button, escaped))  # noqa: S308 escaped above
