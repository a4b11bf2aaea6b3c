"""A file that somebody put into a session's conversation. Its bytes lie in ATTACHMENTS_DIR, under its id."""

import uuid
from typing import Final

from django.db import models
from django.db.models.functions import Now

from escalations.models.session import AISession, Message
from resolutionflow.accounts.models import User

NAME_LENGTH = 120
EXCERPT_LENGTH = 2_200
SCANNED = [(True, "Clean"), (False, "No scanner was set"), (None, "Not known")]  # the last: from before it was noted
IMAGES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp")


class Attachment(models.Model):
    """`message` is null until it is sent; till then only who uploaded it sees it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(AISession, models.CASCADE, related_name="attachments")
    message = models.ForeignKey(Message, models.CASCADE, related_name="attachments", null=True)
    uploaded_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    name = models.CharField(max_length=NAME_LENGTH)
    content_type = models.CharField(max_length=60)
    size = models.PositiveIntegerField()  # bytes
    sha256 = models.CharField(max_length=64, editable=False)
    excerpt = models.TextField(max_length=EXCERPT_LENGTH, blank=True)  # of a text: its beginning and end, masked
    scanned = models.BooleanField("virus scan", choices=SCANNED, null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["created_at"], name="attachment_unsent", condition=models.Q(message=None))]

    def __str__(self) -> str:
        return self.name

    @property
    def is_image(self) -> bool:
        return self.content_type in IMAGES
