"""Who wants to hear of an escalation."""

from datetime import datetime

from django.utils import timezone

from escalations.models import Handoff
from escalations.models.preference import NotificationPreference, preference_of
from escalations.notifications import quiet_hours
from resolutionflow.accounts.models import User


def wanting(handoff: Handoff, way: str, *, at: datetime | None = None) -> list[User]:
    """The people of its account who want this one by this way (bell, desktop, sound, email) at that moment, or now.

    Never who escalated it, nobody who may not pick it up, and but for the bell nobody in their quiet hours. Raises
    ValueError for a way that there is not.
    """
    way, moment = NotificationPreference.Way(way), at or timezone.now()
    people = User.objects.for_account(handoff.account).filter(is_active=True).exclude(pk=handoff.created_by_id)
    people = people.exclude(role=User.Role.VIEWER).select_related("account", "notification_preference")
    return [person for person in people if _wants(preference_of(person), handoff, way, moment)]


def _wants(preference: NotificationPreference, handoff: Handoff, way: str, moment: datetime) -> bool:
    if handoff.priority not in preference.priorities(way):
        return False
    return way == NotificationPreference.Way.BELL or not quiet_hours.are_on(preference, moment)
