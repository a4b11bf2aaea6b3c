"""Tables as CSV, a portion at a time, so that a year of a large account needs no more memory than a day."""

import csv
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime, tzinfo
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

from analytics.breakdowns import TrendRow
from analytics.lists import Rows, in_portions
from analytics.models import HandoffFact, PickupFact
from escalations.live.flow import Flow
from resolutionflow import walls

ROWS_AT_ONCE = 1_000
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
TREND = ("from", "to", "so far", "escalations", "picked up", "acted", "conversion", "median wait (s)")
# Each kind of row: the headings of its columns, and where their values are.
SESSION = {"title": "title", "client": "client_name", "ticket": "ticket_ref"}
HANDOFFS = {
    "escalation": "handoff",
    **{heading: f"handoff__session__{name}" for heading, name in SESSION.items()},
    **{"escalated at": "escalated_at", "escalated by": "escalated_by__name", "state": "state", "pickups": "pickups"},
    **{"time to pickup (s)": "pickup_seconds", "time to first action (s)": "action_seconds"},
    **{"time to resolution (s)": "resolution_seconds", "hands-on (s)": "hands_on_seconds"},
}
PICKUPS = {
    "escalation": "handoff",
    **{heading: f"handoff__handoff__session__{name}" for heading, name in SESSION.items()},
    **{"escalated at": "escalated_at", "escalated by": "handoff__escalated_by__name"},
    **{"picked up by": "picker__name", "picked up at": "picked_up_at", "ended at": "ended_at"},
    **{"put back": "was_released", "time to first action (s)": "action_seconds"},
    "time to resolution (s)": "hands_on_seconds",
}
ATTEMPTS = {
    "escalation": "handoff",
    **{heading: f"handoff__session__{name}" for heading, name in SESSION.items()},
    **{"refused at": "at", "refused": "by__name", "held by": "held_by__name"},
}


def trend(rows: Iterable[TrendRow], tz: tzinfo) -> Iterator[list[Any]]:
    """The table behind the chart, with its header."""
    yield list(TREND)
    for row in rows:
        bucket = row.bucket
        span = (_moment(bucket.start, tz), _moment(bucket.end, tz), "yes" if bucket.partial else "")
        counts = (row.escalations, row.denominator, row.numerator)
        yield [*span, *counts, _rounded(row.value, 4), _rounded(row.median_wait)]


def portions(found: Rows, tz: tzinfo) -> Iterator[list[list[Any]]]:
    """The rows of a list in portions, the headings first."""
    columns = {HandoffFact: HANDOFFS, PickupFact: PICKUPS}.get(found.model, ATTEMPTS)
    yield [list(columns)]
    for portion in in_portions(found, ROWS_AT_ONCE, columns.values()):
        yield [[_cell(row[name], tz) for name in columns.values()] for row in portion]


def answer(request: HttpRequest, written: Iterator[list[list[Any]]], name: str) -> StreamingHttpResponse:
    """A download that is written while it is read, and no faster than that."""
    texts = _of_the_asker(map(_text, written))
    body = _flowing(request, texts) if isinstance(request, ASGIRequest) else texts
    response = StreamingHttpResponse(body, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _of_the_asker(texts: Iterator[str]) -> Iterator[str]:
    """Written after the request's end, and still about the rows that the request was about."""
    scope = walls.current()

    def one() -> str | None:
        with walls.being(scope):
            return _next(texts)

    return iter(one, None)


async def _flowing(request: ASGIRequest, texts: Iterator[str]) -> AsyncIterator[str]:
    flow = Flow(request.scope.get("server_send"))
    try:
        while (text := await sync_to_async(_next)(texts)) is not None:
            yield text
            await flow.has_room()
    finally:
        flow.end()


def _next(texts: Iterator[str]) -> str | None:
    return next(texts, None)


class _Line:
    """Gives back what csv writes."""

    def write(self, text: str) -> str:
        return text


def _text(rows: list[list[Any]]) -> str:
    writer = csv.writer(_Line())
    return "".join(writer.writerow([_safe(cell) for cell in row]) for row in rows)


def _safe(cell: Any) -> Any:
    """A spreadsheet would run a text that begins like a formula; behind an apostrophe it is a text."""
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip(" ").startswith(FORMULAS) else cell


def _cell(value: Any, tz: tzinfo) -> Any:
    if isinstance(value, datetime):
        return _moment(value, tz)
    if isinstance(value, float):
        return round(value)
    if isinstance(value, bool):
        return "yes" if value else ""
    return "" if value is None else value


def _moment(moment: datetime, tz: tzinfo) -> str:
    return moment.astimezone(tz).isoformat(timespec="seconds")


def _rounded(number: float | None, digits: int = 0) -> float | int | str:
    if number is None:
        return ""
    return round(number, digits) if digits else round(number)
