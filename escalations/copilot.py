"""FlowPilot's answers in the chat, from the same providers as the assessment."""

from dataclasses import dataclass
from typing import Any

from escalations import snapshot
from escalations.assessor import Case, Source, SuggestedStep, providers, shown
from escalations.assessor.llm import ANSWER_LENGTH
from escalations.assessor.words import overlap

SAID_ALREADY = 0.8


@dataclass(frozen=True)
class Answer:
    """`unsupported`: a model said it and names no source. `why`: the playbook steps in for a model, because of that."""

    body: str
    sources: tuple[Source, ...] = ()
    unsupported: bool = False
    why: str = ""

    def sources_as_data(self) -> list[dict[str, str]]:
        return [source.as_data() for source in self.sources]

    def as_written(self) -> dict[str, Any]:
        """What goes into the conversation; before it, why it is not the model that answers."""
        why = f"{self.why} FlowPilot answers from your team's sessions instead." if self.why else ""
        return {"body": self.body, "sources": self.sources_as_data(), "unsupported": self.unsupported, "why": why}


def is_on(account: providers.Account) -> bool:
    return providers.is_on(account)


def answer(case: Case) -> Answer:
    """The playbook's answer: the next idea that was neither tried nor said, and where it comes from."""
    said = [body for _, _, kind, body in case.messages if kind == "copilot"]
    ideas = providers.assess(case).suggested_steps
    fresh = [step for step in ideas if not any(overlap(step.text, body) >= SAID_ALREADY for body in said)]
    if fresh:
        return Answer(shown(_suggest(fresh[0]), ANSWER_LENGTH), fresh[0].sources)
    if said:
        return Answer(
            "I have nothing new from your team's sessions. If you are stuck, escalate: all of this goes along."
        )
    return Answer("I found nothing close in your team's sessions. " + _ask())


def _suggest(step: SuggestedStep) -> str:
    """The idea as a paragraph of its own, because it can be recorded as a tried step, then where it comes from."""
    source = step.sources[0]
    if source.kind == "session":
        return f"{step.text}\n\nThat is what worked in “{source.title}”."
    return f"{step.text}\n\nThat is from the runbook “{source.title}”."


def _ask() -> str:
    wanted = ", ".join(list(snapshot.TELLS)[:-1])
    return f"It helps to have here: {wanted}, and {list(snapshot.TELLS)[-1]}."
