"""An offer: whoever has a handoff asks a named colleague to take it over. `actions.offers` is the only writer."""

import uuid
from typing import Self

from django.db import models
from django.db.models.functions import Now

from escalations.models.handoff import Handoff
from resolutionflow.accounts.models import Account, OwnedQuerySet, User

NOTE_LENGTH = 500


class OfferQuerySet(OwnedQuerySet["Offer"]):
    def pending(self) -> Self:
        return self.filter(outcome=Offer.Outcome.PENDING)

    def with_people(self) -> Self:
        return self.select_related("to", "by")

    def waiting_for(self, user: User) -> Self:
        """What this person is asked to take over, with what a line about it shows; the oldest first."""
        asked = self.for_account(user.account).pending().filter(to=user)
        return asked.select_related("by", "to", "handoff__session").order_by("made_at")

    def made_to(self, user: User) -> Self:
        return self.filter(to=user)

    def answered_to(self, user: User) -> Self:
        """What this person has offered, and a colleague has answered."""
        return self.filter(by=user, outcome__in=Offer.ANSWERED)


class Offer(models.Model):
    """`by` has the handoff and asks `to`. It ends with their answer, or with the pick-up that it is about.

    `to` reads on their bell that they are asked, `by` what they were answered.
    """

    class Outcome(models.TextChoices):
        PENDING = "pending", "Pending"
        ACCEPTED = "accepted", "Accepted"
        DECLINED = "declined", "Declined"
        WITHDRAWN = "withdrawn", "Withdrawn"

    ANSWERED = (Outcome.ACCEPTED, Outcome.DECLINED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="offers")
    handoff = models.ForeignKey(Handoff, models.PROTECT, related_name="offers")
    to = models.ForeignKey(User, models.PROTECT, related_name="+")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    note = models.CharField(max_length=NOTE_LENGTH, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.PENDING)
    made_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)
    read_by_asked = models.BooleanField(default=False, db_default=False)
    read_by_asker = models.BooleanField(default=False, db_default=False)

    objects = OfferQuerySet.as_manager()

    class Meta:
        ordering = ["-made_at"]
        indexes = [
            models.Index(fields=["to"], name="offer_waits_for", condition=models.Q(outcome="pending")),
            models.Index(fields=["to"], name="offer_unread", condition=models.Q(read_by_asked=False)),
            models.Index(
                fields=["by"],
                name="offer_answer_unread",
                condition=models.Q(read_by_asker=False, outcome__in=["accepted", "declined"]),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["handoff"], name="offer_one_at_a_time", condition=models.Q(outcome="pending")
            ),
            models.CheckConstraint(
                condition=models.Q(outcome="pending", ended_at__isnull=True)
                | models.Q(outcome__in=["accepted", "declined", "withdrawn"], ended_at__isnull=False),
                name="offer_ended_iff_not_pending",
            ),
            models.CheckConstraint(condition=~models.Q(to=models.F("by")), name="offer_to_somebody_else"),
        ]

    def __str__(self) -> str:
        return f"{self.handoff} for {self.to}"
