"""A handoff's suggested steps as the session shows them: used or not, and how each went."""

from collections.abc import Iterable
from dataclasses import dataclass

from escalations import statements
from escalations.models import Handoff, Message, TriedStep
from escalations.statements import Statement


@dataclass(frozen=True)
class Suggestion:
    """`index` counts from 0 and is what is stored, `number` from 1 and is the key that presses it."""

    index: int
    step: Statement
    used: bool
    recorded: TriedStep | None

    @property
    def number(self) -> int:
        return self.index + 1


def of(handoff: Handoff | None, messages: Iterable[Message], steps: Iterable[TriedStep]) -> list[Suggestion]:
    """Those of this handoff, whose session has these messages and steps; none while it has no assessment."""
    if handoff is None or handoff.assessment.data is None:
        return []
    sent = {message.step_index for message in messages if message.step_handoff_id == handoff.pk}
    tried = {step.step_index: step for step in steps if step.step_handoff_id == handoff.pk}
    suggested = statements.of(handoff.assessment.data).steps
    return [Suggestion(i, step, i in sent or i in tried, tried.get(i)) for i, step in enumerate(suggested)]


def of_handoff(handoff: Handoff, index: int) -> Statement | None:
    """The suggested step with this index, if there is one."""
    if handoff.assessment.data is None:
        return None
    steps = statements.of(handoff.assessment.data).steps
    return steps[index] if 0 <= index < len(steps) else None
