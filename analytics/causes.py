"""Repeated causes: resolved sessions whose resolutions read alike, so that an owner sees what comes again and again.

Grouped by what fixed them alone. It is read from the resolutions' vectors, which the worker makes; where most have
none, from the words that they share. What was grouped is remembered until a session comes or goes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from statistics import median
from uuid import UUID

from django.db.models import Count, Max, Min

from analytics import facts
from analytics.figures import MIN_N
from analytics.models import HandoffFact
from escalations.assessor import grouping
from escalations.models import AISession
from escalations.models.session import AISessionQuerySet
from resolutionflow.accounts.models import Account

DAYS = 90
MOST = 2_000  # of the newest resolutions that are compared
MOST_BY_WORDS = 500  # likewise, pair by pair
MOST_SHOWN = 50
REMEMBERED = 200  # accounts


@dataclass(frozen=True)
class Cause:
    """Sessions with nearly the same resolution, the newest first; `example` is the one that most of them are like.

    `to_resolution` is the median of escalation → resolution in seconds over the `n` of them that were escalated; None
    below three.
    """

    example: AISession
    sessions: Sequence[AISession]
    clients: Sequence[tuple[str, int]]
    n: int
    to_resolution: float | None

    @property
    def last(self) -> datetime | None:
        return self.sessions[0].resolved_at

    @property
    def first(self) -> datetime | None:
        return self.sessions[-1].resolved_at


@dataclass(frozen=True)
class Causes:
    """`compared` of `resolved` sessions, the newest 2,000 at most, were looked at; `shown` of `count` are told."""

    shown: Sequence[Cause]
    count: int
    resolved: int
    compared: int
    by_words: bool

    @property
    def is_all(self) -> bool:
        return self.compared == self.resolved < MOST


@dataclass(frozen=True)
class Grouped:
    groups: Sequence[Sequence[UUID]]
    compared: int
    by_words: bool


def of(account: Account, *, now: datetime) -> Causes:
    """The account's repeated causes of the last 90 days: what came most often first, then what came last."""
    facts.catch_up(account)
    since = now - timedelta(days=DAYS)
    newest = resolved(account, since).order_by("-resolved_at", "-pk")[:MOST]
    there = newest.aggregate(
        n=Count("pk"), oldest=Min("resolved_at"), newest=Max("resolved_at"), read=Count("meaning__fix")
    )
    grouped = _grouped(account.pk, there["n"], there["oldest"], there["newest"], there["read"])
    found = _told(account, grouped.groups)
    return Causes(found[:MOST_SHOWN], len(found), there["n"], grouped.compared, grouped.by_words)


def resolved(account: Account, since: datetime) -> AISessionQuerySet:
    return AISession.objects.for_account(account).filter(
        state=AISession.State.RESOLVED, resolved_at__gte=since, resolution__gt="", pruned_at=None
    )


@lru_cache(maxsize=REMEMBERED)
def _grouped(account_id: UUID, n: int, oldest: datetime | None, newest: datetime | None, read: int) -> Grouped:
    """Which sessions belong together, as ids: the first of a group is its example."""
    if not n:
        return Grouped([], 0, by_words=False)
    told = AISession.objects.filter(account=account_id, state=AISession.State.RESOLVED, pruned_at=None)
    told = told.filter(resolved_at__gte=oldest, resolution__gt="").order_by("-resolved_at", "-pk")
    if 2 * read < n:
        texts = list(told.values_list("pk", "resolution")[:MOST_BY_WORDS])
        groups = grouping.by_words([text for _, text in texts])
        return Grouped(_ids([pk for pk, _ in texts], groups), len(texts), by_words=True)
    fixes = list(told.filter(meaning__fix__isnull=False).values_list("pk", "meaning__fix")[:MOST])
    groups = grouping.by_meaning([bytes(fix or b"") for _, fix in fixes])
    return Grouped(_ids([pk for pk, _ in fixes], groups), len(fixes), by_words=False)


def _ids(keys: Sequence[UUID], groups: Iterable[Iterable[int]]) -> list[list[UUID]]:
    return [[keys[index] for index in group] for group in groups]


def _told(account: Account, groups: Sequence[Sequence[UUID]]) -> list[Cause]:
    ids = [pk for group in groups for pk in group]
    sessions = {
        session.pk: session
        for session in AISession.objects.for_account(account)
        .filter(pk__in=ids, pruned_at=None)
        .only("title", "client_name", "ticket_ref", "resolution", "resolved_at")
    }
    waits = _waits(account, ids)
    found = [_cause([sessions[pk] for pk in group if pk in sessions], waits) for group in groups]
    causes = [cause for cause in found if len(cause.sessions) > 1]
    return sorted(causes, key=lambda cause: (len(cause.sessions), cause.last), reverse=True)


def _waits(account: Account, ids: Sequence[UUID]) -> dict[UUID, float]:
    """From escalation to resolution in seconds, of the sessions whose handoff a picker resolved."""
    solved = HandoffFact.objects.for_account(account).filter(session__in=ids, resolution_seconds__isnull=False)
    told = solved.order_by("-resolved_at").values_list("session_id", "resolution_seconds")
    return {session: seconds for session, seconds in told if seconds is not None}


def _cause(sessions: Sequence[AISession], waits: Mapping[UUID, float]) -> Cause:
    """`sessions` begin with the example."""
    escalated = [waits[session.pk] for session in sessions if session.pk in waits]
    return Cause(
        example=sessions[0],
        sessions=sorted(sessions, key=lambda session: session.resolved_at, reverse=True),  # type: ignore[arg-type,return-value]
        clients=Counter(session.client_name for session in sessions if session.client_name).most_common(),
        n=len(escalated),
        to_resolution=median(escalated) if len(escalated) >= MIN_N[50] else None,
    )
