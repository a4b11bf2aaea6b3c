"""Tables as CSV, a portion at a time, so that a year of a large account needs no more memory than a day."""

import csv
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import datetime, tzinfo
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

from analytics.breakdowns import TrendRow
from analytics.lists import Rows, in_portions
from analytics.models import HandoffFact, PickupFact
from escalations.live.flow import Flow
from escalations.models import RefusedPickup

ROWS_AT_ONCE = 1_000
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
TREND = ("from", "to", "so far", "escalations", "picked up", "acted", "conversion", "median wait (s)")
HANDOFFS = (
    *("escalation", "title", "client", "ticket", "escalated at", "escalated by", "state", "pickups"),
    *("time to pickup (s)", "time to first action (s)", "time to resolution (s)", "hands-on (s)"),
)
PICKUPS = (
    *("escalation", "title", "client", "ticket", "escalated at", "escalated by", "picked up by", "picked up at"),
    *("ended at", "put back", "time to first action (s)", "time to resolution (s)"),
)
ATTEMPTS = ("escalation", "title", "client", "ticket", "refused at", "refused", "held by")


def trend(rows: Iterable[TrendRow], tz: tzinfo) -> Iterator[list[Any]]:
    """The table behind the chart, with its header."""
    yield list(TREND)
    for row in rows:
        bucket = row.bucket
        span = (_moment(bucket.start, tz), _moment(bucket.end, tz), "yes" if bucket.partial else "")
        counts = (row.escalations, row.denominator, row.numerator)
        yield [*span, *counts, _rounded(row.value, 4), _rounded(row.median_wait)]


def portions(found: Rows, tz: tzinfo) -> Iterator[list[list[Any]]]:
    """The rows of a list in portions, the header first."""
    kind: dict[Any, tuple[tuple[str, ...], Callable[[Any, tzinfo], list[Any]]]]
    kind = {HandoffFact: (HANDOFFS, _handoff), PickupFact: (PICKUPS, _pickup), RefusedPickup: (ATTEMPTS, _attempt)}
    header, line = kind[found.model]
    yield [list(header)]
    for portion in in_portions(found, ROWS_AT_ONCE):
        yield [line(row, tz) for row in portion]


def answer(request: HttpRequest, written: Iterator[list[list[Any]]], name: str) -> StreamingHttpResponse:
    """A download that is written while it is read, and no faster than that."""
    texts = map(_text, written)
    body = _flowing(request, texts) if isinstance(request, ASGIRequest) else texts
    response = StreamingHttpResponse(body, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response.headers["X-Accel-Buffering"] = "no"
    return response


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


def _handoff(fact: HandoffFact, tz: tzinfo) -> list[Any]:
    times = (fact.pickup_seconds, fact.action_seconds, fact.resolution_seconds, fact.hands_on_seconds)
    who = (_moment(fact.escalated_at, tz), fact.escalated_by.name, fact.get_state_display(), fact.pickups)
    return [*_session(fact.handoff), *who, *map(_rounded, times)]


def _pickup(held: PickupFact, tz: tzinfo) -> list[Any]:
    fact = held.handoff
    who = (_moment(fact.escalated_at, tz), fact.escalated_by.name, held.picker.name, _moment(held.picked_up_at, tz))
    ending = (_moment(held.ended_at, tz), "yes" if held.was_released else "")
    return [*_session(fact.handoff), *who, *ending, _rounded(held.action_seconds), _rounded(held.hands_on_seconds)]


def _attempt(refused: RefusedPickup, tz: tzinfo) -> list[Any]:
    return [*_session(refused.handoff), _moment(refused.at, tz), refused.by.name, refused.held_by.name]


def _session(handoff: Any) -> list[Any]:
    session = handoff.session
    return [str(handoff.pk), session.title, session.client_name, session.ticket_ref]


def _moment(moment: datetime | None, tz: tzinfo) -> str:
    return moment.astimezone(tz).isoformat(timespec="seconds") if moment else ""


def _rounded(number: float | None, digits: int = 0) -> float | int | str:
    if number is None:
        return ""
    return round(number, digits) if digits else round(number)
