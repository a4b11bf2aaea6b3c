"""Tell everyone, after the commit: render once, send once.

A frame is `{"type", "cursor", …, "html"}`. It is rendered from the state as it is now, which may be newer than the
event: a card that waits no more has no HTML. What gets lost on the way is mended by heartbeats, so nothing here may
hold up or fail the verb that calls it.
"""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from escalations import ledger
from escalations.live import cards, groups, transport
from escalations.models import AISession, Handoff, Message, Offer, TriedStep

if TYPE_CHECKING:
    from escalations.actions.feed import Appended

OF_AN_EVENT = ("undone", "returned_from")  # what a frame says of its event's data, where it has that


def handoff(event: "Appended") -> None:
    """The queue's frame of one feed event."""
    frame = {
        "type": event.kind,
        "cursor": event.seq,
        "handoff": str(event.handoff_id),
        "html": cards.of_handoff(event.handoff_id),
        **{name: event.data[name] for name in OF_AN_EVENT if name in event.data},
    }
    transport.publish(groups.queue_of(event.account_id), frame)


def message_posted(message: Message, version: int) -> None:
    told = {"message": ledger.with_record(message)}
    _tell_session(message.session, "message_posted", version, "escalations/_message.html", told)


def step_recorded(step: TriedStep, version: int) -> None:
    _tell_session(step.session, "step_recorded", version, "escalations/_step.html", {"step": ledger.entry(step)})


def assessed(handoff_id: UUID, version: int) -> None:
    """The assessment's section on the context screen, and the session's chips, land in place."""
    found = Handoff.objects.for_context().get(pk=handoff_id)
    _tell_session(
        found.session, "handoff_assessed", version, "escalations/_assessment.html", {"handoff": found}, handoff=found.pk
    )


def session_changed(session_id: UUID, version: int) -> None:
    """Who holds it, or its state: that looks different for everyone, so pages fetch it themselves."""
    transport.publish(groups.session(session_id), {"type": "session_changed", "cursor": version})


def offers_changed(offer: Offer) -> None:
    """After the commit: the two whom it concerns have a look, on whatever page they are. Nobody else does anything."""
    frame = {"type": "offers_changed", "to": str(offer.to_id), "by": str(offer.by_id)}
    transaction.on_commit(lambda: transport.publish(groups.queue_of(offer.account_id), frame), robust=True)


def _tell_session(
    session: AISession, kind: str, version: int, template: str, context: dict[str, Any], **more: UUID
) -> None:
    with timezone.override(session.account.tz):
        html = render_to_string(template, {**context, "session": session})
    frame = {"type": kind, "cursor": version, **{name: str(value) for name, value in more.items()}, "html": html}
    transport.publish(groups.session(session.pk), frame)
