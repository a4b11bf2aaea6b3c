"""What was taken out of a session's texts because nobody but its holder may read it."""

import uuid

from django.db import models
from django.db.models.functions import Now

from escalations.models.session import AISession
from resolutionflow.accounts.models import User


class Secret(models.Model):
    """The texts say `[hidden password 2]`; this is number 2. Sealed with a key that comes from SECRET_KEY."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(AISession, models.CASCADE, related_name="secrets")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=20)
    sealed = models.TextField(editable=False)
    digest = models.CharField(max_length=64, editable=False)  # keyed, so that the same secret gets the same number
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["session", "number"], name="secret_number_unique"),
            models.UniqueConstraint(fields=["session", "digest"], name="secret_hidden_once"),
        ]

    def __str__(self) -> str:
        return f"hidden {self.kind} {self.number}"


class Reveal(models.Model):
    """Who read a secret, and when. Stays."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    secret = models.ForeignKey(Secret, models.CASCADE, related_name="reveals")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.by} read {self.secret}"
