"""The queue's cards, rendered once per change and joined into lists.

A card is the same for everyone in the account. Its key is the handoff, its version and how its assessment reads at
the moment; 50 cards cost 8 ms to render and next to nothing to join.
"""

from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from escalations.models import Assessment, Handoff
from resolutionflow.accounts.models import Account

REMEMBERED = 10_000  # cards of some 3 kB

Row = tuple[UUID, int, str, datetime, int]
QUEUED_SEQ: Final = 4  # the row's last: when it came into the queue


@lru_cache(maxsize=REMEMBERED)
def _card(handoff_id: UUID, version: int, assessment_state: str) -> SafeString:
    """One card's HTML; `version` and the state are what make it stale."""
    handoff = Handoff.objects.for_card().defer("snapshot").get(pk=handoff_id)
    with timezone.override(handoff.account.tz):
        html = render_to_string(
            "escalations/_card.html",
            {"handoff": handoff, "assessment_state": Assessment.State(assessment_state)},
        )
    return mark_safe(html)  # noqa: S308 it comes out of a template


def of_handoff(handoff_id: UUID) -> str:
    """The card as it is now; empty if the handoff does not wait any more."""
    return "".join(_cards(_rows(Handoff.objects.filter(pk=handoff_id))))


def of_account(account: Account, *, base: int) -> list[SafeString]:
    """The waiting cards as a page that was first rendered at `base` shows them.

    What came into the queue after `base` stands on top, newest first; below it, oldest first, what was there.
    """
    rows = _rows(Handoff.objects.for_account(account).order_by("created_at", "id"))
    arrived = [row for row in rows if row[QUEUED_SEQ] > base]
    established = [row for row in rows if row[QUEUED_SEQ] <= base]
    return _cards(sorted(arrived, key=itemgetter(QUEUED_SEQ), reverse=True) + established)


def _rows(handoffs: "QuerySet[Handoff]") -> list[Row]:
    """What decides about place and look of each waiting card, and nothing more: in one query, without objects."""
    waiting = handoffs.filter(state=Handoff.State.WAITING)
    return list(waiting.values_list("pk", "version", "assessment__state", "assessment__deadline", "queued_seq"))


def _cards(rows: list[Row]) -> list[SafeString]:
    now = timezone.now()
    return [
        _card(pk, version, Assessment.reads_as(state, deadline, now)) for pk, version, state, deadline, _queued in rows
    ]
