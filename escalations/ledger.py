"""What has been tried in a session: the ledger, what in it looks like the same step twice, and what it was recorded of.

A message (an answer of FlowPilot's, a suggested step that was sent) is recorded once at most; so is a suggested step.
"""

import re
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import Q

from escalations.assessor.words import overlap, words_of
from escalations.models import AISession, Message, TriedStep

ALIKE = 0.75  # share of the shorter step's words from which it is offered to be merged
NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")


def steps_of(session: AISession) -> list[TriedStep]:
    """All of a session's steps in their order, those that were merged too."""
    return list(session.steps.select_related("by", "session", "source_message"))


def of(steps: Sequence[TriedStep]) -> list[TriedStep]:
    """The ledger of all these steps, as `_step.html` shows it: `others` were merged into the step, `repeats` is the
    earlier one that it looks like, or None."""
    standing = [step for step in steps if step.merged_into_id is None]
    for place, step in enumerate(standing):
        _note(step, [other for other in steps if other.merged_into_id == step.pk], standing[:place])
    return standing


def entry(step: TriedStep) -> TriedStep:
    """One step as `of` gives it; one that was merged meanwhile stands alone until pages fetch the ledger."""
    _note(step, [], [])
    return next((each for each in of(steps_of(step.session)) if each.pk == step.pk), step)


def repeated_by(step: TriedStep, earlier: Sequence[TriedStep]) -> TriedStep | None:
    """The latest of the earlier steps that `step` looks like, unless somebody said that it is none of them."""
    if step.kept_apart:
        return None
    return next((other for other in reversed(earlier) if are_alike(step.description, other.description)), None)


def are_alike(one: str, other: str) -> bool:
    """Whether they may tell of the same step. What only its numbers tell apart (another port, size or VLAN) is not."""
    if not numbers_agree(one, other):
        return False
    fewest = min(len(words_of(one)), len(words_of(other)))
    return overlap(one, other) >= (ALIKE if fewest > 1 else 1.0) and (fewest > 1 or words_of(one) == words_of(other))


def numbers_agree(one: str, other: str) -> bool:
    mine, theirs = set(NUMBER.findall(one)), set(NUMBER.findall(other))
    return not mine or not theirs or mine == theirs


def with_records(messages: Iterable[Message], steps: Iterable[TriedStep]) -> list[Message]:
    """A session's messages in their order, each with the step that it was recorded as (`recorded`), or None.

    A suggested step may be sent twice; only its first message `asks` how it went, and shows the answer.
    """
    by_message: dict[UUID | None, TriedStep] = {}
    by_suggestion: dict[tuple[UUID | None, int | None], TriedStep] = {}
    for step in steps:
        by_message[step.source_message_id] = step
        by_suggestion[step.step_handoff_id, step.step_index] = step
    asked: set[tuple[UUID | None, int | None]] = set()
    told = list(messages)
    for message in told:
        key = (message.step_handoff_id, message.step_index)
        asks = bool(message.step_use) and key not in asked
        recorded = by_suggestion.get(key) if message.step_use else by_message.get(message.pk)
        _note_record(message, recorded if asks or not message.step_use else None, asks=asks)
        asked.add(key)
    return told


def with_record(message: Message) -> Message:
    """One message as `with_records` gives it."""
    same = message.session.messages.filter(step_handoff=message.step_handoff_id, step_index=message.step_index)
    earlier = same.filter(number__lt=message.number)[:1] if message.step_use else []
    recorded = Q(source_message=message) | Q(step_handoff__isnull=False, step_handoff=message.step_handoff_id)
    return with_records([*earlier, message], TriedStep.objects.filter(recorded, session=message.session_id))[-1]


def _note(step: TriedStep, others: list[TriedStep], earlier: Sequence[TriedStep]) -> None:
    step.others, step.repeats = others, repeated_by(step, earlier)  # type: ignore[attr-defined]


def _note_record(message: Message, step: TriedStep | None, *, asks: bool) -> None:
    message.recorded, message.asks = step, asks  # type: ignore[attr-defined]
