"""What is on somebody's bell: the escalations of their account but their own, as the feed has them, newest first."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from escalations.models import FeedEvent, Handoff
from escalations.models.feed import cursor_of
from escalations.models.preference import RANK, NotificationPreference
from escalations.notifications import quiet_hours, titles
from resolutionflow.accounts.models import Account, User

NOTIFIES = (FeedEvent.Kind.CREATED,)
MOST_COUNTED = 100  # beyond that the bell says 99+
MOST_MISSED = 50
LOOKS_BACK = 10_000  # events of the feed, so that no question grows with an account's age


@dataclass(frozen=True)
class Bell:
    """How many are unread at a position of the feed; at most MOST_COUNTED."""

    unread: int
    cursor: int

    @property
    def in_words(self) -> str:
        count = f"{MOST_COUNTED - 1}+" if self.unread >= MOST_COUNTED else str(self.unread)
        return f"Notifications, {count} unread" if self.unread else "Notifications, none unread"


@dataclass(frozen=True)
class Line:
    """One of them as the list shows it; `now` is what has become of it, in words."""

    handoff_id: UUID
    title: str
    at: datetime
    priority: str
    priority_name: str
    now: str
    is_waiting: bool
    is_unread: bool


def events(account: Account, preference: NotificationPreference, cursor: int) -> "QuerySet[FeedEvent]":
    """All that this person's bell is about at this position of the feed, read or not."""
    found = _of_others(account, preference, cursor - LOOKS_BACK, cursor)
    wanted = preference.priorities(NotificationPreference.Way.BELL)
    if len(wanted) < len(RANK):
        found = found.filter(handoff__priority__in=wanted)
    return found


def _of_others(account: Account, preference: NotificationPreference, after: int, up_to: int) -> "QuerySet[FeedEvent]":
    there = FeedEvent.objects.for_account(account).filter(kind__in=NOTIFIES, seq__gt=after, seq__lte=up_to)
    return there.exclude(actor=preference.user).order_by("-seq")


def lines(found: Iterable[FeedEvent], preference: NotificationPreference) -> list[Line]:
    return [
        Line(
            handoff_id=event.handoff_id,
            title=titles.of(event.handoff),
            at=event.at,
            priority=event.handoff.priority,
            priority_name=event.handoff.get_priority_display(),
            now=_now(event.handoff, preference.user),
            is_waiting=event.handoff.state == Handoff.State.WAITING,
            is_unread=event.seq > preference.read_up_to,
        )
        for event in found
    ]


def _now(handoff: Handoff, viewer: User) -> str:
    state = str(handoff.get_state_display())
    if handoff.picked_up_by is None:
        return state
    return f"{state} by {'you' if handoff.picked_up_by == viewer else handoff.picked_up_by.name}"


def with_handoffs(found: "QuerySet[FeedEvent]") -> "QuerySet[FeedEvent]":
    """With what a line of the list shows."""
    shown = found.select_related("handoff__session", "handoff__created_by", "handoff__picked_up_by")
    return shown.defer("handoff__snapshot", "handoff__reason", "handoff__session__problem", "data")


def of(account: Account, preference: NotificationPreference) -> Bell:
    """The cursor first, then what is unread up to it: what comes in between is told by its frame."""
    cursor = cursor_of(account)
    unread = events(account, preference, cursor).filter(seq__gt=preference.read_up_to)
    return Bell(unread[:MOST_COUNTED].count(), cursor)


def told(account: Account, preference: NotificationPreference) -> dict[str, Any]:
    """What static/js/bell.js needs to count on by itself and to know when to ring. Quiet hours are in seconds, UTC."""
    bell = of(account, preference)
    ways = {way: preference.priorities(way) for way in NotificationPreference.Way.values if way != "email"}
    quiet = [[start.timestamp(), end.timestamp()] for start, end in quiet_hours.stretches(preference, timezone.now())]
    return {"unread": bell.unread, "cursor": bell.cursor, "wanted": ways, "quiet": quiet}


def missed(account: Account, preference: NotificationPreference, since: int, cursor: int) -> list[dict[str, str]]:
    """What came after `since`, up to the cursor, and still waits, oldest first; of many the newest. It may ring yet."""
    if since >= cursor:
        return []
    after = max(since, cursor - LOOKS_BACK)
    came = _of_others(account, preference, after, cursor).filter(handoff__state=Handoff.State.WAITING)
    newest = [event.handoff for event in with_handoffs(came)[:MOST_MISSED]]
    return [{"handoff": str(each.pk), "priority": each.priority, "title": titles.of(each)} for each in reversed(newest)]
