"""Put a file into a session, take it out again before it is sent, and clear away what nobody sent.

Bytes first, then the row: killed in between, a file without a row is left, which the sweep finds. Never the reverse.
"""

import logging
import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import IO
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from escalations import files, filetypes, scanning
from escalations.actions.conversation import lock_as_holder
from escalations.actions.refusals import Conflict, NotAllowed, Refusal, require_engineer
from escalations.actions.transaction import in_transaction
from escalations.filetypes import Kind, NotTaken
from escalations.models import AISession, Attachment, Message
from resolutionflow.accounts.models import User

log = logging.getLogger(__name__)

MIB = 1024 * 1024
PER_MESSAGE = 10
PER_SESSION = 200 * MIB
UNSENT_HOURS = 24
ORPHAN_SECONDS = 24 * 3600.0  # a file may lie there for so long before its row must be
ROWS_AT_ONCE = 500


class Refused(Refusal):
    """The file is none that is taken; the words say why."""

    status = 422


class TooLarge(Refused):
    status = 413


def attach(session: AISession, *, by: User, name: str, size: int, file: IO[bytes]) -> Attachment:
    """Keep a file for the next message of the session's holder.

    Raises NotAllowed for anybody else, Conflict once the session is closed, Refused for what is not taken: by its kind,
    by its size, by the virus scanner, or because there is no room.
    """
    require_room(session, by=by, size=size)
    shown = filetypes.clean(name)
    if size > settings.ATTACHMENT_MAX_MB * MIB:
        raise TooLarge(f"“{shown}” is larger than {settings.ATTACHMENT_MAX_MB} MB, which is the most for one file.")
    if not size:
        raise Refused(f"“{shown}” is empty.")
    try:
        kind = filetypes.recognise(name, file)
        return _store(session, by=by, kind=kind, size=size, file=file)
    except NotTaken as error:
        raise Refused(str(error)) from error
    except OSError as error:
        log.error("An attachment could not be stored: %s", error)
        raise Conflict("The file could not be stored here. Tell whoever looks after this installation.") from error


def _store(session: AISession, *, by: User, kind: Kind, size: int, file: IO[bytes]) -> Attachment:
    attachment = Attachment(
        id=uuid.uuid4(), session=session, uploaded_by=by, name=kind.name, content_type=kind.content_type, size=size
    )
    with files.coming(attachment.pk, file) as (part, attachment.sha256):
        attachment.scanned = scanning.scan(part, kind.name)
        attachment.excerpt = filetypes.excerpt(file, kind.content_type)
    try:
        _add(attachment)
    except Exception:
        files.remove([attachment.pk])
        raise
    return attachment


@in_transaction
def require_room(session: AISession, *, by: User, size: int) -> None:
    """Raises what `attach` raises for who asks and for lack of room. The session's lock is held, so that of two files
    that come at once only one takes the last room."""
    require_engineer(by)
    lock_as_holder(session, by=by)
    if session.attachments.filter(message=None, uploaded_by=by).count() >= PER_MESSAGE:
        raise Refused(f"A message takes {PER_MESSAGE} files at most. Send these first.")
    taken = session.attachments.aggregate(total=Sum("size"))["total"] or 0
    if taken + size > PER_SESSION:
        raise Refused(
            f"This session holds {PER_SESSION // MIB} MB of files at most, and there is no room for this one."
        )


@in_transaction
def _add(attachment: Attachment) -> None:
    require_room(attachment.session, by=attachment.uploaded_by, size=attachment.size)
    attachment.save(force_insert=True)


@in_transaction
def remove(attachment: Attachment, *, by: User) -> None:
    """Take a file out that is not sent yet.

    Raises NotAllowed for anybody but who uploaded it, Conflict once it is sent.
    """
    require_engineer(by)
    if attachment.uploaded_by_id != by.pk:
        raise NotAllowed("Only who attached a file can take it out again.")
    gone, _ = Attachment.objects.filter(pk=attachment.pk, message=None).delete()
    if not gone:
        raise Conflict("It is sent already.")
    _remove_files_later([attachment.pk])


def unsent(session: AISession, *, by: User) -> list[Attachment]:
    """What waits for this person's next message."""
    return list(session.attachments.filter(message=None, uploaded_by=by))


def send(message: Message, *, by: User, attachment_ids: Iterable[UUID]) -> None:
    """Let these files go with the message; called by the verb that posts it, in its transaction.

    Raises Conflict if one of them is not there any more.
    """
    wanted = set(attachment_ids)
    waiting = Attachment.objects.filter(session=message.session_id, message=None, uploaded_by=by, pk__in=wanted)
    if waiting.update(message=message) != len(wanted):
        raise Conflict("One of the files is not there any more. Reload the page to see which; your text is kept.")


def remove_of_sessions(sessions: list[UUID]) -> None:
    """The files of pruned sessions, once the transaction that removes their rows is through."""
    _remove_files_later(list(Attachment.objects.filter(session__in=sessions).values_list("pk", flat=True)))


def sweep() -> None:
    """Files that were never sent, and files without a row: those of a process that was killed, or of a rollback."""
    before = timezone.now() - timedelta(hours=UNSENT_HOURS)
    old = list(
        Attachment.objects.filter(message=None, created_at__lt=before).values_list("pk", flat=True)[:ROWS_AT_ONCE]
    )
    gone = Attachment.objects.filter(message=None, pk__in=old)
    with transaction.atomic():
        ids = list(gone.select_for_update().values_list("pk", flat=True))
        gone.filter(pk__in=ids).delete()
        _remove_files_later(ids)
    lying = list(files.older_than(ORPHAN_SECONDS))
    for start in range(0, len(lying), ROWS_AT_ONCE):
        some = lying[start : start + ROWS_AT_ONCE]
        known = set(Attachment.objects.filter(pk__in=[pk for _, pk in some if pk]).values_list("pk", flat=True))
        for path, pk in some:
            if pk not in known:
                path.unlink(missing_ok=True)


def _remove_files_later(ids: list[UUID]) -> None:
    transaction.on_commit(lambda: files.remove(ids), robust=True)
