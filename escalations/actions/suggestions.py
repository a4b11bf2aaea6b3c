"""Where a message or a tried step comes from, if it comes from a suggested step."""

from dataclasses import dataclass
from typing import Any

from escalations.models import Handoff, Message


@dataclass(frozen=True)
class SuggestedStep:
    """Which suggested step of which handoff it started from; `text` as it was suggested."""

    handoff: Handoff
    index: int
    text: str

    @classmethod
    def of(cls, message: Message) -> "SuggestedStep | None":
        """The suggested step that a message was sent from."""
        if message.step_handoff is None or message.step_index is None:
            return None
        return cls(message.step_handoff, message.step_index, message.body)


def provenance(body: str, step: SuggestedStep | None) -> dict[str, Any]:
    """What a message with this text keeps about the suggested step that it started from."""
    if step is None:
        return {}
    unchanged = body.strip() == step.text.strip()
    use = Message.StepUse.UNCHANGED if unchanged else Message.StepUse.EDITED
    return {"step_handoff": step.handoff, "step_index": step.index, "step_use": use}
