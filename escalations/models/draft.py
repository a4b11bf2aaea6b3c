"""What somebody has written into a session's page and not sent yet."""

import uuid

from django.db import models
from django.db.models.functions import Now

from escalations.models.session import AISession
from resolutionflow.accounts.models import User


class Draft(models.Model):
    """One person's text of one field of one session; nobody else ever sees it, so it is sealed, not masked.

    `sent` counts how often the field was sent: a save that was under way meanwhile names the number before, and is
    late. `page` and `turn` tell the saves of one open page apart. A draft that was sent stays for a while, empty.
    """

    class Field(models.TextChoices):
        MESSAGE = "message", "Message"
        REASON = "reason", "Reason for escalating"
        RESOLUTION = "resolution", "What fixed it"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(AISession, models.CASCADE, related_name="drafts")
    by = models.ForeignKey(User, models.PROTECT, related_name="drafts")
    field = models.CharField(max_length=10, choices=Field)
    sealed = models.TextField(blank=True, editable=False)  # empty: there is none
    sent = models.PositiveIntegerField(db_default=0)
    page = models.CharField(max_length=40, blank=True, db_default="")
    turn = models.PositiveIntegerField(db_default=0)
    step_handoff = models.UUIDField(null=True)  # where it comes from, if it began with a suggested step
    step_index = models.PositiveSmallIntegerField(null=True)
    kept_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["kept_at"], name="draft_kept_at")]
        constraints = [
            models.UniqueConstraint(fields=["session", "by", "field"], name="draft_one_per_field"),
            models.CheckConstraint(
                condition=models.Q(field__in=["message", "reason", "resolution"]), name="draft_field_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_field_display()} of {self.by_id}"
