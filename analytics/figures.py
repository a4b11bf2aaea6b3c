"""What each figure means. One condition is counted, listed, exported and put into the trend, so that they agree.

`E` are the period's escalations. A condition is a function of the moment at which it is judged, because some
escalations are too young to be judged.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import F, Q

from analytics.models import HandoffFact
from escalations.models import Handoff

IMMATURE = timedelta(minutes=30)
RE_ESCALATION = timedelta(days=7)

UNAVAILABLE = tuple(state for state in HandoffFact.Assessed.values if state != HandoffFact.Assessed.READY)

Condition = Callable[["Moment"], Q]


@dataclass(frozen=True)
class Moment:
    """`as_of` is the database's time of the answer, `budget` the seconds that a first assessment may take."""

    as_of: datetime
    budget: float


def _always(moment: Moment) -> Q:
    return Q()


def _is(**lookups: object) -> Condition:
    return lambda moment: Q(**lookups)


def _both(*conditions: Condition) -> Condition:
    def both(moment: Moment) -> Q:
        found = Q()
        for condition in conditions:
            found &= condition(moment)
        return found

    return both


def _not(condition: Condition) -> Condition:
    return lambda moment: ~condition(moment)


waiting = _is(state=Handoff.State.WAITING)
picked_up = _is(first_pickup_at__isnull=False)
taken_back_unseen = _is(state=Handoff.State.TAKEN_BACK, first_pickup_at__isnull=True)
to_be_picked_up = _not(taken_back_unseen)
acted_on = _both(picked_up, _is(first_action_at__isnull=False))
resolved = _both(picked_up, _is(resolved_at__isnull=False))
ai_on = _is(ai_disabled=False)
with_steps = _both(picked_up, _is(has_steps=True))


def immature(moment: Moment) -> Q:
    """Picked up less than 30 minutes ago, and no action yet."""
    return Q(last_pickup_at__gt=moment.as_of - IMMATURE, first_action_at__isnull=True)


def old_enough(moment: Moment) -> Q:
    """Closed for so long that no further escalation of the session could count any more."""
    return picked_up(moment) & Q(closed_at__lte=moment.as_of - RE_ESCALATION)


def escalated_again(moment: Moment) -> Q:
    return old_enough(moment) & Q(followed_at__lte=F("closed_at") + RE_ESCALATION)


def ready_in_time(moment: Moment) -> Q:
    return Q(ready_seconds__lte=moment.budget)


@dataclass(frozen=True)
class Rate:
    """`numerator / denominator`, counted in `unit`. A pickup is counted by a number that its handoff carries.

    `excluded` are the escalations that are in neither, by reason; `also` are counted beside it. All open as lists.
    """

    name: str
    title: str
    formula: str
    definition: str
    numerator: Condition
    denominator: Condition
    excluded: Mapping[str, Condition] = field(default_factory=dict)
    also: Mapping[str, Condition] = field(default_factory=dict)
    unit: str = "handoffs"
    is_count: bool = False  # its value is the numerator


@dataclass(frozen=True)
class Duration:
    """Seconds of `seconds` over the escalations that have them."""

    name: str
    title: str
    definition: str
    seconds: str
    counted: Condition
    levels: tuple[int, ...]
    has_average: bool = False


CONVERSION = Rate(
    "conversion_rate",
    "Conversion rate",
    "picked-up handoffs in which the picker acted ÷ picked-up handoffs",
    "Of the handoffs that somebody else than the escalator picked up, the share in which a picker sent a message, "
    "recorded a tried step or resolved the session while holding it. Opening it, scrolling, or pressing a suggestion "
    "without sending it does not count. A handoff that was put back and picked up again counts once.",
    numerator=acted_on,
    denominator=picked_up,
    excluded={"taken_back": taken_back_unseen, "waiting": _both(waiting, _not(picked_up))},
    also={"immature": immature},
)
PICKUP_RATE = Rate(
    "pickup_rate",
    "Pickup rate",
    "picked up ÷ escalations that were not taken back before",
    "Of the escalations that were not taken back before anybody came, the share that somebody else than the "
    "escalator picked up. What still waits counts against it.",
    numerator=picked_up,
    denominator=to_be_picked_up,
    excluded={"taken_back": taken_back_unseen},
)
END_TO_END = Rate(
    "end_to_end_conversion",
    "End-to-end conversion",
    "resolved by a picker ÷ escalations that were not taken back before a pickup",
    "Of the escalations that were not taken back before anybody came, the share that a picker resolved.",
    numerator=resolved,
    denominator=to_be_picked_up,
    excluded={"taken_back": taken_back_unseen},
)
RE_ESCALATIONS = Rate(
    "re_escalation_rate",
    "Re-escalation rate",
    "escalated again ÷ picked-up handoffs that ended at least 7 days ago",
    "Of the picked-up handoffs that were resolved or taken back at least 7 days ago, the share whose session was "
    "escalated again before that, or within 7 days after it. Each handoff counts once.",
    numerator=escalated_again,
    denominator=old_enough,
    excluded={"too_young": lambda moment: picked_up(moment) & ~_known(moment), "not_picked_up": _not(picked_up)},
)
RELEASES = Rate(
    "release_rate",
    "Release rate",
    "pickups put back without an action ÷ pickups",
    "Of all pickups of these escalations, the share that ended by putting it back into the queue, or by its lease, "
    "or in a colleague's hands, before the picker did anything that counts as an action. A pickup that was undone "
    "within 30 seconds counts as nothing.",
    numerator=_is(idle_releases__gt=0),
    denominator=picked_up,
    unit="pickups",
)
REFUSED = Rate(
    "refused_pickups",
    "Refused pickups",
    "refused attempts ÷ pickups",
    "Attempts to pick up one of these escalations while somebody else had it already, for each pickup. Whoever has "
    "it and asks again is not refused.",
    numerator=picked_up,
    denominator=picked_up,
    unit="attempts",
)
AVAILABILITY = Rate(
    "assessment_availability",
    "Assessment availability",
    "ready at the first pickup ÷ picked-up handoffs with AI switched on",
    "Of the picked-up handoffs for which AI was switched on, the share whose assessment was ready when the first "
    "picker came.",
    numerator=_both(picked_up, ai_on, _is(assessed="ready")),
    denominator=_both(picked_up, ai_on),
    excluded={"ai_disabled": _both(picked_up, _not(ai_on)), "not_picked_up": _not(picked_up)},
    also={reason: _both(picked_up, ai_on, _is(assessed=reason)) for reason in UNAVAILABLE},
)
STEP_USE = Rate(
    "step_use",
    "Step use",
    "handoffs with a suggested step sent ÷ handoffs with a suggested step at the first pickup",
    "Of the handoffs that had at least one suggested step when the first picker came, the share in which a picker "
    "sent at least one of them as a message while holding it.",
    numerator=_both(with_steps, _is(uses__gt=0)),
    denominator=with_steps,
    excluded={"no_steps": _both(picked_up, _not(with_steps)), "not_picked_up": _not(picked_up)},
)
ESCALATIONS = Rate(
    "escalations",
    "Escalations",
    "escalations in the period",
    "Sessions that were escalated in the period, whatever became of them.",
    numerator=_always,
    denominator=_always,
    also={"waiting": waiting},
    is_count=True,
)


def _known(moment: Moment) -> Q:
    """`old_enough`, false rather than unknown where the handoff has not ended."""
    return Q(closed_at__isnull=False) & old_enough(moment)


TIME_TO_PICKUP = Duration(
    "time_to_pickup",
    "Time to pickup",
    "From the escalation to the first pickup, over the escalations that were picked up. “Including waiting” counts "
    "those that nobody picked up as well, as not picked up until now (Kaplan–Meier); where the curve does not reach "
    "the level, there is only a lower bound.",
    seconds="pickup_seconds",
    counted=picked_up,
    levels=(50, 90, 95),
)
TIME_TO_ACTION = Duration(
    "time_to_first_action",
    "Time to first action",
    "From the pickup to the picker's first message, tried step or resolution, over the handoffs in which there was "
    "one; of several pickups the first that led to an action.",
    seconds="action_seconds",
    counted=acted_on,
    levels=(50, 95),
    has_average=True,
)
TIME_TO_RESOLUTION = Duration(
    "time_to_resolution",
    "Time to resolution",
    "From the escalation to the resolution by a picker. Hands-on is the same from the first pickup.",
    seconds="resolution_seconds",
    counted=resolved,
    levels=(50, 90),
)
HANDS_ON = Duration(
    "hands_on",
    "Hands-on time",
    "From the first pickup to the resolution by a picker.",
    seconds="hands_on_seconds",
    counted=resolved,
    levels=(50, 90),
)
# Told inside availability and step use.
IN_BUDGET = Rate(
    "within_budget",
    "Ready within the budget",
    "ready within the first try's budget ÷ escalations with AI switched on",
    "Of the escalations for which AI was switched on, the share whose assessment was ready within the seconds that "
    "its first try may take.",
    numerator=_both(ai_on, ready_in_time),
    denominator=ai_on,
    excluded={"ai_disabled": _not(ai_on)},
)

RATES = (
    *(ESCALATIONS, PICKUP_RATE, CONVERSION, END_TO_END, RE_ESCALATIONS),
    *(RELEASES, REFUSED, AVAILABILITY, STEP_USE, IN_BUDGET),
)
DURATIONS = (TIME_TO_PICKUP, TIME_TO_ACTION, TIME_TO_RESOLUTION, HANDS_ON)
MIN_N = {50: 3, 90: 10, 95: 20}  # below, a percentile says more about chance than about the team
