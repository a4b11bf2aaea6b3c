"""Of which escalations somebody wants to hear, by which way, and when not; and up to where their bell is read."""

import zoneinfo

from django.db import models

from escalations.models.handoff import Handoff
from resolutionflow.accounts.models import User, validate_time_zone

RANK = {priority.value: rank for rank, priority in enumerate(Handoff.Priority)}
OFF = ""  # no escalation's priority is high enough


class NotificationPreference(models.Model):
    """Each way has the lowest priority that it is wanted for, or OFF. Whoever has no row yet has the defaults.

    What is unread is not stored: it is what the feed has after `read_up_to`, a position in the feed of the account
    `read_in`. So nothing is written when somebody escalates, and nothing can be there twice.
    """

    class Way(models.TextChoices):
        BELL = "bell", "The bell on every page"
        DESKTOP = "desktop", "Desktop notifications"
        SOUND = "sound", "A sound"
        EMAIL = "email", "E-mail"

    class Least(models.TextChoices):
        NEVER = OFF, "Never"
        LOW = "low", "Every escalation"
        NORMAL = "normal", "Normal priority and above"
        HIGH = "high", "High priority and above"
        URGENT = "urgent", "Urgent ones only"

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="notification_preference")
    bell = models.CharField(max_length=6, choices=Least, default=Least.LOW, blank=True)
    desktop = models.CharField(max_length=6, choices=Least, default=Least.NEVER, blank=True)
    sound = models.CharField(max_length=6, choices=Least, default=Least.NEVER, blank=True)
    email = models.CharField(max_length=6, choices=Least, default=Least.NEVER, blank=True)
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    time_zone = models.CharField(max_length=64, blank=True, validators=[validate_time_zone])  # empty: the account's
    read_up_to = models.PositiveBigIntegerField(default=0)
    read_in = models.UUIDField(null=True)  # whoever went to another account begins anew there

    class Meta:
        verbose_name = "notification preference"
        constraints = [
            *(
                models.CheckConstraint(
                    condition=models.Q((f"{way}__in", ["", "low", "normal", "high", "urgent"])),
                    name=f"preference_{way}_known",
                )
                for way in ("bell", "desktop", "sound", "email")
            ),
            models.CheckConstraint(
                condition=models.Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | (
                    models.Q(quiet_from__isnull=False, quiet_until__isnull=False)
                    & ~models.Q(quiet_from=models.F("quiet_until"))
                ),
                name="preference_quiet_hours_have_two_ends",
            ),
        ]

    def __str__(self) -> str:
        return f"of {self.user_id}"

    @property
    def tz(self) -> zoneinfo.ZoneInfo:
        """Their own zone, else the account's."""
        if self.time_zone:
            return zoneinfo.ZoneInfo(self.time_zone)
        return self.user.account.tz if self.user.account else zoneinfo.ZoneInfo("UTC")

    def priorities(self, way: str) -> list[str]:
        """Those that this way is wanted for."""
        least: str = getattr(self, self.Way(way).value)
        return [priority for priority, rank in RANK.items() if least != OFF and rank >= RANK[least]]


def preference_of(user: User) -> NotificationPreference:
    """The person's row, or the defaults, which are not saved."""
    try:
        return user.notification_preference
    except NotificationPreference.DoesNotExist:
        return NotificationPreference(user=user)
