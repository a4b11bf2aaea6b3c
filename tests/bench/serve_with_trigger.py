"""The product, `manage.py serve`, which also obeys a benchmark's orders: `python -m tests.bench.serve_with_trigger`.

`--plain` leaves the wire out (`escalations.live.wire`), so that frames go through Daphne's own `send`; `--rendered`
renders every card of every page from its template; `--uvicorn` serves from uvicorn. `/bench/trivial/` is a page that
does nothing.
"""

import asyncio
import os
import sys
import time
from typing import Any


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resolutionflow.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from escalations.live import cards, transport, wire
    from tests.bench import trigger

    settings.ROOT_URLCONF = "tests.bench.urls"
    if "--plain" in sys.argv:
        wire.of = lambda send, on_room: None
    if "--rendered" in sys.argv:
        cards.of_account = render_cards
    marks = mark_stages()

    def obey(order: dict[str, Any]) -> Any:
        if "seconds" in order:
            return sleep_in_the_database(transport._serving_loop, **order)
        return marks

    trigger.listen(transport.publish, obey)
    if "--uvicorn" in sys.argv:
        serve_from_uvicorn(settings.PORT)
    else:
        call_command("serve", "--no-worker")


def serve_from_uvicorn(port: int) -> None:
    import uvicorn

    from resolutionflow.asgi import application

    uvicorn.run(
        application, port=port, loop="uvloop", lifespan="off", ws_per_message_deflate=False, log_level="warning"
    )


def mark_stages() -> list[tuple[float, float, float]]:
    """For each event: when its announcement began, when its frame was published, when the hub handed it on."""
    from escalations.live import announce, hub, transport

    marks: list[tuple[float, float, float]] = []
    current: list[float] = []
    tell, publish, broadcast = announce.handoff, transport.publish, hub.Topic.broadcast

    def marked_tell(event: Any) -> None:
        current[:] = [time.perf_counter()]
        tell(event)

    def marked_publish(group: str, frame: dict[str, Any]) -> None:
        current.append(time.perf_counter())
        publish(group, frame)

    def marked_broadcast(topic: Any, text: str, cursor: int | None) -> None:
        if len(current) == 2:
            marks.append((*current, time.perf_counter()))
            current.clear()
        broadcast(topic, text, cursor)

    announce.handoff, announce.transport.publish, hub.Topic.broadcast = marked_tell, marked_publish, marked_broadcast
    return marks


def render_cards(account: Any, *, base: int, at: int | None = None) -> list[Any]:
    """What a page without the cache would do: one query, and a template for each card."""
    from django.template.loader import render_to_string
    from django.utils import timezone

    from escalations.models import Handoff

    now = timezone.now()
    waiting = Handoff.objects.for_account(account).filter(state="waiting").for_card().defer("snapshot")
    return [
        render_to_string(
            "escalations/_card.html", {"handoff": handoff, "assessment_state": handoff.assessment.state_at(now)}
        )
        for handoff in waiting.order_by("created_at", "id")
    ]


def sleep_in_the_database(loop: asyncio.AbstractEventLoop, *, seconds: float) -> None:
    """Start a slow query the way a consumer would; do not wait for it."""
    from channels.db import database_sync_to_async

    asyncio.run_coroutine_threadsafe(database_sync_to_async(_sleep)(seconds), loop)


def _sleep(seconds: float) -> Any:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [seconds])


if __name__ == "__main__":
    main()
