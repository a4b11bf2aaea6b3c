"""The feed: an account's ordered list of changes. Its position is the integer cursor.

`actions.feed.append` is the only writer. The counter stands in a table of its own, because saving an Account
writes all its columns and would turn the counter back.
"""

import pgtrigger
from django.db import models
from django.db.models.functions import Now

from escalations.models.handoff import Handoff
from escalations.models.session import AISession
from resolutionflow.accounts.models import Account, OwnedQuerySet, User


class FeedCounter(models.Model):
    """The account's cursor. Its row lock is held from the append to the commit: whoever sees n sees 1..n."""

    account = models.OneToOneField(Account, models.PROTECT, primary_key=True, related_name="feed_counter")
    seq = models.PositiveBigIntegerField(default=0)

    class Meta:
        db_table = "feed_counter"
        triggers = [
            pgtrigger.Trigger(
                name="counts_by_one",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF NEW.seq <> OLD.seq + 1 THEN
                        RAISE EXCEPTION 'the feed counter goes from % to %, not to %', OLD.seq, OLD.seq + 1, NEW.seq;
                    END IF;
                    RETURN NEW;
                """,
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.seq}"


class FeedEvent(models.Model):
    """One change of one handoff. Append-only; what happened stays."""

    class Kind(models.TextChoices):
        CREATED = "handoff_created", "Escalated"
        PICKED_UP = "handoff_picked_up", "Picked up"
        RELEASED = "handoff_released", "Released"
        TAKEN_BACK = "handoff_taken_back", "Taken back"
        ASSESSED = "handoff_assessed", "Assessed"
        RESOLVED = "handoff_resolved", "Resolved"

    ENTERS_THE_QUEUE = (Kind.CREATED, Kind.RELEASED)

    account = models.ForeignKey(Account, models.PROTECT, related_name="feed")
    seq = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=20, choices=Kind)
    handoff = models.ForeignKey(Handoff, models.PROTECT, related_name="events")
    session = models.ForeignKey(AISession, models.PROTECT, related_name="+")
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now())
    data = models.JSONField(default=dict)

    objects = OwnedQuerySet["FeedEvent"].as_manager()

    class Meta:
        db_table = "feed_event"
        verbose_name = "feed event"
        ordering = ["account", "-seq"]
        constraints = [models.UniqueConstraint(fields=["account", "seq"], name="feed_event_position")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.seq} {self.kind}"


def cursor_of(account: Account) -> int:
    """The account's feed position now. Read it before the list that it stands for, never after."""
    counter = FeedCounter.objects.filter(account=account).values_list("seq", flat=True).first()
    return counter or 0
