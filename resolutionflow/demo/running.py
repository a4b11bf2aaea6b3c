"""Start a rehearsal, stop it, and say whether one runs. It is a job: the worker plays it, so its cards arrive live."""

import random
import time
import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection, transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from escalations.actions.refusals import Conflict
from resolutionflow.demo import people
from resolutionflow.demo.rehearsal import Plan

REHEARSE = "resolutionflow.tasks.rehearse"
LOCK = 0x52454845  # "REHE"
STALE_SECONDS = 60  # a worker that died leaves a job behind, which says nothing after that
MOST_MINUTES = 240


@dataclass(frozen=True)
class Running:
    """`begun`: a worker is at it. `stopping`: somebody has asked it to end."""

    job_id: int
    plan: Plan
    begun: bool
    stopping: bool

    @property
    def until(self) -> datetime:
        return datetime.fromtimestamp(self.plan.until, UTC)

    @property
    def minutes_left(self) -> int:
        return max(0, round((self.plan.until - time.time()) / 60))


def refuse_elsewhere() -> None:
    """Raises Conflict where this is no demonstration: a rehearsal's escalations would stand among real ones."""
    if not settings.DEMO or not people.are_there():
        raise Conflict("A rehearsal needs a demonstration: its people, and nobody else's. `manage.py demo` makes one.")


def running() -> Running | None:
    jobs = ProcrastinateJob.objects.filter(task_name=REHEARSE, status__in=["todo", "doing"]).order_by("-id")
    for job in jobs[:1]:
        plan = Plan(**job.args)
        if time.time() < plan.until + STALE_SECONDS:
            return Running(job.pk, plan, job.status == "doing", job.abort_requested)
    return None


def start(
    *,
    account: str = people.TEAMS[0].slug,
    minutes: float = 5,
    every: float = 20,
    rival: bool = True,
    seed: int | None = None,
    haste: float = 1,
) -> Plan:
    """Have the worker begin. Raises Conflict where one runs, or this is no demonstration."""
    refuse_elsewhere()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])  # of two presses one starts it
        if running():
            raise Conflict("A rehearsal is running already. Stop it first, or wait for its end.")
        plan = Plan(
            id=uuid.uuid4().hex[:8],
            account=account,
            until=time.time() + minutes * 60,
            every=every,
            rival=rival,
            seed=random.randrange(1_000_000) if seed is None else seed,  # noqa: S311 nothing here is a secret
            haste=haste,
        )
        app.configure_task(REHEARSE).defer(**asdict(plan))
    return plan


def stop() -> bool:
    """Ask for its end, which comes within a second or two. False if none runs."""
    found = running()
    return found is not None and app.job_manager.cancel_job_by_id(found.job_id, abort=True)
