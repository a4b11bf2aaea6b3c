"""Mistakes in the SQL of each figure, made on purpose; the comparison with the oracle catches them all.

Each is a context manager that patches the product while it is open.
"""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta
from typing import Any
from unittest import mock

from django.db.models import Max, Q

from analytics import breakdowns, derivation, facts, figures, metrics, survival, tallies
from analytics.periods import Period
from escalations.models import RefusedPickup

Mutant = Callable[[], Any]
MUTANTS: dict[str, tuple[str, Mutant]] = {}


def mutant(figure: str) -> Callable[[Mutant], Mutant]:
    """Register a mistake in `figure`."""

    def register(mistake: Mutant) -> Mutant:
        MUTANTS[mistake.__name__] = (figure, mistake)
        return mistake

    return register


def _figure(name: str, **changes: Any) -> Any:
    found = tuple(dataclasses.replace(rate, **changes) if rate.name == name else rate for rate in figures.RATES)
    within = next(rate for rate in found if rate.name == "within_budget")
    return _patched((metrics, "RATES", found), (tallies, "RATES", found), (metrics, "IN_BUDGET", within))


@contextmanager
def _patched(*changes: tuple[Any, str, Any]) -> Iterator[None]:
    if not changes:
        yield
        return
    (target, name, value), *others = changes
    with mock.patch.object(target, name, value), _patched(*others):
        yield


def _derived(before: str, after: str, *, count: int = 1) -> Any:
    sql = derivation.derive()
    assert sql.count(before) >= count, f"the SQL has no {before!r} any more"
    return _patched((facts, "derive", lambda: sql.replace(before, after)))


def _curve(before: str, after: str) -> Any:
    assert before in survival.CURVE
    return _patched((survival, "CURVE", survival.CURVE.replace(before, after)))


# The cohort


@mutant("escalations")
def the_end_of_the_period_is_included() -> Any:
    original = tallies.of

    def of(account: Any, edges: Any, moment: Any) -> Any:
        return original(account, [*edges[:-1], edges[-1] + timedelta(microseconds=1)], moment)

    return _patched((tallies, "of", of))


@mutant("escalations")
def what_is_held_counts_as_waiting() -> Any:
    return _figure("escalations", also={"waiting": lambda moment: Q(state__in=["waiting", "picked_up"])})


@mutant("escalations")
def the_oldest_is_the_newest() -> Any:
    return _patched((tallies, "Min", Max))


# Rates


@mutant("pickup_rate")
def what_was_taken_back_counts_against_the_pickup_rate() -> Any:
    return _figure("pickup_rate", denominator=lambda moment: Q())


@mutant("pickup_rate")
def what_waits_does_not_count_against_the_pickup_rate() -> Any:
    return _figure("pickup_rate", denominator=figures.picked_up)


@mutant("conversion_rate")
def lines_of_the_system_are_actions() -> Any:
    return _derived("AND message.kind = 'engineer' AND", "AND")


@mutant("conversion_rate")
def others_actions_count() -> Any:
    return _derived("AND step.by_id = move.actor_id AND step.created_at >= move.at", "AND step.created_at >= move.at")


@mutant("conversion_rate")
def actions_after_the_release_count() -> Any:
    return _derived("AND (move.next_at IS NULL OR step.created_at < move.next_at)", "")


@mutant("conversion_rate")
def a_resolution_is_no_action() -> Any:
    return _derived("                resolution.at\n            ) AS at", "                NULL\n            ) AS at")


@mutant("conversion_rate")
def only_what_still_is_picked_up_converts() -> Any:
    return _figure("conversion_rate", denominator=lambda moment: Q(state__in=["picked_up", "resolved"]))


@mutant("conversion_rate")
def an_hour_old_is_immature() -> Any:
    return _patched((figures, "IMMATURE", timedelta(minutes=60)))


@mutant("end_to_end_conversion")
def end_to_end_over_the_picked_up() -> Any:
    return _figure("end_to_end_conversion", denominator=figures.picked_up)


@mutant("re_escalation_rate")
def nobody_waits_seven_days_to_know() -> Any:
    return _figure(
        "re_escalation_rate", denominator=lambda moment: figures.picked_up(moment) & Q(closed_at__isnull=False)
    )


@mutant("re_escalation_rate")
def an_escalation_long_after_counts() -> Any:
    return _figure(
        "re_escalation_rate", numerator=lambda moment: figures.old_enough(moment) & Q(followed_at__isnull=False)
    )


@mutant("re_escalation_rate")
def the_last_escalation_is_its_own_successor() -> Any:
    return _derived("next.seq > escalation.seq", "next.seq >= escalation.seq")


@mutant("release_rate")
def every_release_is_idle() -> Any:
    return _derived("WHERE was_released AND first_action_at IS NULL", "WHERE was_released")


@mutant("release_rate")
def releases_are_divided_by_handoffs() -> Any:
    original = tallies._conditions

    def conditions(figure: Any, moment: Any) -> Any:
        parts = original(figure, moment)
        return parts | {"denominator": Q(pickups__gt=0)} if figure.unit == "pickups" else parts

    return _patched((tallies, "_conditions", conditions))


@mutant("refused_pickups")
def all_refusals_of_the_account_count() -> Any:
    return _patched((metrics, "refusals", lambda account, period: RefusedPickup.objects.for_account(account)))


@mutant("assessment_availability")
def ready_is_ready_however_late() -> Any:
    return _derived(
        "WHEN assessment.state = 'ready' AND assessment.finished_at <= held.first_pickup_at THEN 'ready'",
        "WHEN assessment.state = 'ready' THEN 'ready'",
    )


@mutant("assessment_availability")
def accounts_without_ai_stay_in_the_denominator() -> Any:
    return _figure("assessment_availability", denominator=figures.picked_up)


@mutant("assessment_availability")
def what_nobody_gave_up_is_still_being_made() -> Any:
    return _derived("WHEN assessment.deadline <= held.first_pickup_at THEN 'timed_out'", "")


@mutant("within_budget")
def ready_at_all_is_within_the_budget() -> Any:
    return _figure("within_budget", numerator=lambda moment: Q(ai_disabled=False, ready_seconds__isnull=False))


@mutant("step_use")
def steps_that_came_late_were_there() -> Any:
    return _derived("AND assessment.finished_at <= held.first_pickup_at\n            AND jsonb", "AND jsonb")


@mutant("step_use")
def an_empty_list_has_steps() -> Any:
    return _derived("AND assessment.data -> 'suggested_steps' <> '[]'", "")


@mutant("step_use")
def the_escalators_own_use_counts() -> Any:
    return _derived(
        "AND message.author_id = move.actor_id\n                AND message.step_handoff_id",
        "AND message.step_handoff_id",
    )


@mutant("step_use")
def edited_is_unchanged() -> Any:
    return _derived("message.step_use = 'sent_unchanged'", "message.step_use <> ''")


@mutant("step_use")
def not_run_is_an_outcome() -> Any:
    return _derived("AND step.outcome <> 'not_run' AND", "AND")


@mutant("step_use")
def the_first_outcome_stands() -> Any:
    return _derived("ORDER BY step.position DESC", "ORDER BY step.position")


@mutant("release_rate")
def what_was_undone_counts() -> Any:
    return _derived("WHERE NOT (undoes OR is_undone)", "")


# Durations


@mutant("time_to_pickup")
def the_last_pickup_counts() -> Any:
    return _derived("min(picked_up_at) AS first_pickup_at", "max(picked_up_at) AS first_pickup_at")


@mutant("time_to_pickup")
def only_the_undoing_counts_as_nothing() -> Any:
    return _derived("NOT (undoes OR is_undone)", "NOT undoes")


@mutant("time_to_pickup")
def percentiles_are_values_that_are_there() -> Any:
    original = metrics.Percentiles

    def discrete(name: str, fractions: Any, function: str = "percentile_disc") -> Any:
        return original(name, fractions, "percentile_disc")

    return _patched((metrics, "Percentiles", discrete))


@mutant("time_to_pickup")
def two_are_enough_for_a_median() -> Any:
    return _patched((metrics, "MIN_N", {50: 2, 90: 10, 95: 20}))


@mutant("including_waiting")
def what_waits_is_forgotten() -> Any:
    return _curve("FROM cohort WHERE pickup_seconds IS NULL", "FROM cohort WHERE false")


@mutant("including_waiting")
def of_ties_the_waiting_come_first() -> Any:
    return _curve(
        "- width_bucket(-pickup_seconds, ARRAY(SELECT -waited FROM censored ORDER BY j DESC)) AS j",
        "- ((SELECT count(*) FROM censored) - width_bucket(pickup_seconds,"
        " ARRAY(SELECT waited FROM censored ORDER BY j))) AS j",
    )


@mutant("including_waiting")
def the_censored_do_not_leave_the_risk() -> Any:
    return _curve("THEN ln(", "THEN 0 * ln(")


@mutant("time_to_first_action")
def actions_are_measured_from_the_first_pickup() -> Any:
    return _derived(
        "min(picked_up_at) FILTER (WHERE first_action_at IS NOT NULL) AS acted_pickup_at",
        "min(picked_up_at) AS acted_pickup_at",
    )


@mutant("time_to_resolution")
def resolution_is_measured_from_the_pickup() -> Any:
    return _patched(
        (
            metrics,
            "DURATIONS",
            tuple(
                dataclasses.replace(duration, seconds="hands_on_seconds")
                if duration.name == "time_to_resolution"
                else duration
                for duration in figures.DURATIONS
            ),
        )
    )


@mutant("hands_on")
def hands_on_is_measured_from_the_last_pickup() -> Any:
    return _derived(
        "extract(epoch FROM held.resolved_at - held.first_pickup_at)",
        "extract(epoch FROM held.resolved_at - held.last_pickup_at)",
    )


# By time and person


@mutant("trend")
def days_are_utc() -> Any:
    original = Period.buckets

    def buckets(period: Period, now: Any) -> Any:
        in_utc = original(dataclasses.replace(period, tz=UTC), now)
        firsts = [bucket.first for bucket in original(period, now)]
        return [dataclasses.replace(bucket, first=first) for bucket, first in zip(in_utc, firsts, strict=False)]

    return _patched((Period, "buckets", buckets))


@mutant("trend")
def empty_buckets_are_left_out() -> Any:
    original = breakdowns.trend_of
    return _patched((breakdowns, "trend_of", lambda *told: [row for row in original(*told) if row.escalations]))


@mutant("load")
def hours_are_utc() -> Any:
    return _patched((breakdowns, "LOAD", breakdowns.LOAD.replace("AT TIME ZONE %(tz)s", "AT TIME ZONE 'UTC'")))


@mutant("people")
def every_release_is_somebodys_idle_one() -> Any:
    return _patched((breakdowns, "IDLE", Q(was_released=True)))


@mutant("people")
def the_switched_off_are_left_out() -> Any:
    original = breakdowns.people
    return _patched((breakdowns, "people", lambda *told: [work for work in original(*told) if work.person.is_active]))


@mutant("previous")
def the_period_before_overlaps() -> Any:
    original = Period.before
    return _patched((Period, "before", lambda period: dataclasses.replace(original(period), end=period.end)))
