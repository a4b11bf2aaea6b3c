"""What is on somebody's bell, newest first: the escalations of their account but their own, what a lease returned from
them, what colleagues offer them, and what became of their own offers.

Escalations and returns are read from the feed; what is unread of them lies after a position. Offers have none, so each
says by itself who has read of it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Self
from uuid import UUID

from django.db.models import F, IntegerField, OuterRef, Q, QuerySet, Subquery, UUIDField, Value
from django.db.models.functions import Cast
from django.utils import timezone

from escalations.models import FeedEvent, Handoff, Offer
from escalations.models.feed import FeedCounter
from escalations.models.preference import RANK, NotificationPreference
from escalations.notifications import quiet_hours, titles
from resolutionflow.accounts.models import Account, User

MOST_COUNTED = 100  # beyond that the bell says 99+
MOST_MISSED = 50
LOOKS_BACK = 10_000  # events of the feed, so that no question grows with an account's age
KIND, WAY = FeedEvent.Kind, NotificationPreference.Way
Rows = QuerySet[Any, Any]


class Row(NamedTuple):
    """One of them as the database has it: `who` did `what`, and how it is with that now."""

    what: str  # a kind of the feed, OFFERED, or how one's own offer ended
    who: str
    told_at: datetime
    is_unread: bool
    offer: UUID | None
    outcome: str  # how an offer ended, if it has
    handoff_id: UUID
    priority: str
    state: str
    picker_id: UUID | None
    picker: str | None
    ticket_ref: str
    client_name: str
    title: str

    @property
    def is_asked(self) -> bool:
        """Whether it is an offer that this person has not answered yet."""
        return self.what == titles.OFFERED and self.outcome == Offer.Outcome.PENDING

    @property
    def in_words(self) -> str:
        return titles.on_the_bell(self.what, self, by=(self.who.split() or [""])[0])


@dataclass(frozen=True)
class Bell:
    """How many are unread at a position of the feed, at most MOST_COUNTED; and the unread ones that are offers."""

    unread: int
    cursor: int
    offers: list[Row]
    counts: list[str]  # the priorities that do

    @property
    def in_words(self) -> str:
        count = f"{MOST_COUNTED - 1}+" if self.unread >= MOST_COUNTED else str(self.unread)
        return f"Notifications, {count} unread" if self.unread else "Notifications, none unread"

    @property
    def unread_offers(self) -> str:
        """Their ids, for whoever has read the list that was made with this."""
        return " ".join(str(row.offer) for row in self.offers if row.priority in self.counts)


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

    @classmethod
    def of(cls, row: Row, viewer: User) -> Self:
        return cls(
            handoff_id=row.handoff_id,
            title=row.in_words,
            at=row.told_at,
            priority=row.priority,
            priority_name=Handoff.Priority(row.priority).label,
            now=_now(row, viewer),
            is_waiting=row.is_asked if row.offer else row.state == Handoff.State.WAITING,
            is_unread=row.is_unread,
        )


ANSWERS = {
    Offer.Outcome.PENDING: "Waits for your answer",
    Offer.Outcome.ACCEPTED: "Accepted by you",
    Offer.Outcome.DECLINED: "Declined by you",
    Offer.Outcome.WITHDRAWN: "Not offered any more",
}


def _now(row: Row, viewer: User) -> str:
    if row.what == titles.OFFERED:
        return ANSWERS[Offer.Outcome(row.outcome)]
    state = Handoff.State(row.state).label
    if row.picker_id is None:
        return state
    return f"{state} by {'you' if row.picker_id == viewer.pk else row.picker}"


@dataclass(frozen=True)
class Listed:
    """All that somebody's bell is about, read or not, newest first. A part of it is read from no further back."""

    events: "QuerySet[FeedEvent]"
    offered: "QuerySet[Offer]"
    answered: "QuerySet[Offer]"
    preference: NotificationPreference

    def __len__(self) -> int:
        found: list[QuerySet[Any]] = [self.events, self.offered, self.answered]
        events, *offers = (each.order_by().values("handoff") for each in found)
        return events.union(*offers, all=True).count()

    def __getitem__(self, part: slice) -> list[Line]:
        if not part.stop:
            return []
        events = _events_as_rows(self.events, self.preference).order_by("-seq")[: part.stop]
        offered, answered = _as_offered(self.offered, part.stop), _as_answered(self.answered, part.stop)
        found = events.union(offered, answered, all=True).order_by("-told_at")[part]
        return [Line.of(Row._make(row), self.preference.user) for row in found]


def listed(account: Account, preference: NotificationPreference, cursor: int) -> Listed:
    """What is on this person's bell at this position of the feed."""
    wanted = _of(preference.priorities(WAY.BELL))
    events = _events(account, preference.user).filter(wanted, seq__gt=cursor - LOOKS_BACK, seq__lte=cursor)
    offered, answered = _offers(account, preference.user)
    return Listed(events, offered.filter(wanted), answered.filter(wanted), preference)


def of(account: Account, preference: NotificationPreference) -> Bell:
    """The cursor and what is unread up to it in one question: what comes afterwards is told by its frame."""
    counts = preference.priorities(WAY.BELL)
    newer = _events(account, preference.user).filter(_of(counts), seq__gt=preference.read_up_to)
    newer = newer.filter(seq__gt=OuterRef("seq") - LOOKS_BACK, seq__lte=OuterRef("seq"))
    at = FeedCounter.objects.filter(account=account).annotate(unread=_Count(newer.values("pk")[:MOST_COUNTED]))
    cursor, events = at.values_list("seq", "unread").first() or (0, 0)
    offers = _unread_offers(account, preference.user)
    unread = events + sum(row.priority in counts for row in offers)
    return Bell(min(unread, MOST_COUNTED), cursor, offers, counts)


class _Count(Subquery):
    template = "(SELECT count(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()
    empty_result_set_value = 0


def told(account: Account, preference: NotificationPreference) -> dict[str, Any]:
    """What static/js/bell.js needs to count on by itself and to know when to ring. Quiet hours are in seconds, UTC."""
    bell = of(account, preference)
    ways = {way: preference.priorities(way) for way in WAY.values if way != WAY.EMAIL}
    quiet = [[start.timestamp(), end.timestamp()] for start, end in quiet_hours.stretches(preference, timezone.now())]
    offers = [_for_the_page(row) for row in bell.offers]
    return {"unread": bell.unread, "cursor": bell.cursor, "offers": offers, "wanted": ways, "quiet": quiet}


def _for_the_page(row: Row) -> dict[str, Any]:
    """One unread offer or answer; it rings while it waits for this person."""
    told = {"offer": str(row.offer), "handoff": str(row.handoff_id), "waits": row.is_asked}
    return {**told, "priority": row.priority, "title": row.in_words}


def missed(account: Account, preference: NotificationPreference, since: int, cursor: int) -> list[dict[str, str]]:
    """The escalations after `since`, up to the cursor, that still wait, oldest first; of many the newest. They may ring
    yet."""
    if since >= cursor:
        return []
    came = FeedEvent.objects.for_account(account).filter(kind=KIND.CREATED, handoff__state=Handoff.State.WAITING)
    came = came.filter(seq__gt=max(since, cursor - LOOKS_BACK), seq__lte=cursor).exclude(actor=preference.user)
    shown = came.select_related("handoff__session", "handoff__created_by").order_by("-seq")
    shown = shown.defer("handoff__snapshot", "handoff__reason", "handoff__session__problem", "data")
    newest = [event.handoff for event in shown[:MOST_MISSED]]
    return [{"handoff": str(each.pk), "priority": each.priority, "title": titles.of(each)} for each in reversed(newest)]


def _of(priorities: list[str]) -> Q:
    return Q() if len(priorities) == len(RANK) else Q(handoff__priority__in=priorities)


def _events(account: Account, user: User) -> "QuerySet[FeedEvent]":
    """Escalations of others, and what a lease returned from this person."""
    escalated = Q(kind=KIND.CREATED) & ~Q(actor=user)
    returned = Q(kind=KIND.RELEASED, data__returned_from=str(user.pk))
    return FeedEvent.objects.for_account(account).filter(escalated | returned)


def _offers(account: Account, user: User) -> "tuple[QuerySet[Offer], QuerySet[Offer]]":
    """What was offered to this person, and what they offered and was answered."""
    there = Offer.objects.for_account(account)
    return there.made_to(user), there.answered_to(user)


def _unread_offers(account: Account, user: User) -> list[Row]:
    offered, answered = _offers(account, user)
    asked = _as_offered(offered.filter(read_by_asked=False), MOST_COUNTED)
    told = _as_answered(answered.filter(read_by_asker=False), MOST_COUNTED)
    return [Row._make(row) for row in asked.union(told, all=True).order_by("-told_at")[:MOST_COUNTED]]


def _events_as_rows(events: "QuerySet[FeedEvent]", preference: NotificationPreference) -> Rows:
    unread = Q(seq__gt=preference.read_up_to)
    of_none = {"offer": Cast(Value(None), UUIDField()), "came_of": Value("")}
    return _as_rows(
        events.annotate(what=F("kind"), told_at=F("at"), is_unread=unread, **of_none), "handoff__created_by"
    )


def _as_offered(offers: "QuerySet[Offer]", most: int) -> Rows:
    told = offers.annotate(what=Value(titles.OFFERED), told_at=F("made_at"), is_unread=Q(read_by_asked=False))
    return _offers_as_rows(told, "by")[:most]


def _as_answered(offers: "QuerySet[Offer]", most: int) -> Rows:
    told = offers.annotate(what=F("outcome"), told_at=F("ended_at"), is_unread=Q(read_by_asker=False))
    return _offers_as_rows(told, "to")[:most]


def _offers_as_rows(offers: "QuerySet[Any]", who: str) -> Rows:
    return _as_rows(offers.annotate(offer=F("pk"), came_of=F("outcome")), who).order_by("-told_at")


def _as_rows(told: "QuerySet[Any]", who: str) -> Rows:
    """In the order of Row, and in the same types, because the database puts them together."""
    what = "what", f"{who}__name", "told_at", "is_unread", "offer", "came_of"
    handoff = "pk", "priority", "state", "picked_up_by", "picked_up_by__name"
    case = (f"session__{name}" for name in ("ticket_ref", "client_name", "title"))
    return told.values_list(*what, *(f"handoff__{name}" for name in (*handoff, *case)))
