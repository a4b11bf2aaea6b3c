"""What the figures are computed from: one row per handoff, one per pickup, derived from the feed and never counted up.

`facts.catch_up` is the only writer. All facts can be thrown away and derived again (`manage.py rebuild_metrics`); the
product itself never reads them. `PhoneHandOff` alone is told by people (`phone.py`), and stays.
"""

import uuid

from django.db import models
from django.db.models.functions import Now

from escalations.models import AISession, Handoff
from resolutionflow.accounts.models import Account, OwnedQuerySet, User


class HandoffFact(models.Model):
    """One escalation and what became of it. Times are the feed's, `…_seconds` are never negative.

    `first_*`, `pickups`, `followed_at` and what follows speak of pickups by somebody else than the escalator.
    """

    class Assessed(models.TextChoices):
        """How the assessment stood at the first pickup; blank while there is none."""

        READY = "ready", "Ready"
        LATE = "late", "Came after the pickup"
        PENDING = "pending", "Was still being made"
        TIMED_OUT = "timed_out", "Timed out"
        FAILED = "failed", "Failed"

    handoff = models.OneToOneField(Handoff, models.CASCADE, primary_key=True, related_name="+")
    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    session = models.ForeignKey(AISession, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    escalated_by = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    escalated_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=Handoff.State)
    closed_at = models.DateTimeField(null=True)  # resolved or taken back
    followed_at = models.DateTimeField(null=True)  # the session's next escalation

    pickups = models.PositiveIntegerField(default=0)
    idle_releases = models.PositiveIntegerField(default=0)  # pickups put back without a qualifying action
    first_pickup_at = models.DateTimeField(null=True)
    last_pickup_at = models.DateTimeField(null=True)
    first_action_at = models.DateTimeField(null=True)  # the first qualifying action of whoever held it then
    resolved_at = models.DateTimeField(null=True)  # by a picker

    pickup_seconds = models.FloatField(null=True)  # escalation → first pickup
    action_seconds = models.FloatField(null=True)  # the pickup in which it happened → first qualifying action
    resolution_seconds = models.FloatField(null=True)  # escalation → resolution
    hands_on_seconds = models.FloatField(null=True)  # first pickup → resolution

    ai_disabled = models.BooleanField(default=False)
    ready_seconds = models.FloatField(null=True)  # request → ready
    assessed = models.CharField(max_length=9, choices=Assessed, blank=True)
    has_steps = models.BooleanField(default=False)  # at least one suggested step at the first pickup
    uses = models.PositiveIntegerField(default=0)  # suggested steps that a picker sent
    uses_unchanged = models.PositiveIntegerField(default=0)
    uses_with_outcome = models.PositiveIntegerField(default=0)
    uses_worked = models.PositiveIntegerField(default=0)

    objects = OwnedQuerySet["HandoffFact"].as_manager()

    class Meta:
        db_table = "analytics_handoff"
        ordering = ["-escalated_at", "-handoff_id"]
        indexes = [
            models.Index(  # with what most passes need, so that they read a quarter of the bytes
                fields=["account", "escalated_at", "handoff"],
                include=["pickup_seconds", "escalated_by"],
                name="analytics_handoff_cohort",
            ),
            models.Index(fields=["account"], name="analytics_handoff_held", condition=models.Q(state="picked_up")),
        ]

    def __str__(self) -> str:
        return f"{self.handoff_id}: {self.state}"


class PickupFact(models.Model):
    """One pickup by somebody else than the escalator, named by its event's position in the feed."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    seq = models.PositiveBigIntegerField()
    handoff = models.ForeignKey(HandoffFact, models.CASCADE, related_name="held", db_constraint=False)
    picker = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    escalated_at = models.DateTimeField()
    picked_up_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    was_released = models.BooleanField(default=False)
    first_action_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    action_seconds = models.FloatField(null=True)
    hands_on_seconds = models.FloatField(null=True)  # this pickup → resolution

    objects = OwnedQuerySet["PickupFact"].as_manager()

    class Meta:
        db_table = "analytics_pickup"
        ordering = ["-picked_up_at", "-seq"]
        indexes = [models.Index(fields=["account", "escalated_at", "seq"], name="analytics_pickup_cohort")]
        constraints = [models.UniqueConstraint(fields=["account", "seq"], name="analytics_pickup_position")]

    def __str__(self) -> str:
        return f"{self.seq}: {self.handoff_id}"


class Mark(models.Model):
    """How far into the account's feed the facts are derived."""

    account = models.OneToOneField(Account, models.CASCADE, primary_key=True, related_name="+")
    seq = models.PositiveBigIntegerField(default=0)

    class Meta:
        db_table = "analytics_mark"

    def __str__(self) -> str:
        return f"{self.account_id}: {self.seq}"


NOTE_LENGTH = 200
LONGEST_PHONE_SECONDS = 4 * 3600


class PhoneHandOff(models.Model):
    """A hand-off by phone that somebody measured with a stopwatch. Never derived: `phone.py` is the only writer."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, models.CASCADE, related_name="phone_handoffs", db_index=False)
    seconds = models.PositiveIntegerField()
    recorded_by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(db_default=Now())
    note = models.CharField(max_length=NOTE_LENGTH, blank=True)

    objects = OwnedQuerySet["PhoneHandOff"].as_manager()

    class Meta:
        db_table = "analytics_phone_handoff"
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["account", "at"], name="analytics_phone_account")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(seconds__gte=1, seconds__lte=LONGEST_PHONE_SECONDS),
                name="analytics_phone_second_to_four_hours",
            )
        ]

    def __str__(self) -> str:
        return f"{self.seconds} s by phone"
