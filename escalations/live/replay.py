"""The feed as server-sent events, read and written out once per process, however many streams follow it.

Streams that are up to date all ask for what comes after the same position at the same moment: one answer serves them.
"""

import asyncio
import json
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder

from escalations import shapes
from escalations.live.hub import read
from escalations.models import FeedEvent, Handoff
from resolutionflow import walls

AT_ONCE = 20  # events in one read
REMEMBERED = 32  # reads

KEEPALIVE = b": keepalive\n\n"


@dataclass(frozen=True)
class Chunk:
    """Some events in order, written out; `last` is the position of the last one, `full` says that there may be more."""

    text: bytes
    last: int
    full: bool


_remembered: OrderedDict[tuple[UUID, int], "asyncio.Task[Chunk | None]"] = OrderedDict()


def event(kind: str, data: Any, *, seq: int | None = None) -> bytes:
    """One server-sent event. The data is one line: JSON writes line breaks as escapes."""
    head = f"event: {kind}\n" if seq is None else f"id: {seq}\nevent: {kind}\n"
    line = json.dumps(data, cls=DjangoJSONEncoder, separators=(",", ":"), ensure_ascii=False)
    return f"{head}data: {line}\n\n".encode()


async def after(account_id: UUID, seq: int) -> Chunk | None:
    """The next events after position `seq`; None if there is none yet. Whoever sees event n sees 1…n: no gap."""
    key = account_id, seq
    reading = _remembered.get(key)
    if reading is None:
        reading = _remembered[key] = asyncio.create_task(_read(account_id, seq))
        if len(_remembered) > REMEMBERED:
            _remembered.popitem(last=False)
    return await asyncio.shield(reading)  # others wait for it too


def forget() -> None:
    """The feed is not the one that it was (a backup was restored)."""
    _remembered.clear()


async def _read(account_id: UUID, seq: int) -> Chunk | None:
    """Nothing, or a failure, is not remembered: whoever asks again gets a new answer."""
    chunk = None
    try:
        chunk = await read(_chunk_after, account_id, seq)
        return chunk
    finally:
        if chunk is None:
            _remembered.pop((account_id, seq), None)


def _chunk_after(account_id: UUID, seq: int) -> Chunk | None:
    """First the events, then their handoffs, which are therefore as new as the events, or newer."""
    with walls.within(account_id):
        return _written_after(account_id, seq)


def _written_after(account_id: UUID, seq: int) -> Chunk | None:
    found = FeedEvent.objects.filter(account=account_id, seq__gt=seq).order_by("seq")[:AT_ONCE]
    events = list(found.values_list("seq", "kind", "handoff_id"))
    if not events:
        return None
    handoffs = Handoff.objects.for_context().in_bulk({handoff_id for _, _, handoff_id in events})
    told = {handoff_id: shapes.handoff(handoff) for handoff_id, handoff in handoffs.items()}
    text = b"".join(event(kind, told[handoff_id], seq=seq) for seq, kind, handoff_id in events)
    return Chunk(text, last=events[-1][0], full=len(events) == AT_ONCE)
