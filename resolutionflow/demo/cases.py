"""The material: cases of the two teams, from the JSON lines beside this module."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESOLVED = {"harbor-it": ("harbor-a.jsonl", "harbor-b.jsonl"), "summit-desk": ("summit-a.jsonl",)}
OPEN = "open.jsonl"


@dataclass(frozen=True)
class Step:
    description: str
    outcome: str
    note: str = ""


@dataclass(frozen=True)
class Escalation:
    """`after_steps` were tried before it; the others by whoever picked it up."""

    reason: str
    priority: str
    after_steps: int


@dataclass(frozen=True)
class Case:
    title: str
    client_name: str
    ticket_ref: str
    category: str
    problem: str
    messages: tuple[tuple[str, str], ...]  # (author, body)
    steps: tuple[Step, ...]
    resolution: str
    escalation: Escalation | None


def resolved(slug: str) -> list[Case]:
    """The team's solved cases, in order of their ticket numbers, which is how they came in."""
    return sorted((_case(raw) for name in RESOLVED[slug] for raw in _read(name)), key=lambda case: case.ticket_ref)


def still_open(slug: str) -> list[Case]:
    return [_case(raw) for raw in _read(OPEN) if raw["account"] == slug]


def _read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HERE / name).read_text("utf-8").splitlines() if line.strip()]


def _case(raw: dict[str, Any]) -> Case:
    return Case(
        title=raw["title"],
        client_name=raw["client_name"],
        ticket_ref=raw["ticket_ref"],
        category=raw["category"],
        problem=raw["problem"],
        messages=tuple((message["author"], message["body"]) for message in raw["messages"]),
        steps=tuple(Step(**step) for step in raw["steps"]),
        resolution=raw.get("resolution", ""),
        escalation=Escalation(**raw["escalation"]) if "escalation" in raw else None,
    )
