"""Where feeds and sessions stand: one query per kind, for all groups that have sockets in this process."""

from uuid import UUID

from escalations.live import groups
from escalations.models import AISession, FeedCounter
from resolutionflow import walls


@walls.everywhere()
def of_groups(names: list[str]) -> dict[str, int]:
    """The cursor of each group. A feed that has no event yet stands at 0; a session that is gone is left out.

    The sockets of one process belong to many accounts, so this asks across them: for numbers, and nothing else.
    """
    accounts = _ids(names, "queue.")
    sessions = _ids(names, "session.")
    found: dict[str, int] = {groups.queue_of(account): 0 for account in accounts}
    if accounts:
        counters = FeedCounter.objects.filter(account__in=accounts).values_list("account_id", "seq")
        found |= {groups.queue_of(account): seq for account, seq in counters}
    if sessions:
        versions = AISession.objects.filter(pk__in=sessions).values_list("pk", "version")
        found |= {groups.session(session): version for session, version in versions}
    return found


def of_group(name: str) -> int:
    return of_groups([name]).get(name, 0)


def _ids(names: list[str], prefix: str) -> list[UUID]:
    return [UUID(name.removeprefix(prefix)) for name in names if name.startswith(prefix)]
