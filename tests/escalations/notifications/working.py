"""What a channel is made with, and a worker whose time is simulated."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from escalations.actions import channels, jobs
from escalations.models import Channel
from escalations.models.channel import TOLD, all_priorities
from escalations.notifications import tasks
from resolutionflow.accounts.models import User

TASKS = {jobs.TELL: tasks.tell, jobs.DELIVER: tasks.deliver, jobs.DELIVER_ONE: tasks.deliver_one}


def add(by: User, target: str, **other) -> tuple[Channel, str]:
    told = {"kind": "webhook", "name": "Ours", "kinds": TOLD, "priorities": all_priorities()}
    return channels.add(by=by, target=target, **(told | other))


def edit(channel: Channel, *, by: User, **change) -> None:
    """All of it stays as it is, but for what is said."""
    told = {"name": channel.name, "target": "", "kinds": channel.kinds, "priorities": channel.priorities}
    channels.edit(channel, by=by, **(told | change))


class Clock:
    """The product's, as far as deliveries go: it stands still until somebody moves it."""

    def __init__(self) -> None:
        self.now: datetime = timezone.now()

    def time(self) -> float:
        return self.now.timestamp()

    def go(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass
class Job:
    task: str
    due: datetime
    told: dict


class Worker:
    """Does the jobs of notifications when they are due, in the order in which they were deferred, and no others."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.jobs: list[Job] = []

    def defer(self, task: str, *, after: timedelta | None = None, first: bool = True, **told: str) -> None:
        if task in TASKS:
            self.jobs.append(Job(task, self.clock.now + (after or timedelta()), told))

    def work(self) -> None:
        """Until nothing is left that may be done now."""
        while job := next((job for job in self.jobs if job.due <= self.clock.now), None):
            asyncio.run(TASKS[job.task](**job.told))
            self.jobs.remove(job)
