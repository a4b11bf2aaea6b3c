"""Where an account wants its escalations told outside: a chat, a pager, a program of its own."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from escalations.models.feed import FeedEvent
from escalations.models.handoff import Handoff
from resolutionflow.accounts.models import Account, OwnedQuerySet, User

NAME_LENGTH = 60
TOLD = (
    FeedEvent.Kind.CREATED,
    FeedEvent.Kind.PICKED_UP,
    FeedEvent.Kind.RELEASED,
    FeedEvent.Kind.TAKEN_BACK,
    FeedEvent.Kind.RESOLVED,
)
CALLS = (FeedEvent.Kind.CREATED, FeedEvent.Kind.RELEASED)  # of which somebody has to come


def all_priorities() -> list[str]:
    return list(Handoff.Priority.values)


class Channel(models.Model):
    """`seen` is the feed's position up to which its deliveries are made; what came before it never gets there.

    `sending_until` is the claim of the worker that sends there now: one at a time, so that the order holds.

    The target opens something at most services, so it is sealed; `hint` is what people may see of it.
    """

    class Kind(models.TextChoices):
        WEBHOOK = "webhook", "Webhook"
        TICKET = "ticket", "Note in the ticket system"
        SLACK = "slack", "Slack"
        TEAMS = "teams", "Microsoft Teams"
        PAGERDUTY = "pagerduty", "PagerDuty"
        NTFY = "ntfy", "ntfy"
        EMAIL = "email", "E-mail"

    SIGNED = (Kind.WEBHOOK, Kind.TICKET)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="channels")
    kind = models.CharField(max_length=12, choices=Kind)
    name = models.CharField(max_length=NAME_LENGTH)
    sealed_target = models.TextField(editable=False)
    hint = models.CharField(max_length=120)
    sealed_secret = models.TextField(blank=True, editable=False)  # what webhooks are signed with
    kinds = ArrayField(models.CharField(max_length=20, choices=FeedEvent.Kind))
    priorities = ArrayField(models.CharField(max_length=6, choices=Handoff.Priority), default=all_priorities)
    is_on = models.BooleanField(default=True, db_default=True)
    seen = models.PositiveBigIntegerField(default=0, db_default=0)
    sending_until = models.DateTimeField(null=True, editable=False)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    objects = OwnedQuerySet["Channel"].as_manager()

    class Meta:
        ordering = ["name", "created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["webhook", "ticket", "slack", "teams", "pagerduty", "ntfy", "email"]),
                name="channel_kind_known",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_signed(self) -> bool:
        return self.kind in self.SIGNED

    def wants(self, event: FeedEvent) -> bool:
        """Whether this event is to be told here; notes only reach sessions that name a ticket."""
        handoff = event.handoff
        if event.kind not in self.kinds or handoff.priority not in self.priorities:
            return False
        return self.kind != self.Kind.TICKET or bool(handoff.session.ticket_ref)
