"""The live queue."""

import re
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from django.db.models import Count
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from escalations import lessons
from escalations.live import cards as live_cards
from escalations.models import AISession, FeedEvent, Handoff, Offer
from escalations.models.feed import cursor_of
from escalations.views.queue_filter import Filter, clients_at
from resolutionflow.accounts.models import Account
from resolutionflow.accounts.requests import MemberRequest

A_CURSOR = re.compile(r"[0-9]{1,19}")
HIGHEST_CURSOR = 2**63 - 1
UNDONE = (FeedEvent.Kind.RELEASED, True)  # a pick-up that counts as nothing


@never_cache
@require_safe
def show(request: MemberRequest) -> HttpResponse:
    account = request.account
    cursor = cursor_of(account)  # before the list: an event in between is fetched again, never lost
    listed = live_cards.of_account(account, base=cursor, at=cursor)
    wanted = Filter.of_address(request.GET, request.user)
    return render(
        request,
        "escalations/queue.html",
        {
            "cards": listed,
            "cursor": cursor,
            "base": cursor,
            "desk": AISession.objects.for_account(account)
            .of(request.user)
            .values("pk", "title", "state", "held_since")[:8],
            "today": _today(account, cursor),
            "offers": Offer.objects.waiting_for(request.user),
            "solved": lessons.for_learner(request.user, account) if request.user.may_work else None,
            "filter": wanted,
            "shown": wanted.count(Handoff.objects.for_account(account).waiting()) if wanted.selector else len(listed),
            "priorities": Handoff.Priority.choices,
            "clients": clients_at(account.pk, cursor),
        },
    )


@never_cache
@require_safe
def cards(request: MemberRequest) -> HttpResponse:
    """The list alone, in the order that a page first rendered at `base` keeps."""
    base = request.GET.get("base", "0")
    if not A_CURSOR.fullmatch(base) or int(base) > HIGHEST_CURSOR:
        return HttpResponseBadRequest("base must be a cursor: a whole number, 0 or more.", content_type="text/plain")
    cursor = cursor_of(request.account)
    listed = live_cards.of_account(request.account, base=int(base), at=cursor)
    today = _today(request.account, cursor)
    context = {"cards": listed, "cursor": cursor, "base": int(base), "today": today}
    return render(request, "escalations/_cards.html", context)


def _today(account: Account, cursor: int) -> dict[str, int]:
    """What the account's feed saw since midnight in its zone."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return _since(account.pk, midnight, cursor)


@lru_cache(maxsize=1000)
def _since(account_id: UUID, midnight: datetime, cursor: int) -> dict[str, int]:
    """The feed is append-only, so that at one cursor this is one answer."""
    events = FeedEvent.objects.filter(account=account_id, at__gte=midnight, at__lt=midnight + timedelta(days=2))
    told = events.order_by().values_list("kind", "data__undone").annotate(Count("seq"))
    counts = {(kind, bool(undone)): n for kind, undone, n in told}
    return {
        "escalated": counts.get((FeedEvent.Kind.CREATED, False), 0),
        "picked_up": max(0, counts.get((FeedEvent.Kind.PICKED_UP, False), 0) - counts.get(UNDONE, 0)),
        "resolved": counts.get((FeedEvent.Kind.RESOLVED, False), 0),
    }
