"""What a resolved handoff tells whoever escalated it: that it is solved, what fixed it, how near they were."""

from django.db import models

from escalations.models.handoff import Handoff
from escalations.models.session import TriedStep
from resolutionflow.accounts.models import Account, OwnedQuerySet, User


class Lesson(models.Model):
    """Made with the resolution. It holds no text: what fixed it stands in the session.

    `closest` is the step of the learner's that was nearest to it, None if none was near; `compared_at` is null until
    the worker has looked. `got_at` is when the learner said that they know.
    """

    handoff = models.OneToOneField(Handoff, models.CASCADE, primary_key=True, related_name="lesson")
    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    learner = models.ForeignKey(User, models.PROTECT, related_name="lessons", db_index=False)
    closest = models.ForeignKey(TriedStep, models.SET_NULL, related_name="+", null=True)
    compared_at = models.DateTimeField(null=True)
    got_at = models.DateTimeField(null=True)

    objects = OwnedQuerySet["Lesson"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["learner"], name="lesson_not_got", condition=models.Q(got_at=None))]

    def __str__(self) -> str:
        return f"what fixed {self.handoff_id}"
