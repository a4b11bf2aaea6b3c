"""Each question to a model: what an account's budget is counted from."""

import uuid
from typing import Self

from django.db import models
from django.db.models.functions import Now

from resolutionflow.accounts.models import Account, OwnedQuerySet


class ModelCallQuerySet(OwnedQuerySet["ModelCall"]):
    def under_way(self) -> Self:
        """Asked and not answered yet. Those of a worker that died end by themselves."""
        return self.filter(ended_at=None, expires_at__gt=Now())


class ModelCall(models.Model):
    """One question. Tokens are what the model says it read and wrote; 0 where it said nothing."""

    class Purpose(models.TextChoices):
        ASSESSMENT = "assessment", "Assessment"
        ANSWER = "answer", "Answer in the chat"

    class Outcome(models.TextChoices):
        ANSWERED = "answered", "Answered"
        TIMED_OUT = "timed_out", "Took too long"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="model_calls")
    purpose = models.CharField(max_length=10, choices=Purpose)
    model = models.CharField(max_length=200)
    began_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    why = models.CharField(max_length=300, blank=True)
    tokens_in = models.PositiveIntegerField(default=0)
    tokens_out = models.PositiveIntegerField(default=0)

    objects = ModelCallQuerySet.as_manager()

    class Meta:
        verbose_name = "question to a model"
        verbose_name_plural = "questions to models"
        ordering = ["-began_at"]
        indexes = [models.Index(fields=["account", "began_at"], name="model_call_account_began")]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} by {self.model}"
