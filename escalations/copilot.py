"""FlowPilot's answers in the chat, from the same providers as the assessment."""

from dataclasses import dataclass

from escalations import snapshot
from escalations.assessor import Case, Source, SuggestedStep, providers
from escalations.assessor.words import overlap

SAID_ALREADY = 0.8


@dataclass(frozen=True)
class Answer:
    body: str
    sources: tuple[Source, ...] = ()

    def sources_as_data(self) -> list[dict[str, str]]:
        return [source.as_data() for source in self.sources]


def is_on() -> bool:
    return providers.is_on()


def answer(case: Case) -> Answer:
    """The next idea that was neither tried nor said, and where it comes from."""
    said = [body for _, _, kind, body in case.messages if kind == "copilot"]
    ideas = providers.assess(case).suggested_steps
    fresh = [step for step in ideas if not any(overlap(step.text, body) >= SAID_ALREADY for body in said)]
    if fresh:
        return Answer(_suggest(fresh[0]), fresh[0].sources)
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
