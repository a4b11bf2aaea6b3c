"""What an assessor is: plain data in, plain data out, no database.

`assess` gets a `Case` (the frozen snapshot and what the team's history offers) and returns an `Assessment`. Its text
is data: plain, bounded, without secrets, never markup.
"""

import unicodedata
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from escalations.assessor.harm import warning_for
from escalations.masking import mask

SUMMARY_LENGTH = 1_200
CAUSE_LENGTH = 600
STEP_LENGTH = 200
MOST_STEPS = 5
MOST_FACTS = 6

Confidence = Literal["low", "medium", "high"]


@dataclass(frozen=True)
class Source:
    """Where a statement comes from: a message of this session, a resolved session, or a runbook."""

    kind: Literal["message", "session", "runbook"]
    id: str
    title: str

    def as_data(self) -> dict[str, str]:
        return {**asdict(self), "title": shown(self.title, STEP_LENGTH)}


@dataclass(frozen=True)
class TriedStep:
    description: str
    outcome: str
    note: str = ""


@dataclass(frozen=True)
class PastSession:
    """A resolved session of the same account. `score` says how like the case it is: from about 0, nothing in common,
    to 2, the same text. Over real cases the right one is around 0.8, the best wrong one around 0.7."""

    id: str
    title: str
    problem: str
    resolution: str
    steps: tuple[TriedStep, ...]
    score: float


@dataclass(frozen=True)
class Page:
    """A page of the team's own runbook. `steps` are in order; `score` is as in PastSession."""

    id: str
    title: str
    steps: tuple[str, ...]
    score: float


@dataclass(frozen=True)
class Case:
    """What is to be assessed. `messages` are (id, number, author, body), in order; `past` and `pages` best first."""

    title: str
    problem: str
    reason: str
    messages: tuple[tuple[str, int, str, str], ...]
    steps: tuple[TriedStep, ...]
    past: tuple[PastSession, ...]
    pages: tuple[Page, ...] = ()


@dataclass(frozen=True)
class Grounds:
    """What a statement rests on. Unsupported: nothing that it cites exists, or it cites nothing."""

    sources: tuple[Source, ...] = ()
    unsupported: bool = False

    def as_data(self) -> dict[str, Any]:
        return {"sources": [source.as_data() for source in self.sources], "unsupported": self.unsupported}


@dataclass(frozen=True)
class SuggestedStep:
    text: str
    sources: tuple[Source, ...]
    warning: str = ""
    unsupported: bool = False

    def as_data(self) -> dict[str, Any]:
        """With our own warning where the text would change or remove something, whatever the assessor says."""
        text = shown(self.text, STEP_LENGTH)
        warning = warning_for(self.text) or shown(self.warning, STEP_LENGTH)
        return {
            "text": text,
            "sources": [source.as_data() for source in self.sources],
            **({"warning": warning} if warning else {}),
            **({"unsupported": True} if self.unsupported else {}),
        }


@dataclass(frozen=True)
class Assessment:
    """`grounds` holds those of the statements, if the assessor gives any: of `summary_prose`, of `likely_cause`, and
    of `what_we_know` in its order."""

    summary_prose: str
    what_we_know: tuple[str, ...]
    likely_cause: str
    suggested_steps: tuple[SuggestedStep, ...]
    confidence: Confidence
    sources: tuple[Source, ...] = field(default=())
    summary_grounds: Grounds | None = None
    cause_grounds: Grounds | None = None
    fact_grounds: tuple[Grounds, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """The assessment as JSON: plain text, no control or bidi characters, within the lengths above."""
        return {
            "summary_prose": shown(self.summary_prose, SUMMARY_LENGTH),
            "what_we_know": [shown(fact, STEP_LENGTH) for fact in self.what_we_know[:MOST_FACTS]],
            "likely_cause": shown(self.likely_cause, CAUSE_LENGTH),
            "suggested_steps": [step.as_data() for step in self.suggested_steps[:MOST_STEPS]],
            "confidence": self.confidence,
            "sources": [source.as_data() for source in self.sources],
            **self._grounds_as_data(),
        }

    def _grounds_as_data(self) -> dict[str, Any]:
        if self.summary_grounds is None and self.cause_grounds is None and not self.fact_grounds:
            return {}
        return {
            "grounds": {
                "summary_prose": (self.summary_grounds or Grounds()).as_data(),
                "likely_cause": (self.cause_grounds or Grounds()).as_data(),
                "what_we_know": [grounds.as_data() for grounds in self.fact_grounds[:MOST_FACTS]],
            }
        }


def shown(text: str, length: int) -> str:
    """`text` as it may stand on a screen: plain, and without secrets."""
    return plain(mask(text), length)


def plain(text: str, length: int) -> str:
    """`text` without control and formatting characters, at most `length` long, cut at a word."""
    hidden = {"Cc", "Cf", "Cs", "Co", "Cn"}
    allowed = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in hidden).strip()
    if len(allowed) <= length:
        return allowed
    return allowed[: length - 1].rsplit(" ", 1)[0].rstrip(" ,;.") + "…"
