"""What somebody says about their notifications, and that they have read them."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Greatest

from escalations.actions import offers
from escalations.actions.refusals import require_engineer
from escalations.models.feed import cursor_of
from escalations.models.preference import NotificationPreference
from resolutionflow.accounts.models import Account, User


def of(user: User, account: Account) -> NotificationPreference:
    """The person's row. The first look makes it: what was there before counts as read.

    Raises NotAllowed for whoever may not work, because nobody waits for them.
    """
    require_engineer(user)
    found = NotificationPreference.objects.filter(user=user).first()
    if found is None or found.read_in != account.pk:
        begun = {"read_up_to": cursor_of(account), "read_in": account.pk}
        found, made = NotificationPreference.objects.get_or_create(user=user, defaults=begun)
        if not made and found.read_in != account.pk:
            found = _change(found, **begun)
    found.user = user
    return found


def keep(preference: NotificationPreference, **wanted: Any) -> NotificationPreference:
    return _change(preference, **wanted)


def read(
    preference: NotificationPreference, account: Account, *, up_to: int, told: Iterable[UUID] = ()
) -> NotificationPreference:
    """Everything up to this position of the feed counts as read, and so do these offers.

    Never back, and never ahead of the feed.
    """
    offers.read(told, by=preference.user)
    position = min(up_to, cursor_of(account))
    return _change(preference, read_up_to=Greatest(F("read_up_to"), position))


def _change(preference: NotificationPreference, **changes: Any) -> NotificationPreference:
    """Only these columns: another tab may change others at the same moment."""
    user = preference.user
    NotificationPreference.objects.filter(pk=preference.pk).update(**changes)
    fresh = NotificationPreference.objects.get(pk=preference.pk)
    fresh.user = user
    return fresh
