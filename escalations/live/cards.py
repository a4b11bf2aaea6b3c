"""The queue's cards, rendered once per change and joined into lists.

A card is the same for everyone in the account. Its key is the handoff, its version and how its assessment reads at
the moment; 50 cards cost 8 ms to render and next to nothing to join.
"""

from functools import lru_cache
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from escalations.models import Assessment, Handoff
from resolutionflow.accounts.models import Account

REMEMBERED = 10_000  # cards of some 3 kB


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
    rows = _rows(Handoff.objects.for_account(account))
    arrived = sorted((row for row in rows if row.queued_seq > base), key=attrgetter("queued_seq"), reverse=True)
    established = sorted((row for row in rows if row.queued_seq <= base), key=attrgetter("created_at", "pk"))
    return _cards(arrived + established)


def _rows(handoffs: "QuerySet[Handoff]") -> list[Any]:
    """What decides about place and look of each waiting card, and nothing more: in one query, without objects."""
    return list(
        handoffs.filter(state=Handoff.State.WAITING).values_list(
            "pk", "version", "assessment__state", "assessment__deadline", "queued_seq", "created_at", named=True
        )
    )


def _cards(rows: list[Any]) -> list[SafeString]:
    now = timezone.now()
    return [
        _card(row.pk, row.version, Assessment.reads_as(row.assessment__state, row.assessment__deadline, now))
        for row in rows
    ]
