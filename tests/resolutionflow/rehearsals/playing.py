"""A rehearsal whose clock only the test moves."""

from escalations.models import Handoff
from resolutionflow.demo.rehearsal import Plan, Play

PLAN = Plan(id="0a1b2c3d", account="harbor-it", until=300, every=20, seed=7)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def play(clock: Clock, plan: Plan = PLAN) -> Play:
    return Play.of(plan, clock=clock)


def until(played: Play, clock: Clock, then: float, *, step: float = 0.5) -> None:
    """The product's seconds pass."""
    while clock.now < then:
        clock.now += step
        played.tick()


def made() -> list[Handoff]:
    return list(Handoff.objects.filter(session__external_id__startswith="rehearsal ").order_by("created_at", "id"))
