"""What came of a rehearsal, from the rows that it left: how many arrived, who picked them up, how quickly."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from escalations.models import AISession, FeedEvent, Handoff, RefusedPickup
from escalations.templatetags.durations import in_words
from resolutionflow.accounts.models import Account, OwnedQuerySet
from resolutionflow.demo.rehearsal import MARK, of_rehearsal

Kind = FeedEvent.Kind
DID = {
    Kind.CREATED: "escalated",
    Kind.PICKED_UP: "picked up",
    Kind.RELEASED: "put back",
    Kind.TAKEN_BACK: "took back",
    Kind.RESOLVED: "resolved",
}


@dataclass(frozen=True)
class Score:
    """Names with how often, the most first; `waited`: seconds until the first pick-up of each that had one."""

    arrived: int
    picked_up: list[tuple[str, int]]
    resolved: list[tuple[str, int]]
    refused: list[tuple[str, int]]
    waiting: int
    waited: list[float]

    @property
    def median(self) -> str:
        return in_words(round(median(self.waited))) if self.waited else ""

    def in_words(self) -> str:
        """A few sentences."""
        if not self.arrived:
            return "No escalation arrived."
        said = [f"{self.arrived} escalation{'s' if self.arrived > 1 else ''} arrived."]
        said.append(f"Picked up: {_named(self.picked_up)}." if self.picked_up else "Nobody picked one up.")
        if self.waited:
            said.append(f"Median time to pick up: {self.median}.")
        said.append(f"Resolved: {_named(self.resolved)}." if self.resolved else "None is resolved.")
        said.append(f"Came too late: {_named(self.refused)}." if self.refused else "Nobody came too late.")
        if self.waiting:
            said.append(f"{self.waiting} still wait{'s' if self.waiting == 1 else ''} in the queue.")
        return " ".join(said)


def of(account: Account, mark: str) -> Score:
    made = of_rehearsal(account, mark)
    events = list(_events(account, mark))
    first: dict[object, float] = {}
    began = {handoff.pk: handoff.created_at for handoff in made}
    for event in events:
        if event.kind == Kind.PICKED_UP and event.handoff_id not in first:
            first[event.handoff_id] = (event.at - began[event.handoff_id]).total_seconds()
    refused = RefusedPickup.objects.for_account(account).filter(handoff__in=began).select_related("by")
    return Score(
        arrived=len(made),
        picked_up=_count(event.actor.name for event in events if event.kind == Kind.PICKED_UP and event.actor),
        resolved=_count(event.actor.name for event in events if event.kind == Kind.RESOLVED and event.actor),
        refused=_count(each.by.name for each in refused),
        waiting=sum(handoff.state == Handoff.State.WAITING for handoff in made),
        waited=list(first.values()),
    )


def lines(account: Account, mark: str, *, after: int) -> Iterator[tuple[int, str]]:
    """What happened after that position of the feed, each with its own position."""
    for event in _events(account, mark).filter(seq__gt=after):
        if event.kind in DID:
            who = event.actor.name if event.actor else "Somebody"
            yield (
                event.seq,
                f"{event.at.astimezone(account.tz):%H:%M:%S}  {who} {DID[Kind(event.kind)]}: {event.session}",
            )


def last_mark(account: Account) -> str | None:
    """The mark of the account's newest rehearsal that anything arrived in."""
    newest = AISession.objects.for_account(account).filter(external_id__startswith=f"{MARK} ").order_by("-created_at")
    told = newest.values_list("external_id", flat=True).first()
    return told.rpartition(" ")[0] + " " if told else None


def _events(account: Account, mark: str) -> OwnedQuerySet[FeedEvent]:
    events = FeedEvent.objects.for_account(account).filter(session__external_id__startswith=mark)
    return events.select_related("actor", "session").order_by("seq")


def _count(names: Iterator[str]) -> list[tuple[str, int]]:
    return Counter(names).most_common()


def _named(counts: list[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts)
