"""The trail as JSON lines."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from resolutionflow.accounts.models import Account
from resolutionflow.trail.models import Entry

ROWS_AT_ONCE = 2_000


def lines(account: Account | None = None, *, since: datetime | None = None) -> Iterator[str]:
    """One line an entry: an account's in their order, or everybody's, each chain after the other."""
    entries = Entry.objects.select_related("account").order_by("chain", "seq")
    if account:
        entries = entries.filter(account=account)
    if since:
        entries = entries.filter(at__gte=since)
    for entry in entries.iterator(chunk_size=ROWS_AT_ONCE):
        yield json.dumps(shape(entry), ensure_ascii=False)


def shape(entry: Entry) -> dict[str, Any]:
    """With all that its hash is made of, so that it can be checked elsewhere."""
    return {
        "account": entry.account.slug if entry.account else None,
        "chain": str(entry.chain),
        "seq": entry.seq,
        "at": entry.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "kind": entry.kind,
        "by": {"id": str(entry.actor_id), "name": entry.actor_name} if entry.actor_id else None,
        "about": entry.about,
        "details": entry.details,
        "hash": entry.hash,
    }
