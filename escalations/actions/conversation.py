"""What every verb that touches a session shares: its lock, its version, its lines.

A session's version is the cursor of its sockets. Every change counts it up by one and announces one frame, so a
page that has seen n and gets n + 1 knows that it missed nothing.
"""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from escalations.actions.refusals import Conflict, NotAllowed
from escalations.live import announce
from escalations.models import AISession, Message
from resolutionflow.accounts.models import User


def lock(session: AISession) -> None:
    """Lock the session's row until the commit and read it again, so that what `session` says is true."""
    fresh = AISession.objects.select_for_update(no_key=True, of=("self",)).select_related("holder").get(pk=session.pk)
    session.__dict__.update(fresh.__dict__)


def lock_as_holder(session: AISession, *, by: User) -> None:
    """Lock the session on behalf of its holder. Raises Conflict once it is closed, NotAllowed for anybody else."""
    lock(session)
    if not session.is_open:
        raise Conflict(f"This session is {session.get_state_display().lower()}; nothing can be added to it.")
    if session.holder_id != by.pk:
        since = f" since {timezone.localtime(session.held_since):%H:%M}" if session.held_since else ""
        raise NotAllowed(f"{session.holder or 'Nobody'} has this session{since}. You can read it.")


def change(session: AISession, tell: Callable[[int], None] | None = None, **fields: Any) -> None:
    """Count one change of the locked session, write `fields`, and `tell` its version after the commit."""
    session.version = version = session.version + 1
    AISession.objects.filter(pk=session.pk).update(version=version, **fields)
    announce_it = tell or (lambda version: announce.session_changed(session.pk, version))
    transaction.on_commit(lambda: announce_it(version), robust=True)


def add_message(
    session: AISession, kind: Message.Kind, body: str, *, author: User | None = None, **fields: Any
) -> Message:
    """Append one line to the locked session's conversation."""
    last = session.messages.aggregate(last=Max("number"))["last"] or 0
    message = Message.objects.create(session=session, number=last + 1, kind=kind, body=body, author=author, **fields)
    change(session, lambda version: announce.message_posted(message, version))
    return message
