"""JSON as a person reads it."""

import textwrap
from collections.abc import Iterator
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

WIDTH = 110  # characters a line

# PostgreSQL keeps keys by their length; a person reads them in this order, and the others after them.
ORDER = (
    *("session", "steps", "messages"),  # of a snapshot, and of its parts:
    *("title", "client_name", "ticket_ref", "problem", "number", "kind", "author", "body"),
    *("description", "outcome", "note", "by", "at"),
    *("summary_prose", "what_we_know", "likely_cause", "suggested_steps", "confidence", "text", "warning", "sources"),
)


def readable(value: Any) -> SafeString:
    """Indented lines in a `<pre>`, escaped."""
    return format_html("<pre>{}</pre>", "\n".join(_lines(value)) or "–")


def _lines(value: Any, indent: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key in sorted(value, key=lambda key: ORDER.index(key) if key in ORDER else len(ORDER)):
            yield from _entry(f"{key.replace('_', ' ').capitalize()}: ", value[key], indent)
    elif isinstance(value, list):
        for inner in value:
            first, *others = [*_lines(inner, indent + "  ")] or [indent + "  –"]
            yield from [f"{indent}- {first[len(indent) + 2 :]}", *others]
    elif value is not None:
        yield from _wrapped(str(value), indent, indent)


def _entry(label: str, value: Any, indent: str) -> Iterator[str]:
    """`label: text` on one line where it fits; what has parts of its own stands below its label."""
    if value and isinstance(value, dict | list):
        yield indent + label.strip()
        yield from _lines(value, indent + "  ")
    else:
        yield from _wrapped("–" if value in (None, "", [], {}) else str(value), indent + label, indent + "  ")


def _wrapped(text: str, first: str, others: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines()):
        yield from textwrap.wrap(line, WIDTH, initial_indent=others if number else first, subsequent_indent=others)
