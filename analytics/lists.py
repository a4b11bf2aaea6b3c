"""Every figure opens: the rows that a part of it counts, with the same condition that counted them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import F, Model, Q, QuerySet
from django.db.models.functions import ExtractHour, ExtractIsoWeekDay
from django.http import Http404

from analytics import metrics
from analytics.breakdowns import IDLE
from analytics.figures import DURATIONS, RATES, Condition, Duration, Rate
from analytics.models import HandoffFact, PickupFact
from analytics.periods import Period
from escalations.models import RefusedPickup
from resolutionflow.accounts.models import Account, User

Rows: TypeAlias = "QuerySet[HandoffFact] | QuerySet[PickupFact] | QuerySet[RefusedPickup]"

PICKUPS = {
    "pickups": ("Pickups", Q()),
    "acted": ("Pickups with an action", Q(first_action_at__isnull=False)),
    "released": ("Pickups put back without an action", IDLE),
    "resolved": ("Pickups that ended with a resolution", Q(resolved_at__isnull=False)),
}
# What a list can be sorted by, and by what its rows are ordered then.
SORTS: dict[type[Model], dict[str, str]] = {
    HandoffFact: {
        "escalated": "escalated_at",
        "pickup": "pickup_seconds",
        "action": "action_seconds",
        "resolution": "resolution_seconds",
    },
    PickupFact: {
        "escalated": "escalated_at",
        "picked_up": "picked_up_at",
        "action": "action_seconds",
        "resolution": "hands_on_seconds",
    },
    RefusedPickup: {"at": "at"},
}


@dataclass(frozen=True)
class Selection:
    """Which rows: a part of a figure, of one person or one hour of the week where that is asked for."""

    figure: str = "escalations"
    part: str = "numerator"
    person: User | None = None
    weekday: int | None = None
    hour: int | None = None

    @property
    def query(self) -> str:
        """As an address has it, after the period's."""
        told: dict[str, Any] = {"figure": self.figure, "part": self.part}
        if self.person:
            told["person"] = self.person.pk
        if self.weekday and self.hour is not None:
            told |= {"weekday": self.weekday, "hour": self.hour}
        return urlencode(told)


def asked_for(asked: Mapping[str, str], account: Account) -> Selection:
    """What the address names. Raises Http404 for a figure, a part, a person or an hour that there is not."""
    figure, part = asked.get("figure", "escalations"), asked.get("part", "numerator")
    if part not in parts(figure):
        raise Http404
    weekday, hour = _number(asked.get("weekday"), 1, 7), _number(asked.get("hour"), 0, 23)
    if (weekday is None) != (hour is None):
        raise Http404
    return Selection(figure, part, _person(asked.get("person"), account), weekday, hour)


def parts(figure: str) -> dict[str, str]:
    """The parts of a figure that open, with their titles; none for a figure that there is not."""
    if figure == "pickups":
        return {name: title for name, (title, _) in PICKUPS.items()}
    rate = _rate(figure)
    if rate:
        told = {name: f"{rate.title}: {WORDS[name]}" for name in _conditions(rate)}
        return told | {"numerator": rate.title} if rate.is_count else told
    duration = _duration(figure)
    return {"numerator": duration.title} if duration else {}


WORDS = {
    "numerator": "those that count",
    "denominator": "all that are looked at",
    "taken_back": "taken back before anybody came",
    "waiting": "still waiting",
    "immature": "picked up less than 30 minutes ago, no action yet",
    "too_young": "too recent to know",
    "not_picked_up": "not picked up",
    "ai_disabled": "AI switched off",
    "no_steps": "no suggested step at the pickup",
    "late": "the assessment came after the pickup",
    "pending": "the assessment was still being made",
    "timed_out": "the assessment had timed out",
    "failed": "the assessment had failed",
}


def rows(account: Account, period: Period, chosen: Selection, *, as_of: datetime) -> Rows:
    """The rows themselves, each with what a list shows; the latest escalation first."""
    found = _rows(account, period, chosen, as_of)
    if chosen.weekday is None or chosen.hour is None or found.model is not HandoffFact:
        return found
    weekday = ExtractIsoWeekDay("escalated_at", tzinfo=period.tz)
    hour = ExtractHour("escalated_at", tzinfo=period.tz)
    return found.annotate(weekday=weekday, hour=hour).filter(weekday=chosen.weekday, hour=chosen.hour)


def _rows(account: Account, period: Period, chosen: Selection, as_of: datetime) -> Rows:
    rate = _rate(chosen.figure)
    if chosen.figure == "pickups" or (rate and rate.unit != "handoffs"):
        return _by_pickup(account, period, chosen)
    cohort = metrics.cohort(account, period).select_related("handoff__session", "escalated_by").defer(*HEAVY)
    if chosen.person:
        cohort = cohort.filter(escalated_by=chosen.person)
    duration = _duration(chosen.figure)
    condition = duration.counted if duration else _conditions(rate)[chosen.part] if rate else None
    assert condition is not None, "asked_for has seen to it"
    return cohort.filter(condition(metrics.moment_of(as_of)))


HEAVY = ("handoff__snapshot", "handoff__reason", "handoff__session__knowledge", "handoff__session__problem")


def _by_pickup(account: Account, period: Period, chosen: Selection) -> Rows:
    if (chosen.figure, chosen.part) == ("refused_pickups", "numerator"):
        attempts = metrics.refusals(account, period).select_related("handoff__session", "by", "held_by").defer(*HEAVY)
        return attempts.filter(by=chosen.person) if chosen.person else attempts
    part = "released" if (chosen.figure, chosen.part) == ("release_rate", "numerator") else chosen.part
    condition = PICKUPS[part][1] if part in PICKUPS else Q()
    heavy = [f"handoff__{name}" for name in HEAVY]
    held = metrics.held(account, period).filter(condition).defer(*heavy)
    held = held.select_related("handoff__handoff__session", "handoff__escalated_by", "picker")
    return held.filter(picker=chosen.person) if chosen.person else held


def in_order(found: Rows, sort: str) -> Rows:
    """Sorted by a name of `SORTS`, with a minus for the largest first; what has no value stands last."""
    names = SORTS[found.model]
    name, backwards = sort.removeprefix("-"), sort.startswith("-")
    if name not in names:
        name, backwards = next(iter(names)), True
    field = F(names[name])
    first = field.desc(nulls_last=True) if backwards else field.asc(nulls_last=True)
    return found.order_by(first, "-pk" if backwards else "pk")


def in_portions(found: Rows, size: int, columns: Iterable[str]) -> Iterator[list[dict[str, Any]]]:
    """These columns of all rows, the latest first, in queries of their own: a slow reader keeps no transaction open."""
    key = next(iter(SORTS[found.model].values()))
    ordered = found.order_by(f"-{key}", "-pk")
    told = {*columns, key, "pk"}
    portion = list(ordered.values(*told)[:size])
    while portion:
        yield portion
        last = portion[-1]
        rest = ordered.filter(Q(**{f"{key}__lte": last[key]}), Q(**{f"{key}__lt": last[key]}) | Q(pk__lt=last["pk"]))
        portion = list(rest.values(*told)[:size])


def _rate(name: str) -> Rate | None:
    return next((rate for rate in RATES if rate.name == name), None)


def _duration(name: str) -> Duration | None:
    return next((duration for duration in DURATIONS if duration.name == name), None)


def _conditions(rate: Rate) -> dict[str, Condition]:
    return {"numerator": rate.numerator, "denominator": rate.denominator, **rate.excluded, **rate.also}


def _number(text: str | None, least: int, most: int) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 2 and least <= int(text) <= most):
        raise Http404
    return int(text)


def _person(text: str | None, account: Account) -> User | None:
    if not text:
        return None
    try:
        return User.objects.for_account(account).get(pk=UUID(text))
    except (ValueError, User.DoesNotExist):
        raise Http404 from None
