"""Names of the channel layer's groups, in one place, so that an id as str and as UUID gives the same one."""

from uuid import UUID

PEOPLE = "people"  # the doors of every process: whose rights have changed
LOOKING = "looking"  # every process: who looks at which handoff


def queue_of(account_id: UUID | str) -> str:
    """Everybody who watches the account's queue."""
    return f"queue.{UUID(str(account_id)).hex}"


def session(session_id: UUID | str) -> str:
    """Everybody who has this session, or a handoff of it, open."""
    return f"session.{UUID(str(session_id)).hex}"


def is_watched(group: str) -> bool:
    """Whether pages or programs follow this group, so that it has a cursor and heartbeats."""
    return group not in {PEOPLE, LOOKING}
