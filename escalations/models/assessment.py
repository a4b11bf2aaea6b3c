"""What the AI makes of a handoff. Never required: every screen works without it."""

from datetime import datetime

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from escalations.models.handoff import Handoff


class Assessment(models.Model):
    """`data` has the shape of `escalations.assessor.Assessment` and is there exactly when the state is ready."""

    class State(models.TextChoices):
        PENDING = "pending", "Assessment in progress"
        READY = "ready", "Assessment ready"
        TIMED_OUT = "timed_out", "Assessment unavailable"
        FAILED = "failed", "Assessment unavailable"
        DISABLED = "disabled", "AI switched off"

    MAY_BECOME_READY = (State.PENDING, State.TIMED_OUT, State.FAILED)

    handoff = models.OneToOneField(Handoff, models.CASCADE, primary_key=True, related_name="assessment")
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    data = models.JSONField(null=True)
    reason = models.CharField(max_length=300, blank=True)  # why it is unavailable, in plain words
    assessor = models.CharField(max_length=80, blank=True)  # who made it: playbook, or provider:model
    run = models.PositiveIntegerField(default=0, db_default=0)  # counts up with each "Try again"
    attempt = models.PositiveSmallIntegerField(default=0)  # of this run, the one that is next or under way
    trying_until = models.DateTimeField(null=True)  # while a worker is at it, when that ends at the latest
    requested_at = models.DateTimeField(db_default=Now())
    deadline = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["pending", "ready", "timed_out", "failed", "disabled"]),
                name="assessment_state_known",
            ),
            models.CheckConstraint(
                condition=models.Q(state="ready", data__isnull=False)
                | (~models.Q(state="ready") & models.Q(data__isnull=True)),
                name="assessment_data_iff_ready",
            ),
        ]

    def __str__(self) -> str:
        return self.get_state_display()

    def state_at(self, moment: datetime) -> str:
        """The state as it is to be read: one that is still pending past its deadline has timed out,
        whether or not a worker lives to write that down."""
        return self.reads_as(self.state, self.deadline, moment)

    @classmethod
    def reads_as(cls, state: str, deadline: datetime, moment: datetime) -> str:
        """`state_at` of a row that is not made into an object, because a list has hundreds of them."""
        return cls.State.TIMED_OUT if state == cls.State.PENDING and moment > deadline else state

    @property
    def current_state(self) -> str:
        return self.state_at(timezone.now())
