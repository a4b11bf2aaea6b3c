"""Whether an assessment helped, as those say who picked its handoff up."""

from django.db import models
from django.db.models.functions import Now

from escalations.models.assessment import Assessment
from resolutionflow.accounts.models import User

WHY_LENGTH = 500


class Feedback(models.Model):
    """One vote of one picker; the last one counts, and is the only one that is kept."""

    assessment = models.ForeignKey(Assessment, models.CASCADE, related_name="feedback")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    helpful = models.BooleanField()
    why = models.CharField(max_length=WHY_LENGTH, blank=True)
    at = models.DateTimeField(db_default=Now())  # of the last vote

    class Meta:
        verbose_name_plural = "feedback"
        ordering = ["at"]
        constraints = [models.UniqueConstraint(fields=["assessment", "by"], name="feedback_one_vote_per_person")]

    def __str__(self) -> str:
        return "Helpful" if self.helpful else "Not helpful"
