"""A model's answer, as it is: any text at all. Here it becomes an assessment, or is refused.

Lenient about form (a statement may be a bare text, a source a label or an object), strict about what counts: lengths,
and sources that exist.
"""

import re
from typing import Annotated, Any, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from escalations.assessor import (
    MOST_FACTS,
    MOST_STEPS,
    Assessment,
    Confidence,
    Grounds,
    Source,
    SuggestedStep,
    plain,
)
from escalations.assessor.prompts import Labels

MOST_SOURCES = 6
MOST_TEXT = 4_000  # of one statement, before it is cut to its length
CITED = re.compile(r"\s*[\[(]\s*([msr]\d{1,4}(?:\s*[,;]\s*[msr]\d{1,4})*)\s*[\])]", re.IGNORECASE)


def _text(value: Any) -> str:
    return str(value)[:MOST_TEXT] if isinstance(value, str | int | float) else ""


def _sources(value: Any) -> list[Any]:
    return [one for one in value if isinstance(one, str | dict)][:50] if isinstance(value, list) else []


def _statement(value: Any) -> Any:
    return value if isinstance(value, dict) else {"text": _text(value)}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if isinstance(value, str | dict) else []


def _confidence(value: Any) -> str:
    return value.lower() if isinstance(value, str) and value.lower() in {"low", "medium", "high"} else "low"


Text = Annotated[str, BeforeValidator(_text)]
Sources = Annotated[
    list[Any],
    BeforeValidator(_sources),
    WithJsonSchema({"type": "array", "items": {"type": "string"}, "description": "labels, such as m2 or s1"}),
]


class Said(BaseModel):
    """One statement or step, and the labels that it rests on."""

    model_config = ConfigDict(extra="ignore")

    text: Text
    sources: Sources = Field(default_factory=list)


class SaidStep(Said):
    warning: Text = ""


Statement = Annotated[Said, BeforeValidator(_statement)]
Step = Annotated[SaidStep, BeforeValidator(_statement)]


class Answered(BaseModel):
    """What a model is asked for. Without a summary it is no answer."""

    model_config = ConfigDict(extra="ignore")

    summary_prose: Statement
    what_we_know: Annotated[list[Statement], BeforeValidator(_list)] = Field(default_factory=list)
    likely_cause: Statement = Field(default_factory=lambda: Said(text=""))
    suggested_steps: Annotated[list[Step], BeforeValidator(_list)] = Field(default_factory=list)
    confidence: Annotated[
        str,
        BeforeValidator(_confidence),
        WithJsonSchema({"type": "string", "enum": ["low", "medium", "high"]}),
    ] = "low"


class Unusable(ValueError):
    """The model answered, but not with an assessment."""


def assessment_of(answered: Answered, labels: Labels) -> Assessment:
    """The assessment with the sources that it claims; `escalations.grounding` checks that they exist.

    Raises Unusable where nothing readable is left.
    """
    summary, summary_grounds = _grounded(answered.summary_prose, labels)
    cause, cause_grounds = _grounded(answered.likely_cause, labels)
    facts = [_grounded(fact, labels) for fact in answered.what_we_know[:MOST_FACTS]]
    facts = [(text, grounds) for text, grounds in facts if text]
    steps = [_step(step, labels) for step in answered.suggested_steps[:MOST_STEPS]]
    if not summary:
        raise Unusable("an assessment without a summary")
    return Assessment(
        summary_prose=summary,
        what_we_know=tuple(text for text, _ in facts),
        likely_cause=cause or "The model names no cause.",
        suggested_steps=tuple(step for step in steps if step.text),
        confidence=cast(Confidence, answered.confidence),
        summary_grounds=summary_grounds,
        cause_grounds=cause_grounds if cause else Grounds(),
        fact_grounds=tuple(grounds for _, grounds in facts),
    )


def without_labels(text: str) -> str:
    return CITED.sub("", text)


def cited_in(text: str, labels: Labels) -> list[Source]:
    """The sources that stand as labels in brackets in a text."""
    named = [label for match in CITED.finditer(text) for label in re.split(r"\s*[,;]\s*", match[1])]
    return _once(labels.source(label) for label in named)


def _step(said: SaidStep, labels: Labels) -> SuggestedStep:
    text, grounds = _grounded(said, labels)
    return SuggestedStep(text, grounds.sources, warning=said.warning)


def _grounded(said: Said, labels: Labels) -> tuple[str, Grounds]:
    claimed = [*(_claimed(one, labels) for one in said.sources), *cited_in(said.text, labels)]
    sources = tuple(_once(claimed))[:MOST_SOURCES]
    return plain(without_labels(said.text), MOST_TEXT), Grounds(sources, unsupported=not sources)


def _claimed(one: Any, labels: Labels) -> Source | None:
    if isinstance(one, str):
        return labels.source(one)
    named, kind = str(one.get("id", "")), one.get("kind")
    if known := labels.source(named):
        return known
    return Source(kind, named[:200], "") if kind in {"message", "session", "runbook"} else None


def _once(sources: Any) -> list[Source]:
    kept: dict[tuple[str, str], Source] = {}
    for source in sources:
        if source is not None:
            kept.setdefault((source.kind, source.id), source)
    return list(kept.values())
