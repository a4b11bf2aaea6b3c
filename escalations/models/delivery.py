"""One event on its way to one channel, or to one person by e-mail: the log of what was told outside."""

import uuid
from typing import Self

from django.db import models
from django.db.models.functions import Now

from escalations.models.channel import Channel
from escalations.models.feed import FeedEvent
from resolutionflow.accounts.models import Account, OwnedQuerySet, User

TEST = "test"


class DeliveryQuerySet(OwnedQuerySet["Delivery"]):
    def waiting(self) -> Self:
        return self.filter(state=Delivery.State.WAITING)

    def for_sending(self) -> Self:
        """With what is told of it."""
        return self.select_related("channel", "person", "account", "event__actor")


class Delivery(models.Model):
    """`seq` is the event's place in the feed, and so its place in its channel. A test has no event.

    Each event gets to a channel or person once: the id stays the same for every try.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        DEAD = "dead", "Given up"
        NEEDLESS = "needless", "Not needed any more"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="deliveries")
    channel = models.ForeignKey(Channel, models.CASCADE, related_name="deliveries", null=True)
    person = models.ForeignKey(User, models.PROTECT, related_name="deliveries", null=True)
    event = models.ForeignKey(FeedEvent, models.PROTECT, related_name="deliveries", null=True)
    seq = models.PositiveBigIntegerField(default=0, db_default=0)
    kind = models.CharField(max_length=20, choices=[*FeedEvent.Kind.choices, (TEST, "Test")])
    state = models.CharField(max_length=8, choices=State, default=State.WAITING, db_default="waiting")
    attempts = models.PositiveIntegerField(default=0, db_default=0)
    error = models.CharField("why it did not get there", max_length=300, blank=True, db_default="")
    created_at = models.DateTimeField(db_default=Now())
    next_try_at = models.DateTimeField(db_default=Now())
    give_up_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-created_at", "-seq"]
        indexes = [
            models.Index(fields=["channel", "seq"], name="delivery_waiting", condition=models.Q(state="waiting")),
            models.Index(fields=["channel", "-created_at"], name="delivery_channel_recent"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["channel", "event"], name="delivery_once_per_channel"),
            models.UniqueConstraint(fields=["person", "event"], name="delivery_once_per_person"),
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "sent", "dead", "needless"]), name="delivery_state_known"
            ),
            models.CheckConstraint(
                condition=models.Q(channel__isnull=True) ^ models.Q(person__isnull=True), name="delivery_has_one_target"
            ),
            models.CheckConstraint(
                condition=models.Q(state="sent", sent_at__isnull=False)
                | (~models.Q(state="sent") & models.Q(sent_at__isnull=True)),
                name="delivery_sent_iff_it_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} to {self.channel or self.person}"

    @property
    def is_mail(self) -> bool:
        return self.channel is None or self.channel.kind == Channel.Kind.EMAIL

    @property
    def is_test(self) -> bool:
        return self.kind == TEST
