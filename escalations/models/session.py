"""A session: one troubleshooting conversation about one client problem, its messages and its tried steps."""

import uuid
from typing import Self

import pgtrigger
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Now

from escalations.assessor.harm import warning_for
from resolutionflow.accounts.models import Account, OwnedQuerySet, User

TITLE_LENGTH = 200
CLIENT_LENGTH = 120
TICKET_LENGTH = 60
BODY_LENGTH = 10_000
RESOLUTION_LENGTH = 5_000
STEP_LENGTH = 1_000


class AISessionQuerySet(OwnedQuerySet["AISession"]):
    def of(self, user: User) -> Self:
        """The sessions on this person's desk, the one they touched last first."""
        return self.filter(holder=user, state__in=AISession.OPEN).order_by("-held_since")

    def for_list(self) -> Self:
        return self.select_related("holder", "started_by")


class AISession(models.Model):
    """`version` counts the session's changes: it is the cursor of the session's socket."""

    class State(models.TextChoices):
        ACTIVE = "active", "Active"
        ESCALATED = "escalated", "Escalated"
        RESOLVED = "resolved", "Resolved"
        ABANDONED = "abandoned", "Abandoned"

    OPEN = (State.ACTIVE, State.ESCALATED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="sessions")
    title = models.CharField(max_length=TITLE_LENGTH)
    client_name = models.CharField(max_length=CLIENT_LENGTH, blank=True)
    ticket_ref = models.CharField("ticket", max_length=TICKET_LENGTH, blank=True)
    category = models.CharField(max_length=60, blank=True)
    problem = models.TextField(max_length=BODY_LENGTH, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE)
    started_by = models.ForeignKey(User, models.PROTECT, related_name="started_sessions", null=True)
    holder = models.ForeignKey(User, models.PROTECT, related_name="held_sessions", null=True)
    held_since = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(User, models.PROTECT, related_name="resolved_sessions", null=True)
    resolution = models.TextField(max_length=RESOLUTION_LENGTH, blank=True)
    version = models.PositiveBigIntegerField(default=0)
    external_id = models.CharField(max_length=200, null=True, editable=False)  # noqa: DJ001 unique where it is set
    pruned_at = models.DateTimeField(null=True, editable=False)  # when its texts were removed; who and when stay
    knowledge = SearchVectorField(null=True, editable=False)  # what the playbook searches, once it is resolved

    objects = AISessionQuerySet.as_manager()

    class Meta:
        verbose_name = "session"
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["account", "-created_at"], name="session_account_recent"),
            models.Index(fields=["holder", "state"], name="session_holder_state"),
            models.Index(
                fields=["account", "-resolved_at"], name="session_resolved_recent", condition=models.Q(state="resolved")
            ),
            GinIndex(fields=["knowledge"], name="session_knowledge"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["account", "external_id"], name="session_imported_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=["active", "escalated", "resolved", "abandoned"]),
                name="session_state_known",
            ),
            models.CheckConstraint(
                condition=models.Q(state="resolved", resolved_at__isnull=False)
                | (~models.Q(state="resolved") & models.Q(resolved_at__isnull=True)),
                name="session_resolved_iff_it_has_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(resolved_at__isnull=True) | models.Q(resolved_at__gte=models.F("created_at")),
                name="session_resolved_after_it_began",
            ),
        ]
        triggers = [
            pgtrigger.FSM(
                name="session_state_machine",
                field="state",
                transitions=[
                    ("active", "escalated"),
                    ("escalated", "active"),
                    ("active", "resolved"),
                    ("active", "abandoned"),
                ],
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN


class Message(models.Model):
    """One line of the conversation. `number` counts from 1 within the session; people cite it."""

    class Kind(models.TextChoices):
        ENGINEER = "engineer", "Engineer"
        COPILOT = "copilot", "FlowPilot"
        SYSTEM = "system", "System"
        CLIENT = "client", "Client"

    class StepUse(models.TextChoices):
        UNCHANGED = "sent_unchanged", "Sent unchanged"
        EDITED = "sent_edited", "Sent edited"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(AISession, models.CASCADE, related_name="messages")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind)
    author = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    body = models.TextField(max_length=BODY_LENGTH)
    sources = models.JSONField(default=list)  # [{"kind": "message|session|runbook", "id": …, "title": …}]
    unsupported = models.BooleanField(default=False, db_default=False)  # said by a model that could name no source
    step_handoff = models.ForeignKey("Handoff", models.SET_NULL, null=True, related_name="+")
    step_index = models.PositiveSmallIntegerField(null=True)  # which suggested step of that handoff, from 0
    step_use = models.CharField(max_length=20, choices=StepUse, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["session", "number"], name="message_number_unique"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["engineer", "copilot", "system", "client"]), name="message_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return self.body[:80]

    @property
    def warning(self) -> str:
        """What FlowPilot suggests may change or remove something."""
        return warning_for(self.body) if self.kind == self.Kind.COPILOT else ""

    @property
    def author_name(self) -> str:
        """Who wrote it, as the chat shows it."""
        if self.kind in {self.Kind.ENGINEER, self.Kind.SYSTEM} and self.author:
            return self.author.name
        return str(self.Kind(self.kind).label)


class TriedStepQuerySet(models.QuerySet["TriedStep"]):
    def standing(self) -> Self:
        """The ledger: without those that were merged into another one."""
        return self.filter(merged_into=None)


class TriedStep(models.Model):
    """What was tried, by whom, and how it went.

    A duplicate stays, merged into the later one: who tried what and when is never lost.
    """

    class Outcome(models.TextChoices):
        WORKED = "worked", "Worked"
        FAILED = "failed", "Failed"
        INCONCLUSIVE = "inconclusive", "Inconclusive"
        NOT_RUN = "not_run", "Not run"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(AISession, models.CASCADE, related_name="steps")
    position = models.PositiveIntegerField()
    description = models.CharField(max_length=STEP_LENGTH)
    outcome = models.CharField(max_length=12, choices=Outcome)
    note = models.CharField(max_length=STEP_LENGTH, blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    source_message = models.ForeignKey(Message, models.SET_NULL, null=True, related_name="+")
    step_handoff = models.ForeignKey("Handoff", models.SET_NULL, null=True, related_name="+")
    step_index = models.PositiveSmallIntegerField(null=True)  # the suggested step that it is the outcome of, from 0
    merged_into = models.ForeignKey("self", models.SET_NULL, null=True, related_name="merged")
    kept_apart = models.BooleanField(db_default=False)  # somebody looked: it repeats none of the steps before it
    created_at = models.DateTimeField(db_default=Now())

    objects = TriedStepQuerySet.as_manager()

    class Meta:
        verbose_name = "tried step"
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["session", "position"], name="step_position_unique"),
            models.CheckConstraint(
                condition=models.Q(outcome__in=["worked", "failed", "inconclusive", "not_run"]),
                name="step_outcome_known",
            ),
        ]

    def __str__(self) -> str:
        return self.description[:80]
