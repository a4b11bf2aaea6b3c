"""Whether this installation can do its work at the moment."""

import asyncio

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import DatabaseError, connection

WORKER_SILENT_SECONDS = 60


def what_is_not_ready() -> dict[str, str]:
    """Each part that does not answer, and why; empty when all is well."""
    checks = {"database": _database, "channel_layer": _channel_layer, "worker": _worker}
    found: dict[str, str] = {}
    for part, check in checks.items():
        if "database" in found and part == "worker":
            continue  # it is asked through the database
        if why := check():
            found[part] = why
    return found


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return f"does not answer: {str(error).splitlines()[0][:200]}" if str(error) else "does not answer"
    return ""


def _channel_layer() -> str:
    async def send() -> None:
        async with asyncio.timeout(2):
            await get_channel_layer().group_send("readiness", {"type": "readiness"})

    try:
        async_to_sync(send)()
    except Exception as error:
        return f"does not answer: {type(error).__name__}"
    return ""


def _worker() -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => %s)",
            [WORKER_SILENT_SECONDS],
        )
        (alive,) = cursor.fetchone()
    return "" if alive else f"none has been heard of for {WORKER_SILENT_SECONDS} s"
