"""A pick-up that came too late. Apart from the feed, because nothing changed: it says how often people collide."""

import pgtrigger
from django.db import models
from django.db.models.functions import Now

from escalations.models.handoff import Handoff
from resolutionflow.accounts.models import Account, OwnedQuerySet, User


class RefusedPickup(models.Model):
    """`by` wanted the handoff while `held_by` had it. Append-only; `actions.handoffs.pick_up` is the only writer."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="refused_pickups")
    handoff = models.ForeignKey(Handoff, models.PROTECT, related_name="refused_pickups")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    held_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())

    objects = OwnedQuerySet["RefusedPickup"].as_manager()

    class Meta:
        verbose_name = "refused pick-up"
        ordering = ["-at"]
        triggers = [pgtrigger.Protect(name="refusals_stay", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.by} came too late for {self.handoff}"
