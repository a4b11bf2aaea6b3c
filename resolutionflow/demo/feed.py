"""An account's feed in the making: positions are given in the order of the calls, which is the order of time."""

from datetime import datetime
from typing import Any

from escalations.models import FeedCounter, FeedEvent, Handoff
from resolutionflow.accounts.models import Account, User


class Feed:
    def __init__(self, account: Account) -> None:
        self.account = account
        self.events: list[FeedEvent] = []

    def append(
        self,
        kind: FeedEvent.Kind,
        handoff: Handoff,
        *,
        by: User | None,
        at: datetime,
        data: dict[str, Any] | None = None,
    ) -> None:
        """One event, stamped on its handoff as `actions.feed.append` does."""
        handoff.version = seq = len(self.events) + 1
        if kind in FeedEvent.ENTERS_THE_QUEUE:
            handoff.queued_seq = seq
        self.events.append(
            FeedEvent(
                account=self.account,
                seq=seq,
                kind=kind,
                handoff=handoff,
                session=handoff.session,
                actor=by,
                at=at,
                data=data or {},
            )
        )

    def write(self) -> None:
        FeedEvent.objects.bulk_create(self.events)
        FeedCounter.objects.create(account=self.account, seq=len(self.events))
