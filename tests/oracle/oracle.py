"""The figures once more, slowly and obviously, in plain Python: no SQL, no Django, nothing shared with the product.

It reads the feed in its order. What the feed does not hold (messages, tried steps, assessments, refused attempts)
comes from their own append-only rows.
"""

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

from tests.oracle.history import Event, History

SECONDS_OF_BUDGET = 5
ENOUGH = {50: 3, 90: 10, 95: 20}


@dataclass
class Pickup:
    by: UUID
    at: datetime
    end: datetime | None = None
    end_kind: str = ""
    end_by: UUID | None = None
    actions: list[datetime] = field(default_factory=list)
    uses: list[tuple[str, str]] = field(default_factory=list)  # how it was sent, and how it went (or "")

    def holds(self, moment: datetime) -> bool:
        return self.at <= moment and (self.end is None or moment < self.end)


@dataclass
class Story:
    """One handoff."""

    id: UUID
    session: UUID
    by: UUID
    at: datetime
    state: str = "waiting"
    closed: datetime | None = None
    next_escalation: datetime | None = None
    pickups: list[Pickup] = field(default_factory=list)

    @property
    def first(self) -> Pickup | None:
        return self.pickups[0] if self.pickups else None

    @property
    def acted(self) -> Pickup | None:
        return next((pickup for pickup in self.pickups if pickup.actions), None)

    @property
    def resolved(self) -> datetime | None:
        for pickup in self.pickups:
            if pickup.end_kind == "handoff_resolved" and pickup.end_by == pickup.by:
                return pickup.end
        return None

    @property
    def taken_back_unseen(self) -> bool:
        return self.state == "taken_back" and not self.pickups


def standing(events: list[Event]) -> list[Event]:
    """In their order, without what was undone: neither that it was, nor what it undid."""
    kept: list[Event] = []
    for event in sorted(events, key=lambda event: event.seq):
        if event.undone:
            kept.remove([it for it in kept if it.handoff == event.handoff and it.kind != "handoff_assessed"][-1])
        else:
            kept.append(event)
    return kept


def stories(history: History) -> list[Story]:
    told: dict[UUID, Story] = {}
    for event in standing(history.events):
        if event.kind == "handoff_created":
            for story in told.values():
                if story.session == event.session and story.next_escalation is None:
                    story.next_escalation = event.at
            told[event.handoff] = Story(event.handoff, event.session, event.actor, event.at)
        elif event.kind != "handoff_assessed":
            _go_on(told[event.handoff], event)
    for story in told.values():
        for pickup in story.pickups:
            _look_at(history, story, pickup)
    return list(told.values())


def _go_on(story: Story, event: Event) -> None:
    if event.kind == "handoff_picked_up":
        story.state = "picked_up"
        if event.actor != story.by:
            story.pickups.append(Pickup(event.actor, event.at))
        return
    if story.pickups and story.pickups[-1].end is None:
        last = story.pickups[-1]
        last.end, last.end_kind, last.end_by = event.at, event.kind, event.actor
    if event.kind == "handoff_released":
        story.state = "waiting"
    else:
        story.state = event.kind.removeprefix("handoff_")
        story.closed = event.at


def _look_at(history: History, story: Story, pickup: Pickup) -> None:
    for said in history.said:
        if said.session != story.session or said.author != pickup.by or said.kind != "engineer":
            continue
        if pickup.holds(said.at):
            pickup.actions.append(said.at)
            if said.step_of == story.id and said.use:
                pickup.uses.append((said.use, _how_it_went(history, pickup, said.id)))
    for tried in history.tried:
        if tried.session == story.session and tried.by == pickup.by and pickup.holds(tried.at):
            pickup.actions.append(tried.at)
    if pickup.end_kind == "handoff_resolved" and pickup.end_by == pickup.by:
        pickup.actions.append(pickup.end)


def _how_it_went(history: History, pickup: Pickup, message: UUID) -> str:
    outcome = ""
    for tried in history.tried:
        if tried.source == message and tried.by == pickup.by and pickup.holds(tried.at) and tried.outcome != "not_run":
            outcome = tried.outcome
    return outcome


def in_period(history: History, first: date, last: date) -> list[Story]:
    return [story for story in stories(history) if first <= story.at.astimezone(history.tz).date() <= last]


def seconds(start: datetime, end: datetime) -> float:
    return max(0.0, (end - start).total_seconds())


def percentile(values: list[float], level: int) -> float | None:
    if len(values) < ENOUGH[level]:
        return None
    ordered = sorted(values)
    place = (len(ordered) - 1) * level / 100
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def summary(values: list[float]) -> dict[str, Any]:
    told: dict[str, Any] = {"n": len(values), "avg": sum(values) / len(values) if values else None}
    for level in (50, 90, 95):
        told[f"p{level}"] = percentile(values, level)
    return told


def including_waiting(history: History, cohort: list[Story]) -> dict[str, Any]:
    """Kaplan–Meier by the book, with exact fractions."""
    seen = []
    for story in cohort:
        if story.first:
            seen.append((seconds(story.at, story.first.at), True))
        else:
            seen.append((seconds(story.at, history.as_of), False))
    told: dict[str, Any] = {"n": len(seen), "censored": sum(1 for _, came in seen if not came)}
    for level in (50, 90, 95):
        still = Fraction(1)
        reached = None
        for moment in sorted({wait for wait, came in seen if came}):
            at_risk = sum(1 for wait, _ in seen if wait >= moment)
            came_now = sum(1 for wait, came in seen if came and wait == moment)
            still *= 1 - Fraction(came_now, at_risk)
            if still <= 1 - Fraction(level, 100):
                reached = moment
                break
        enough = len(seen) >= ENOUGH[level]
        told[f"p{level}"] = reached if enough else None
        told[f"at_least_{level}"] = max(wait for wait, _ in seen) if enough and reached is None else None
    return told


def figures(history: History, first: date, last: date) -> dict[str, Any]:
    cohort = in_period(history, first, last)
    picked = [story for story in cohort if story.pickups]
    unseen = [story for story in cohort if story.taken_back_unseen]
    pickups = [pickup for story in picked for pickup in story.pickups]
    converted = [story for story in picked if story.acted]
    resolved = [story for story in picked if story.resolved]
    known = [story for story in picked if story.closed and story.closed + timedelta(days=7) <= history.as_of]
    again = [s for s in known if s.next_escalation and s.next_escalation <= s.closed + timedelta(days=7)]
    idle = [pickup for pickup in pickups if pickup.end_kind == "handoff_released" and not pickup.actions]
    ids = {story.id for story in cohort}
    refused = [attempt for attempt in history.refused if attempt.handoff in ids]
    not_picked = len(cohort) - len(picked)
    waiting = [story for story in cohort if story.state == "waiting"]
    return {
        "escalations": (len(cohort), len(cohort), {}),
        "waiting": len(waiting),
        "oldest": min((story.at for story in waiting), default=None),
        "pickup_rate": (len(picked), len(cohort) - len(unseen), {"taken_back": len(unseen)}),
        "conversion_rate": (
            len(converted),
            len(picked),
            {"taken_back": len(unseen), "waiting": not_picked - len(unseen)},
        ),
        "n_immature": sum(
            1 for s in picked if not s.acted and s.pickups[-1].at > history.as_of - timedelta(minutes=30)
        ),
        "end_to_end_conversion": (len(resolved), len(cohort) - len(unseen), {"taken_back": len(unseen)}),
        "re_escalation_rate": (
            len(again),
            len(known),
            {"too_young": len(picked) - len(known), "not_picked_up": not_picked},
        ),
        "release_rate": (len(idle), len(pickups), {}),
        "refused_pickups": (len(refused), len(pickups), {}),
        **_ai(history, cohort, picked),
        "time_to_pickup": summary([seconds(s.at, s.first.at) for s in picked]),
        "including_waiting": including_waiting(history, cohort),
        "time_to_first_action": summary([seconds(s.acted.at, min(s.acted.actions)) for s in converted]),
        "time_to_resolution": summary([seconds(s.at, s.resolved) for s in resolved]),
        "hands_on": summary([seconds(s.first.at, s.resolved) for s in resolved]),
    }


def _ai(history: History, cohort: list[Story], picked: list[Story]) -> dict[str, Any]:
    on = [story for story in cohort if _assessment(history, story).state != "disabled"]
    picked_on = [story for story in picked if story in on]
    ready = [story for story in picked_on if _how_it_stood(history, story) == "ready"]
    in_budget = [story for story in on if _is_in_budget(history, story)]
    with_steps = [story for story in ready if _assessment(history, story).steps]
    used = [story for story in with_steps if any(pickup.uses for pickup in story.pickups)]
    uses = [use for story in with_steps for pickup in story.pickups for use in pickup.uses]
    outcomes = [went for _, went in uses if went]
    reasons = Counter(_how_it_stood(history, story) for story in picked_on)
    not_picked = len(cohort) - len(picked)
    return {
        "assessment_availability": (
            len(ready),
            len(picked_on),
            {"ai_disabled": len(picked) - len(picked_on), "not_picked_up": not_picked},
        ),
        "within_budget": (len(in_budget), len(on), {"ai_disabled": len(cohort) - len(on)}),
        "reasons": {reason: reasons[reason] for reason in ("late", "pending", "timed_out", "failed")},
        "step_use": (
            len(used),
            len(with_steps),
            {"no_steps": len(picked) - len(with_steps), "not_picked_up": not_picked},
        ),
        "sent_unchanged": (sum(1 for how, _ in uses if how == "sent_unchanged"), len(uses)),
        "step_worked": (outcomes.count("worked"), len(outcomes)),
    }


def _assessment(history: History, story: Story) -> Any:
    return history.assessed[story.id]


def _is_in_budget(history: History, story: Story) -> bool:
    told = _assessment(history, story)
    return told.state == "ready" and seconds(told.requested_at, told.finished_at) <= SECONDS_OF_BUDGET


def _how_it_stood(history: History, story: Story) -> str:
    told, pickup = _assessment(history, story), story.first
    if told.state == "ready":
        return "ready" if told.finished_at <= pickup.at else "late"
    if told.state == "pending":
        return "timed_out" if told.deadline <= pickup.at else "pending"
    return told.state


def trend(history: History, first: date, last: date) -> list[tuple[Any, ...]]:
    """(first day of the bucket, escalations, acted on, picked up, median wait)."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    daily = len(days) <= 31
    buckets: dict[Any, list[Story]] = {(day if daily else day.isocalendar()[:2]): [] for day in days}
    starts = {}
    for day in days:
        starts.setdefault(day if daily else day.isocalendar()[:2], day)
    for story in in_period(history, first, last):
        day = story.at.astimezone(history.tz).date()
        buckets[day if daily else day.isocalendar()[:2]].append(story)
    rows = []
    for key, cohort in buckets.items():
        picked = [story for story in cohort if story.pickups]
        waits = [seconds(story.at, story.first.at) for story in picked]
        acted = sum(1 for story in picked if story.acted)
        rows.append((starts[key], len(cohort), acted, len(picked), percentile(waits, 50)))
    return rows


def load(history: History, first: date, last: date) -> dict[tuple[int, int], int]:
    hours: Counter[tuple[int, int]] = Counter()
    for story in in_period(history, first, last):
        local = story.at.astimezone(history.tz)
        hours[local.isoweekday(), local.hour] += 1
    return dict(hours)


def people(history: History, first: date, last: date) -> dict[UUID, tuple[Any, ...]]:
    """(escalated, pickups, acted, put back idle, resolved, median to action, median hands-on) by person."""
    cohort = in_period(history, first, last)
    escalated = Counter(story.by for story in cohort)
    by_person: dict[UUID, list[Pickup]] = defaultdict(list)
    for story in cohort:
        for pickup in story.pickups:
            by_person[pickup.by].append(pickup)
    told = {}
    for person in {*escalated, *by_person}:
        pickups = by_person[person]
        acted = [pickup for pickup in pickups if pickup.actions]
        idle = [pickup for pickup in pickups if pickup.end_kind == "handoff_released" and not pickup.actions]
        resolved = [p for p in pickups if p.end_kind == "handoff_resolved" and p.end_by == p.by]
        told[person] = (
            escalated[person],
            len(pickups),
            len(acted),
            len(idle),
            len(resolved),
            percentile([seconds(pickup.at, min(pickup.actions)) for pickup in acted], 50),
            percentile([seconds(pickup.at, pickup.end) for pickup in resolved], 50),
        )
    return told
