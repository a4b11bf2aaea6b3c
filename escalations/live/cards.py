"""The queue's cards, rendered once per change and joined into lists.

A card is the same for everyone in the account. Its key is the handoff, its version, how its assessment reads at the
moment, and what else it shows that no event tells of (`Look`); 50 cards cost 8 ms to render and next to nothing to
join. An account's newest list is remembered too: at one cursor it changes only when a pending assessment's time is up,
or the account's settings change.
"""

import zlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from escalations.models import Assessment, Handoff
from escalations.notifications import titles
from resolutionflow.accounts.models import Account

REMEMBERED = 10_000  # cards of some 3 kB
ACCOUNTS_REMEMBERED = 1_000

Row = tuple[UUID, int, str, datetime, int, str, str, str]
STATE: Final = 2
DEADLINE: Final = 3
QUEUED_SEQ: Final = 4  # when it came into the queue
TIME_ZONE: Final = 5
TEMPLATE: Final = 6


class Look(NamedTuple):
    """What a card shows of its account's settings, and the name of who escalated: they change without an event."""

    time_zone: str
    ticket_url_template: str
    escalated_by: str

    @property
    def mark(self) -> str:
        """By it an open page tells that a card looks different now."""
        return f"{zlib.crc32(repr(self).encode()):x}"


@lru_cache(maxsize=REMEMBERED)
def _card(handoff_id: UUID, version: int, assessment_state: str, look: Look) -> SafeString:
    """One card's HTML; `version`, the state and the look are what make it stale."""
    handoff = Handoff.objects.for_card().defer("snapshot").get(pk=handoff_id)
    # As the key has it, whatever the row says by now: a setting may be set back.
    handoff.account.time_zone, handoff.account.ticket_url_template, handoff.created_by.name = look
    with timezone.override(handoff.account.tz):
        html = render_to_string(
            "escalations/_card.html",
            {
                "handoff": handoff,
                "assessment_state": Assessment.State(assessment_state),
                "look": look,
                "title": titles.of(handoff),
            },
        )
    return mark_safe(html)  # noqa: S308 it comes out of a template


def of_handoff(handoff_id: UUID) -> str:
    """The card as it is now; empty if the handoff does not wait any more."""
    return "".join(_cards(_rows(Handoff.objects.filter(pk=handoff_id)), timezone.now()))


def of_account(account: Account, *, base: int, at: int | None = None) -> list[SafeString]:
    """The waiting cards as a page that was first rendered at `base` shows them.

    What came into the queue after `base` stands on top, newest first; below it, oldest first, what was there. `at` is
    the cursor, read before this: what was read at it already is not read again.
    """
    waiting = _waiting(account, at)
    if not waiting.rows or base >= waiting.newest:
        return waiting.cards
    listed = list(zip(waiting.rows, waiting.cards, strict=True))
    arrived = sorted((one for one in listed if one[0][QUEUED_SEQ] > base), key=_queued, reverse=True)
    return [card for _row, card in arrived] + [card for row, card in listed if row[QUEUED_SEQ] <= base]


def _queued(listed: tuple[Row, SafeString]) -> int:
    return listed[0][QUEUED_SEQ]


@dataclass(frozen=True, slots=True)
class Waiting:
    """An account's waiting cards, oldest first, as they stood at a cursor and until a moment."""

    cursor: int | None
    until: datetime | None  # then a pending assessment reads as unavailable
    newest: int
    settings: tuple[str, str]  # of the account, as the cards show them
    rows: list[Row]
    cards: list[SafeString]


@lru_cache(maxsize=ACCOUNTS_REMEMBERED)
def _newest(account_id: UUID) -> dict[str, Waiting]:
    """Room for one list and no more: after a restored backup the feed comes by the same cursors again."""
    return {}


def _waiting(account: Account, cursor: int | None) -> Waiting:
    room = _newest(account.pk)
    known = room.get("list")
    if known is None or cursor is None or not _holds(known, account, cursor):
        known = room["list"] = _read(account, cursor)
    return known


def _holds(known: Waiting, account: Account, cursor: int) -> bool:
    """Whether the list is the one at this cursor still."""
    in_time = known.until is None or timezone.now() < known.until
    return known.cursor == cursor and in_time and known.settings == _settings(account)


def _settings(account: Account) -> tuple[str, str]:
    return account.time_zone, account.ticket_url_template


def _read(account: Account, cursor: int | None) -> Waiting:
    rows = _rows(Handoff.objects.filter(account=account.pk).order_by("created_at", "id"))
    now = timezone.now()
    ends = [row[DEADLINE] for row in rows if row[STATE] == Assessment.State.PENDING and row[DEADLINE] >= now]
    newest = max((row[QUEUED_SEQ] for row in rows), default=0)
    shown = (rows[0][TIME_ZONE], rows[0][TEMPLATE]) if rows else _settings(account)
    return Waiting(cursor, min(ends, default=None), newest, shown, rows, _cards(rows, now))


def _rows(handoffs: "QuerySet[Handoff]") -> list[Row]:
    """What decides about place and look of each waiting card, and nothing more: in one query, without objects."""
    waiting = handoffs.filter(state=Handoff.State.WAITING)
    of_card = "pk", "version", "assessment__state", "assessment__deadline", "queued_seq"
    of_look = "account__time_zone", "account__ticket_url_template", "created_by__name"
    return list(waiting.values_list(*of_card, *of_look))


def _cards(rows: list[Row], now: datetime) -> list[SafeString]:
    return [
        _card(pk, version, Assessment.reads_as(state, deadline, now), Look(*look))
        for pk, version, state, deadline, _queued, *look in rows
    ]
