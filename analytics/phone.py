"""Hand-offs by phone that somebody measured, beside how long it takes here. Two medians, each with its n: nothing is
subtracted, and nothing is claimed to be saved."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from django.db import connection, transaction

from analytics.figures import MIN_N
from analytics.models import PhoneHandOff
from analytics.periods import Period
from escalations.actions.refusals import Conflict, NotAllowed
from escalations.masking import mask
from resolutionflow.accounts.models import Account, User
from resolutionflow.trail import record

LEAST = 5  # samples; below, a stopwatch says more about one call than about the team
MOST = 500

HERE = """
    SELECT count(*), percentile_cont(0.5) WITHIN GROUP (
        ORDER BY greatest(0, extract(epoch FROM first_action_at - escalated_at)::float8)
    )
    FROM analytics_handoff
    WHERE account_id = %(account)s AND escalated_at >= %(start)s AND escalated_at < %(end)s
        AND first_action_at IS NOT NULL
"""


@dataclass(frozen=True)
class Baseline:
    """`by_phone` is the median of all `samples` in seconds, None below five of them; `here` that of the period's
    escalation → first action of the picker, None below three."""

    samples: Sequence[PhoneHandOff]
    by_phone: float | None
    here_n: int
    here: float | None

    least = LEAST

    @property
    def n(self) -> int:
        return len(self.samples)


def baseline(account: Account, period: Period) -> Baseline:
    """The caller has called `facts.catch_up`."""
    samples = list(PhoneHandOff.objects.for_account(account).select_related("recorded_by"))
    told: dict[str, Any] = {"account": account.pk, "start": period.start, "end": period.end}
    with connection.cursor() as cursor:
        cursor.execute(HERE, told)
        n, here = cursor.fetchone()
    by_phone = median(sample.seconds for sample in samples) if len(samples) >= LEAST else None
    return Baseline(samples, by_phone, n, here if n >= MIN_N[50] else None)


def add(account: Account, *, by: User, seconds: int, note: str = "") -> PhoneHandOff:
    """Keep one sample. Raises NotAllowed for anybody but owners and admins, Conflict where there are 500."""
    _require(by)
    with transaction.atomic():
        if PhoneHandOff.objects.for_account(account).count() >= MOST:
            raise Conflict(f"There are {MOST} samples. Remove one before you add another.")
        sample = PhoneHandOff.objects.create(account=account, recorded_by=by, seconds=seconds, note=mask(note))
        record("phone_handoff_added", account=account, by=by, about=f"sample {sample.pk}", seconds=seconds)
    return sample


def remove(sample: PhoneHandOff, *, by: User) -> None:
    """Take a sample out. Raises NotAllowed for anybody but owners and admins."""
    _require(by)
    with transaction.atomic():
        removed, _ = PhoneHandOff.objects.filter(pk=sample.pk).delete()
        if removed:
            told = {"seconds": sample.seconds}
            record("phone_handoff_removed", account=sample.account, by=by, about=f"sample {sample.pk}", **told)


def _require(by: User) -> None:
    if not by.may_see_analytics:
        raise NotAllowed("The analytics are for owners and admins.")
