"""A page of the team's own runbook: steps that hold for a kind of problem."""

import uuid

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Now

from escalations.models.meaning import SIZE, Bits
from resolutionflow.accounts.models import Account, OwnedQuerySet

PATH_LENGTH = 300
TITLE_LENGTH = 200
BODY_LENGTH = 200_000


class Runbook(models.Model):
    """`path` is where it was imported from, within its folder: it makes it the same page when it comes again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="runbooks")
    path = models.CharField(max_length=PATH_LENGTH)
    title = models.CharField(max_length=TITLE_LENGTH)
    tags = models.JSONField(default=list)  # words that its text may not hold
    body = models.TextField(max_length=BODY_LENGTH)
    steps = models.JSONField(default=list)  # in order, as plain text
    imported_at = models.DateTimeField(db_default=Now())
    knowledge = SearchVectorField(null=True, editable=False)
    sketch = Bits(null=True, editable=False)  # as a session's Meaning has them, once they are made
    whole = models.BinaryField(max_length=2 * SIZE, null=True)

    objects = OwnedQuerySet["Runbook"].as_manager()

    class Meta:
        ordering = ["title"]
        indexes = [GinIndex(fields=["knowledge"], name="runbook_knowledge")]
        constraints = [models.UniqueConstraint(fields=["account", "path"], name="runbook_imported_once")]

    def __str__(self) -> str:
        return self.title
