"""The product, `manage.py serve`, which also obeys a benchmark's orders: `python -m tests.bench.serve_with_trigger`.

`--plain` leaves the wire out (`escalations.live.wire`), so that frames go through Daphne's own `send`.
"""

import asyncio
import os
import sys
from typing import Any


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resolutionflow.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from escalations.live import transport, wire
    from tests.bench import trigger

    if "--plain" in sys.argv:
        wire.of = lambda send, on_room: None
    trigger.listen(transport.publish, lambda order: sleep_in_the_database(transport._serving_loop, **order))
    call_command("serve", "--no-worker")


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
