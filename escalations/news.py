"""What happened to a session since it was escalated: messages, tried steps, changes of state."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from escalations.models import Handoff, Message, TriedStep

SHOWN = 3  # the last ones; what came before them can be unfolded


@dataclass(frozen=True)
class Item:
    """One thing that happened; `anchor` is the id of its element on the session's page."""

    kind: Literal["message", "step", "change"]
    at: datetime
    who: str
    text: str
    anchor: str
    outcome: str = ""


@dataclass(frozen=True)
class News:
    """Oldest first."""

    items: Sequence[Item] = field(default=())

    def count(self, kind: str) -> int:
        return sum(item.kind == kind for item in self.items)

    @property
    def messages(self) -> int:
        return self.count("message")

    @property
    def steps(self) -> int:
        return self.count("step")

    @property
    def changes(self) -> int:
        return self.count("change")

    @property
    def latest(self) -> Sequence[Item]:
        return self.items[-SHOWN:]

    @property
    def earlier(self) -> Sequence[Item]:
        return self.items[:-SHOWN]


def since(handoff: Handoff) -> News:
    """What the handoff's snapshot does not know."""
    known = {frozen["id"] for part in ("messages", "steps") for frozen in handoff.snapshot[part]}
    messages = (
        handoff.session.messages.filter(created_at__gte=handoff.created_at)
        .select_related("author")
        .prefetch_related("attachments")
    )
    steps = handoff.session.steps.standing().filter(created_at__gte=handoff.created_at).select_related("by")
    told = [_told(message) for message in _not_the_escalation(messages) if str(message.pk) not in known]
    tried = [_tried(step) for step in steps if str(step.pk) not in known]
    return News(sorted([*told, *tried], key=lambda item: item.at))


def _not_the_escalation(messages: Iterable[Message]) -> Iterator[Message]:
    """Without the first line of the system, which says that it was escalated, and without FlowPilot's excuses."""
    changes = 0
    for message in messages:
        if message.kind == Message.Kind.SYSTEM:
            changes += message.author is not None
            if changes <= 1 or message.author is None:
                continue
        yield message


def _told(message: Message) -> Item:
    kind: Literal["message", "change"] = "change" if message.kind == Message.Kind.SYSTEM else "message"
    return Item(kind, message.created_at, message.author_name, _words(message), f"message-{message.pk}")


def _words(message: Message) -> str:
    """Its text; of one that only brings files their names."""
    return message.body or f"attached {', '.join(attachment.name for attachment in message.attachments.all())}"


def _tried(step: TriedStep) -> Item:
    who = step.by.name if step.by else ""
    return Item("step", step.created_at, who, step.description, f"step-{step.pk}", step.outcome)
