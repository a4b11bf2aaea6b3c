"""How many sockets and streams each person and each account have open in this process, and no more than may be."""

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings


@dataclass(frozen=True)
class Place:
    """One open socket or stream. Given back once."""

    user_id: UUID
    account_id: UUID | None


class Crowd:
    """All methods belong to one event loop."""

    def __init__(self) -> None:
        self._of_users: Counter[UUID] = Counter()
        self._of_accounts: Counter[UUID | None] = Counter()

    def take(self, user_id: UUID, account_id: UUID | None) -> Place | None:
        """None: this person or their account has as many open as may be."""
        if 0 < settings.SOCKETS_PER_USER <= self._of_users[user_id]:
            return None
        if 0 < settings.SOCKETS_PER_ACCOUNT <= self._of_accounts[account_id]:
            return None
        self._of_users[user_id] += 1
        self._of_accounts[account_id] += 1
        return Place(user_id, account_id)

    def give_back(self, place: Place) -> None:
        _one_less(self._of_users, place.user_id)
        _one_less(self._of_accounts, place.account_id)


def _one_less(counted: Counter[Any], who: Any) -> None:
    counted[who] -= 1
    if not counted[who]:
        del counted[who]


crowd = Crowd()
