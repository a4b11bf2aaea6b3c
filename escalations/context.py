"""What the handoff-context screen shows of a handoff: the frozen snapshot, and what happened since."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from escalations import copilot, hold, lessons, news, snapshot
from escalations.forms import HandToForm
from escalations.models import FeedEvent, Handoff, TriedStep
from escalations.models.attachment import IMAGES
from resolutionflow.accounts.models import User

OUTCOMES = [TriedStep.Outcome.WORKED, TriedStep.Outcome.FAILED, TriedStep.Outcome.INCONCLUSIVE]


@dataclass(frozen=True)
class FrozenStep:
    """A tried step as the snapshot has it; `message` is the number of the message that it comes from."""

    id: str
    description: str
    outcome: str
    note: str
    by: str
    at: datetime
    message_id: str | None
    message: int | None


@dataclass(frozen=True)
class FrozenAttachment:
    """An attachment as the snapshot has it; `message` is its message's number, `pk` what its address names."""

    pk: str
    name: str
    content_type: str
    size: int
    sha256: str
    excerpt: str
    message: int
    by: str
    at: datetime

    @property
    def is_image(self) -> bool:
        return self.content_type in IMAGES


@dataclass(frozen=True)
class Proof:
    """The snapshot's hash now, and whether it is the one that the escalation's event carries (None: it has none)."""

    sha256: str
    holds: bool | None


@dataclass(frozen=True)
class Fixed:
    """How a handoff ended: who resolved it, the escalator's step that was closest to that, and how to say so.

    `is_to_be_got`: the viewer escalated it, and has not said yet that they know.
    """

    by: User | None
    closest: TriedStep | None
    learner_was: str
    is_to_be_got: bool
    is_searched: bool


def of(handoff: Handoff, *, viewer: User) -> dict[str, Any]:
    """The screen's template context."""
    numbers = {message["id"]: message["number"] for message in handoff.snapshot["messages"]}
    steps = [_step(step, numbers) for step in handoff.snapshot["steps"]]
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
        "attachments": [_attachment(told) for told in handoff.snapshot.get("attachments", [])],
        "fixed": _fixed(handoff, viewer) if handoff.state == Handoff.State.RESOLVED else None,
        "since": news.since(handoff),
        "proof": _proof(handoff),
        "is_mine": handoff.picked_up_by_id == viewer.pk,
        "is_from_me": handoff.created_by_id == viewer.pk,
        "hold": hold.of(handoff, viewer=viewer),
        "hand_to_form": HandToForm(),
        **judgement(handoff, viewer=viewer),
    }


def judgement(handoff: Handoff, *, viewer: User) -> dict[str, Any]:
    """What the question whether the assessment helped needs: whether it is asked, and this person's vote."""
    may_judge = viewer.may_work and handoff.assessment.data is not None and handoff.was_picked_up_by(viewer)
    vote = handoff.assessment.feedback.filter(by=viewer).first() if may_judge else None
    return {"handoff": handoff, "may_judge": may_judge, "vote": vote, "why": vote.why if vote else ""}


def _fixed(handoff: Handoff, viewer: User) -> Fixed:
    lesson = lessons.of_handoff(handoff)
    return Fixed(
        by=handoff.session.resolved_by,
        closest=lesson.closest if lesson else None,
        learner_was=f"{handoff.created_by.name} was",
        is_to_be_got=lesson is not None and lesson.got_at is None and lesson.learner_id == viewer.pk,
        is_searched=copilot.is_on(handoff.account),
    )


def _proof(handoff: Handoff) -> Proof:
    created = handoff.events.filter(kind=FeedEvent.Kind.CREATED).values_list("data", flat=True).first() or {}
    now, then = snapshot.digest(handoff.snapshot), created.get("snapshot_sha256")
    return Proof(sha256=now, holds=None if then is None else now == then)


def _step(frozen: dict[str, Any], numbers: dict[str, int]) -> FrozenStep:
    told = {**frozen, "at": _moment(frozen["at"]), "message": numbers.get(frozen["message_id"])}
    return FrozenStep(**told)


def _attachment(frozen: dict[str, Any]) -> FrozenAttachment:
    told = {name: value for name, value in frozen.items() if name != "id"}
    return FrozenAttachment(**told | {"pk": frozen["id"], "at": _moment(frozen["at"])})


def _moment(iso: str) -> datetime:
    return timezone.localtime(datetime.fromisoformat(iso))
