"""An assessment as pages show it: what it says, each statement with where it comes from.

`grounds` in the stored data says what the summary, the cause and each fact rest on; steps carry that themselves. Where
nothing is said about it (older assessments), nothing is marked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Source = Mapping[str, str]  # {"kind": "message|session|runbook", "id", "title"}
NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Statement:
    """Plain text. `unsupported`: it cites nothing, or nothing of what it cites exists."""

    text: str
    sources: tuple[Source, ...] = ()
    unsupported: bool = False
    warning: str = ""


@dataclass(frozen=True)
class Shown:
    """The parts of an assessment in the order in which they are read."""

    summary: Statement
    facts: tuple[Statement, ...]
    cause: Statement
    steps: tuple[Statement, ...]
    confidence: str
    sources: tuple[Source, ...]

    @property
    def doubts(self) -> bool:
        """Whether anything in it is marked as unsupported."""
        return any(each.unsupported for each in (self.summary, *self.facts, self.cause, *self.steps))


def of(data: Mapping[str, Any]) -> Shown:
    """The stored `data` of an assessment; what is missing in it is empty."""
    grounds = data.get("grounds", NOTHING)
    facts = data.get("what_we_know", [])
    fact_grounds = [*grounds.get("what_we_know", []), *[NOTHING] * len(facts)]
    return Shown(
        summary=_grounded(data.get("summary_prose", ""), grounds.get("summary_prose", NOTHING)),
        facts=tuple(map(_grounded, facts, fact_grounds)),
        cause=_grounded(data.get("likely_cause", ""), grounds.get("likely_cause", NOTHING)),
        steps=tuple(map(_step, data.get("suggested_steps", []))),
        confidence=data.get("confidence", "low"),
        sources=tuple(data.get("sources", [])),
    )


def _grounded(text: str, grounds: Mapping[str, Any]) -> Statement:
    return Statement(text, tuple(grounds.get("sources", [])), grounds.get("unsupported", False))


def _step(told: Mapping[str, Any]) -> Statement:
    sources = tuple(told.get("sources", []))
    return Statement(told["text"], sources, told.get("unsupported", not sources), told.get("warning", ""))
