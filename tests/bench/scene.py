"""Who takes part in the fan-out benchmarks: people with real cookies, real cards as frames, and a stranger."""

import json
import os
import statistics
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from tests.bench.processes import Crowd, Triggered

PEOPLE = 20


@dataclass
class Figure:
    """One line of the report: what was measured, in words and as a number beside its goal."""

    name: str
    value: float
    goal: float
    at_least: bool
    details: str
    unit: str = "×"

    @property
    def reached(self) -> bool:
        return self.value >= self.goal if self.at_least else self.value <= self.goal

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        mark = "reached" if self.reached else "MISSED "
        return f"{mark}  {self.value:7.2f} (goal {sign} {self.goal:g}) {self.name}\n           {self.details}"


@dataclass
class Scene:
    """One account with people, a second one with a stranger; `quick` is for trying the benchmark itself."""

    quick: bool
    cookies: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        from escalations.live import cards, groups
        from tests.factories import AccountFactory, HandoffFactory, UserFactory
        from tests.serving import cookie_of

        self.account = AccountFactory()
        self.people = [UserFactory(account=self.account) for _ in range(PEOPLE)]
        self.cookies = [cookie_of(person) for person in self.people]
        self.strangers = [cookie_of(UserFactory())]
        self.group = groups.queue_of(self.account.pk)
        self.card = cards.of_handoff(HandoffFactory(by=self.people[0]).pk)

    def times(self, full: int) -> int:
        """How often something is repeated."""
        return max(2, full // 5) if self.quick else full

    def frames(self, count: int, *, start: int, html: str = "") -> list[dict[str, Any]]:
        return [
            {
                "type": "handoff_created",
                "cursor": cursor,
                "handoff": str(cursor),
                "html": f"{html or self.card}{cursor}",
            }
            for cursor in range(start, start + count)
        ]


class Audience:
    """A server and the crowd that listens to it, a stranger among them all along."""

    def __init__(self, opened: ExitStack, scene: Scene, server: Triggered, count: int) -> None:
        self.scene, self.server, self.count = scene, server, count
        self.cursor = 1000  # far from what the database says, which only heartbeats carry
        opened.callback(server.kill)
        self.crowd = opened.enter_context(Crowd())
        path = "/ws/queue/" if "plain_websockets" not in " ".join(server.command) else f"/{scene.group}"
        self.path = path
        self.crowd.ask("open", port=server.port, path=path, cookies=scene.cookies, count=count)
        other = path if path == "/ws/queue/" else "/somebody-else"
        self.crowd.ask("open", port=server.port, path=other, cookies=scene.strangers, count=1, stranger=True)

    def hear(self, count: int, *, gap: float = 0, html: str = "", seconds: float = 40) -> "Heard":
        """Publish `count` frames and wait until everybody has each; check every one of them."""
        frames = self.scene.frames(count, start=self.cursor, html=html)
        self.cursor += count
        before = self.server.cpu_seconds()
        at = self.server.publish(self.scene.group, frames, gap=gap)
        got = self.crowd.ask("collect", frames=count, seconds=seconds)
        self.check(got, frames)
        return Heard(at, got["arrivals"], self.server.cpu_seconds() - before)

    def check(self, got: dict[str, Any], frames: list[dict[str, Any]]) -> None:
        assert [json.loads(text) for text in got["frames"]] == frames, (
            "not the frames that were published, or not in order"
        )
        assert [len(arrivals) for arrivals in got["arrivals"]] == [self.count] * len(frames)
        assert (got["wrong"], got["lost"], got["overflows"], got["strangers_got"]) == (0, 0, 0, 0), got


@dataclass
class Heard:
    """When each frame was published and when it arrived at each socket; the server's CPU seconds meanwhile."""

    at: list[float]
    arrivals: list[list[float]]
    cpu: float

    def until_last(self) -> list[float]:
        """Seconds until the last socket had each frame."""
        return [max(arrivals) - at for at, arrivals in zip(self.at, self.arrivals, strict=True)]

    def each(self) -> list[float]:
        return [arrived - at for at, arrivals in zip(self.at, self.arrivals, strict=True) for arrived in arrivals]

    def events_per_second(self) -> float:
        return len(self.at) / (max(map(max, self.arrivals)) - self.at[0])


def median(values: list[float]) -> float:
    return statistics.median(values)


def percentile(values: list[float], percent: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


def ms(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms"


def load() -> str:
    return "load " + " ".join(f"{figure:.1f}" for figure in os.getloadavg())
