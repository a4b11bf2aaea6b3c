"""A handoff: one escalation of one session, from its POST to the moment it is solved or taken back."""

import uuid
from datetime import datetime
from typing import Self

import pgtrigger
from django.db import models
from django.db.models.functions import Now

from escalations.models.session import AISession
from resolutionflow.accounts.models import Account, OwnedQuerySet, User

REASON_LENGTH = 2_000

# Deferred to the commit, because `feed.append` stamps the version as the transaction's last statement.
STATE_CHANGE_HAS_ITS_EVENT = """
    before := 0;
    IF TG_OP = 'UPDATE' THEN
        IF NEW.state = OLD.state THEN RETURN NULL; END IF;
        before := OLD.version;
    END IF;
    SELECT version INTO stamped FROM escalations_handoff WHERE id = NEW.id;
    IF stamped IS NULL THEN RETURN NULL; END IF;
    IF stamped <= before OR NOT EXISTS (
        SELECT FROM feed_event WHERE account_id = NEW.account_id AND seq = stamped AND handoff_id = NEW.id
    ) THEN
        RAISE EXCEPTION 'handoff % became % without an event in the feed', NEW.id, NEW.state
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
"""


class HandoffQuerySet(OwnedQuerySet["Handoff"]):
    def waiting(self) -> Self:
        """What awaits pickup, oldest first."""
        return self.filter(state=Handoff.State.WAITING).order_by("created_at", "id")

    def open(self) -> Self:
        return self.filter(state__in=Handoff.OPEN)

    def for_card(self) -> Self:
        """With what a queue card shows."""
        return self.select_related("session", "created_by", "returned_from", "assessment", "account")

    def for_context(self) -> Self:
        """With what the handoff-context screen and the API show."""
        people = ("session__holder", "created_by", "picked_up_by", "returned_from")
        return self.select_related(*people, "assessment", "account")


class Handoff(models.Model):
    """`version` is the feed position of its last event, `queued_seq` of the event that last put it into the queue.

    A lease is what a pick-up is given to begin with (`actions/leases.py`): it ends with the picker's first action, or
    with a return to the queue. Whom it was returned from last stays until somebody else lets it go.
    """

    class Intent(models.TextChoices):
        ESCALATE = "escalate", "Escalate"

    class Priority(models.TextChoices):
        LOW = "low", "Low"
        NORMAL = "normal", "Normal"
        HIGH = "high", "High"
        URGENT = "urgent", "Urgent"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        PICKED_UP = "picked_up", "Picked up"
        RESOLVED = "resolved", "Resolved"
        TAKEN_BACK = "taken_back", "Taken back"

    OPEN = (State.WAITING, State.PICKED_UP)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="handoffs")
    session = models.ForeignKey(AISession, models.PROTECT, related_name="handoffs")
    intent = models.CharField(max_length=10, choices=Intent, default=Intent.ESCALATE)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    priority = models.CharField(max_length=6, choices=Priority, default=Priority.NORMAL)
    reason = models.TextField(max_length=REASON_LENGTH)
    snapshot = models.JSONField()
    created_by = models.ForeignKey(User, models.PROTECT, related_name="escalations")
    created_at = models.DateTimeField(db_default=Now())
    picked_up_by = models.ForeignKey(User, models.PROTECT, related_name="pickups", null=True)
    picked_up_at = models.DateTimeField(null=True)
    lease_ends_at = models.DateTimeField(null=True)
    lease_warned_at = models.DateTimeField(null=True)
    returned_from = models.ForeignKey(User, models.PROTECT, related_name="+", null=True, db_index=False)
    returned_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    taken_back_at = models.DateTimeField(null=True)
    version = models.PositiveBigIntegerField(default=0)
    queued_seq = models.PositiveBigIntegerField(default=0)

    objects = HandoffQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["account", "created_at"], name="handoff_account_created"),
            models.Index(
                fields=["account", "created_at", "id"], name="handoff_waiting", condition=models.Q(state="waiting")
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["session"],
                name="handoff_one_open_per_session",
                condition=models.Q(state__in=["waiting", "picked_up"]),
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "picked_up", "resolved", "taken_back"]),
                name="handoff_state_known",
            ),
            models.CheckConstraint(
                condition=models.Q(priority__in=["low", "normal", "high", "urgent"]), name="handoff_priority_known"
            ),
            models.CheckConstraint(condition=models.Q(intent="escalate"), name="handoff_intent_known"),
            models.CheckConstraint(
                condition=models.Q(
                    state__in=["picked_up", "resolved"], picked_up_by__isnull=False, picked_up_at__isnull=False
                )
                | models.Q(state__in=["waiting", "taken_back"], picked_up_by__isnull=True, picked_up_at__isnull=True),
                name="handoff_picker_iff_picked_up",
            ),
            models.CheckConstraint(
                condition=models.Q(picked_up_by__isnull=True) | ~models.Q(picked_up_by=models.F("created_by")),
                name="handoff_picker_is_not_the_escalator",
            ),
            models.CheckConstraint(
                condition=models.Q(state="resolved", resolved_at__isnull=False)
                | (~models.Q(state="resolved") & models.Q(resolved_at__isnull=True)),
                name="handoff_resolved_iff_it_has_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(state="taken_back", taken_back_at__isnull=False)
                | (~models.Q(state="taken_back") & models.Q(taken_back_at__isnull=True)),
                name="handoff_taken_back_iff_it_has_a_time",
            ),
            models.CheckConstraint(
                condition=(models.Q(picked_up_at__isnull=True) | models.Q(picked_up_at__gte=models.F("created_at")))
                & (models.Q(resolved_at__isnull=True) | models.Q(resolved_at__gte=models.F("picked_up_at")))
                & (models.Q(taken_back_at__isnull=True) | models.Q(taken_back_at__gte=models.F("created_at"))),
                name="handoff_times_in_order",
            ),
        ]
        triggers = [
            pgtrigger.FSM(
                name="handoff_state_machine",
                field="state",
                transitions=[
                    ("waiting", "picked_up"),
                    ("waiting", "taken_back"),
                    ("picked_up", "waiting"),
                    ("picked_up", "resolved"),
                ],
            ),
            pgtrigger.Protect(
                name="snapshot_is_frozen",
                operation=pgtrigger.UpdateOf("snapshot"),  # type: ignore[no-untyped-call]
                condition=pgtrigger.Q(old__snapshot__df=pgtrigger.F("new__snapshot")),
            ),
            pgtrigger.Trigger(
                name="state_change_has_its_event",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.After,
                timing=pgtrigger.Deferred,
                declare=[("stamped", "bigint"), ("before", "bigint")],
                func=STATE_CHANGE_HAS_ITS_EVENT,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.session} ({self.get_state_display().lower()})"

    @property
    def is_waiting(self) -> bool:
        return self.state == self.State.WAITING

    @property
    def lease_warns_at(self) -> datetime | None:
        """When the picker is warned: at 80 % of the lease. None where no lease runs."""
        if self.state != self.State.PICKED_UP or self.picked_up_at is None or self.lease_ends_at is None:
            return None
        return self.picked_up_at + (self.lease_ends_at - self.picked_up_at) * 0.8

    @property
    def lease(self) -> str:
        """How long the lease is, in words; empty where none runs."""
        if self.picked_up_at is None or self.lease_ends_at is None:
            return ""
        minutes = round((self.lease_ends_at - self.picked_up_at).total_seconds() / 60)
        return f"{minutes} minute" if minutes == 1 else f"{minutes} minutes"

    def was_picked_up_by(self, user: User) -> bool:
        """Whether this person has it, or had it once."""
        return self.events.filter(kind="handoff_picked_up", actor=user).exists()
