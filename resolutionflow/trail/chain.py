"""Append to the trail. Each account has a chain of its own, the installation one more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection
from psycopg.types.json import Jsonb

from resolutionflow import walls
from resolutionflow.trail.kinds import KINDS

if TYPE_CHECKING:  # an app's package is imported before there may be models
    from resolutionflow.accounts.models import Account, User

ABOUT_LENGTH = 200

# Place, time and hash are the database's: `models.CHAIN_ON` sees to them whoever inserts.
APPEND = """
    INSERT INTO trail_entry (account_id, kind, actor_id, actor_name, about, details)
    VALUES (%s, %s, %s, %s, %s, %s)
"""


def record(
    kind: str, *, account: Account | None, by: User | None, about: str = "", **details: str | int | bool | None
) -> None:
    """One entry in the account's chain (None: the installation's), in the caller's transaction.

    `about` names a thing, such as `handoff 3f0c…`; neither it nor the details hold a secret or a client's text. The
    chain stays locked until the commit, so this is a transaction's last statement, after `feed.append`. Raises
    ValueError for a kind that `kinds.py` does not know.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of entry; add it to resolutionflow/trail/kinds.py and docs/trail.md")
    actor = (by.pk, by.name) if by else (None, "")
    told: list[Any] = [account.pk if account else None, kind, *actor, about[:ABOUT_LENGTH], Jsonb(details)]
    # The installation's chain is nobody's.
    with walls.within(account.pk) if account else walls.everywhere(), connection.cursor() as cursor:
        cursor.execute(APPEND, told)
