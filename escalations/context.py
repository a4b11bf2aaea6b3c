"""What the handoff-context screen shows of a handoff: the frozen snapshot, and what happened since."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from escalations.models import Handoff, Message, TriedStep
from resolutionflow.accounts.models import User

OUTCOMES = [TriedStep.Outcome.WORKED, TriedStep.Outcome.FAILED, TriedStep.Outcome.INCONCLUSIVE]


@dataclass(frozen=True)
class FrozenStep:
    """A tried step as the snapshot has it."""

    id: str
    description: str
    outcome: str
    note: str
    by: str
    at: datetime
    message_id: str | None


def of(handoff: Handoff, *, viewer: User) -> dict[str, Any]:
    """The screen's template context."""
    steps = [_step(step) for step in handoff.snapshot["steps"]]
    return {
        "handoff": handoff,
        "session": handoff.session,
        "frozen": handoff.snapshot["session"],
        "started_at": _moment(handoff.snapshot["session"]["started_at"]),
        "groups": [
            (outcome, found) for outcome in OUTCOMES if (found := [s for s in steps if s.outcome == outcome.value])
        ],
        "not_run": [step for step in steps if step.outcome == TriedStep.Outcome.NOT_RUN.value],
        "tried_count": sum(step.outcome != TriedStep.Outcome.NOT_RUN.value for step in steps),
        "since": _since(handoff),
        "is_mine": handoff.picked_up_by_id == viewer.pk,
        "is_from_me": handoff.created_by_id == viewer.pk,
    }


def _since(handoff: Handoff) -> dict[str, Any]:
    """Messages and steps that the snapshot does not know, oldest first."""
    known = {message["id"] for message in handoff.snapshot["messages"]}
    messages = handoff.session.messages.filter(created_at__gte=handoff.created_at).exclude(kind=Message.Kind.SYSTEM)
    known_steps = {step["id"] for step in handoff.snapshot["steps"]}
    steps = handoff.session.steps.filter(created_at__gte=handoff.created_at).select_related("by")
    new_messages = [m for m in messages.select_related("author") if str(m.pk) not in known]
    new_steps = [s for s in steps if str(s.pk) not in known_steps]
    latest = new_messages[-1] if new_messages else None
    return {"messages": new_messages, "steps": new_steps, "latest": latest}


def _step(frozen: dict[str, Any]) -> FrozenStep:
    return FrozenStep(**{**frozen, "at": _moment(frozen["at"])})


def _moment(iso: str) -> datetime:
    return timezone.localtime(datetime.fromisoformat(iso))
