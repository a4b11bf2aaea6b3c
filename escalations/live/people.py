"""Say that somebody's rights have changed, so that their sockets and streams are looked at again at once.

Called by the doors where that happens (sign-out, the admin). Whoever changes the rows otherwise need not call it: the
doors look again by themselves within a heartbeat.
"""

from functools import partial
from uuid import UUID

from django.db import transaction

from escalations.live import groups, transport


def rights_changed(user_id: UUID) -> None:
    """After the commit, every web process looks again at what this person has open."""
    frame = {"type": "rights_changed", "user": str(user_id)}
    transaction.on_commit(partial(transport.publish, groups.PEOPLE, frame), robust=True)
