"""How long until somebody comes, counting those for whom nobody came yet (Kaplan–Meier).

The median of the picked-up alone looks better the more are left waiting. Here an escalation that nobody picked up
counts as not picked up until `as_of`, whether it still waits or was taken back.

The share that still waits after the k-th pickup is the product of (1 − 1/at risk) over all pickups until then. Between
two escalations without a pickup (censored, in the word of the method) that product telescopes, so that only their
ranks have to be known: after j of them and k pickups, of N, it is (N − k − j)/N · ∏ n/(n − 1) over the at-risk numbers
n of those j. So nothing is sorted but the few censored; the k-th wait itself is a percentile like the others.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from analytics.figures import MIN_N
from analytics.periods import Period
from resolutionflow.accounts.models import Account

LEVELS = (50, 90, 95)
NOTHING: list[float | None] = [None] * len(LEVELS)

# Of what happens after the same time, pickups come first: hence the sorting from the other end, where width_bucket
# counts what is at least as long. The tolerance is for sums of logarithms.
CURVE = """
    WITH cohort AS NOT MATERIALIZED (
        SELECT pickup_seconds, greatest(0, extract(epoch FROM %(as_of)s - escalated_at)::float8) AS waited
        FROM analytics_handoff
        WHERE account_id = %(account)s AND escalated_at >= %(start)s AND escalated_at < %(end)s
    ), censored AS MATERIALIZED (
        SELECT waited, row_number() OVER (ORDER BY waited) AS j FROM cohort WHERE pickup_seconds IS NULL
    ), counted AS MATERIALIZED (
        SELECT (SELECT count(*) FROM censored)
            - width_bucket(-pickup_seconds, ARRAY(SELECT -waited FROM censored ORDER BY j DESC)) AS j,
            count(*) AS pickups, max(pickup_seconds) AS longest
        FROM cohort WHERE pickup_seconds IS NOT NULL GROUP BY 1
    ), told AS (
        SELECT coalesce((SELECT sum(pickups) FROM counted), 0) AS pickups, (SELECT count(*) FROM censored) AS censored,
            greatest((SELECT max(longest) FROM counted), (SELECT max(waited) FROM censored)) AS longest
    ), stretch AS (  -- from the j-th censored to the next one; `before` and `upto` count pickups
        SELECT j, coalesce(sum(counted.pickups) OVER so_far, 0) - coalesce(counted.pickups, 0) AS before,
            coalesce(sum(counted.pickups) OVER so_far, 0) AS upto
        FROM generate_series(0, (SELECT censored FROM told)) AS j LEFT JOIN counted USING (j)
        WINDOW so_far AS (ORDER BY j)
    ), factor AS (
        SELECT j, before, upto, exp(sum(CASE WHEN j > 0 AND n - before - j > 0
            THEN ln((n - before - j + 1)::float8 / (n - before - j)::float8) ELSE 0 END) OVER (ORDER BY j)) AS factor, n
        FROM stretch, (SELECT pickups + censored AS n FROM told) AS all_of_them
    ), reached AS (
        SELECT level, min(k) AS k
        FROM (VALUES (0.5::float8), (0.9), (0.95)) AS wanted (level)
        CROSS JOIN factor
        CROSS JOIN LATERAL (
            SELECT greatest(ceil((n - j)::float8 - (1 - level) * n::float8 / factor - 1e-6), before + 1) AS k
        ) AS needed
        WHERE k <= upto GROUP BY level
    )
    SELECT pickups, censored, longest, ARRAY(
        SELECT reached.k FROM (VALUES (0.5::float8), (0.9), (0.95)) AS wanted (level)
        LEFT JOIN reached USING (level) ORDER BY level
    ) FROM told
"""


@dataclass(frozen=True)
class Curve:
    """Levels of the curve in seconds; `at_least` says the longest time seen, for a level that it does not reach."""

    n: int
    censored: int
    percentiles: dict[int, float | None]
    at_least: dict[int, float | None]

    @property
    def told(self) -> list[tuple[int, float | None, float | None]]:
        """(level, value, lower bound) of each level."""
        return [(level, self.percentiles[level], self.at_least[level]) for level in LEVELS]


@dataclass(frozen=True)
class Ranks:
    """Which pickup, from the shortest wait, reaches each level; None where none does."""

    pickups: int
    censored: int
    longest: float | None
    at: dict[int, int | None]

    def fractions(self) -> list[float]:
        """Where these pickups stand among all, for `percentile_disc`."""
        return [((self.at[level] or 1) - 0.5) / max(1, self.pickups) for level in LEVELS]

    def curve(self, waits: list[float | None] | None) -> Curve:
        """The curve, given the waits at `fractions`; a level of fewer than its minimum n is None without a bound."""
        n = self.pickups + self.censored
        values = dict(zip(LEVELS, waits or NOTHING, strict=True))
        known = [level for level in LEVELS if n >= MIN_N[level]]
        reached = {level: values[level] for level in known if self.at[level] is not None}
        bounds = {level: self.longest for level in known if level not in reached}
        return Curve(n, self.censored, {**dict.fromkeys(LEVELS), **reached}, {**dict.fromkeys(LEVELS), **bounds})


def ranks(account: Account, period: Period, *, as_of: datetime) -> Ranks:
    """The ranks that the period's curve needs."""
    told: dict[str, Any] = {"account": account.pk, "start": period.start, "end": period.end, "as_of": as_of}
    with connection.cursor() as cursor:
        cursor.execute(CURVE, told)
        pickups, censored, longest, found = cursor.fetchone()
    at = {level: None if k is None else int(k) for level, k in zip(LEVELS, found, strict=True)}
    return Ranks(int(pickups), censored, longest, at)
