"""What a page shows, to one person, of a pick-up under way: its lease, its undo, and to whom it is offered."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from escalations.actions import holding, offers
from escalations.actions.handoffs import UNDO
from escalations.models import Handoff, Offer
from resolutionflow.accounts.models import User


@dataclass(frozen=True)
class Hold:
    """`warns_at` is a moment to look again, `ends_at` is told once the picker is warned; both only to the picker."""

    handoff: Handoff
    viewer: User
    offer: Offer | None
    warns_at: datetime | None = None
    ends_at: datetime | None = None
    undo_until: datetime | None = None
    colleagues: "QuerySet[User]" = field(default_factory=User.objects.none)

    @property
    def is_mine(self) -> bool:
        return self.handoff.picked_up_by_id == self.viewer.pk

    @property
    def is_asked(self) -> bool:
        return self.offer is not None and self.offer.to_id == self.viewer.pk

    @property
    def may_hand_on(self) -> bool:
        return self.is_mine and self.viewer.may_work and self.offer is None


def of(handoff: Handoff | None, *, viewer: User) -> Hold | None:
    """None where nobody has it."""
    if handoff is None or handoff.state != Handoff.State.PICKED_UP or handoff.picked_up_at is None:
        return None
    offer = Offer.objects.pending().with_people().filter(handoff=handoff).first()
    if handoff.picked_up_by_id != viewer.pk:
        return Hold(handoff, viewer, offer)
    now, warns_at, undo_until = timezone.now(), handoff.lease_warns_at, handoff.picked_up_at + UNDO
    is_warned = warns_at is not None and warns_at <= now
    return Hold(
        handoff,
        viewer,
        offer,
        warns_at=None if is_warned else warns_at,
        ends_at=handoff.lease_ends_at if is_warned else None,
        undo_until=undo_until if now < undo_until and not holding.has_acted(handoff, viewer) else None,
        colleagues=offers.colleagues(handoff, by=viewer),
    )
