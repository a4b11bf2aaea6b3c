"""Which of the waiting cards somebody wants to see: it stands in the address, and hides the others by a style rule.

The list itself stays whole and the same for everyone, so that frames, order and cursors know nothing of filters.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self
from uuid import UUID

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from escalations.models import Handoff
from escalations.templatetags.clients import client_mark
from resolutionflow.accounts.models import User

LONGEST_NAME = 200


@dataclass(frozen=True)
class Filter:
    """`?priority=urgent&client=Brightwater&mine=1`; what is unknown or empty filters nothing."""

    person: User
    priority: str = ""
    client: str = ""
    is_mine: bool = False

    @classmethod
    def of_address(cls, asked: QueryDict, person: User) -> Self:
        priority = asked.get("priority", "")
        return cls(
            person,
            priority if priority in Handoff.Priority.values else "",
            asked.get("client", "").replace("\0", "").strip()[:LONGEST_NAME],
            asked.get("mine") == "1",
        )

    @property
    def selector(self) -> SafeString:
        """What a card that is wanted has, for a style rule; empty: every card is."""
        wanted = [("priority", self.priority), ("client", self.client and client_mark(self.client))]
        wanted.append(("from", str(self.person.pk) if self.is_mine else ""))
        return format_html_join("", '[data-{}="{}"]', [each for each in wanted if each[1]])

    def count(self, waiting: "QuerySet[Handoff]") -> int:
        """How many of them are shown."""
        if self.priority:
            waiting = waiting.filter(priority=self.priority)
        if self.is_mine:
            waiting = waiting.filter(created_by=self.person)
        names = waiting.values_list("session__client_name", flat=True)
        return sum(not self.client or client_mark(name) == client_mark(self.client) for name in names)


@lru_cache(maxsize=1000)
def clients_at(account_id: UUID, cursor: int) -> list[str]:
    """The clients that somebody waits for, by name; read once per change of the account's feed."""
    waiting = Handoff.objects.filter(account=account_id, state=Handoff.State.WAITING)
    names = waiting.order_by().values_list("session__client_name", flat=True).distinct()
    return sorted(filter(None, names), key=str.casefold)
