"""Keep what somebody has written and not sent, and forget it in the transaction that sends it.

It is the person's own unsent text: sealed where it is stored, so that no dump, export or admin page can read it, and
shown to nobody else. It is not masked, because then they could not go on writing it; what is sent is.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken
from django.db import connection
from django.utils import timezone

from escalations.actions.refusals import Conflict, require_engineer
from escalations.actions.transaction import in_transaction
from escalations.models import AISession, Draft
from resolutionflow import sealing
from resolutionflow.accounts.models import User

KEPT_DAYS = 30
EMPTY_DAYS = 1  # as long as a late save might still come

# One statement, so that saves and sendings have an order. A save that names an earlier number of sendings is late, and
# so is one that the same page has overtaken: neither changes anything.
KEEP = """
    INSERT INTO escalations_draft AS draft
        (id, session_id, by_id, field, sealed, sent, page, turn, step_handoff, step_index, kept_at)
    VALUES (%(id)s, %(session)s, %(by)s, %(field)s, %(sealed)s, %(sent)s, %(page)s, %(turn)s, %(handoff)s, %(index)s,
        now())
    ON CONFLICT (session_id, by_id, field) DO UPDATE SET sealed = excluded.sealed, page = excluded.page,
        turn = excluded.turn, step_handoff = excluded.step_handoff, step_index = excluded.step_index, kept_at = now()
    WHERE draft.sent = %(sent)s AND (draft.page <> excluded.page OR draft.turn < excluded.turn)
"""
SENT = """
    INSERT INTO escalations_draft AS draft (id, session_id, by_id, field, sealed, sent, page, turn, kept_at)
    VALUES (%s, %s, %s, %s, '', 1, '', 0, now())
    ON CONFLICT (session_id, by_id, field) DO UPDATE SET sealed = '', sent = draft.sent + 1, page = '', turn = 0,
        step_handoff = NULL, step_index = NULL, kept_at = now()
"""


class Late(Conflict):
    """The field was sent meanwhile; `sent` is how often by now."""

    def __init__(self, sent: int) -> None:
        self.sent = sent
        super().__init__("This was sent meanwhile.")


@dataclass(frozen=True)
class Kept:
    """A draft as its person's page shows it."""

    field: str
    text: str
    sent: int
    kept_at: datetime | None
    step_handoff: UUID | None = None
    step_index: int | None = None

    @property
    def label(self) -> str:
        return str(Draft.Field(self.field).label)


def of(session: AISession, *, by: User) -> dict[str, Kept]:
    """This person's drafts of the session, by field; a field without one has an empty one."""
    found = {draft.field: _opened(draft) for draft in session.drafts.filter(by=by)}
    return {field: found.get(field) or Kept(field, "", 0, None) for field in Draft.Field.values}


@in_transaction
def keep(
    session: AISession,
    *,
    by: User,
    field: str,
    text: str,
    sent: int,
    page: str,
    turn: int,
    step_handoff: UUID | None = None,
    step_index: int | None = None,
) -> None:
    """Keep the text in place of what was kept before; an empty one is none.

    Whoever no longer holds the session may still save what they wrote while they did. Raises NotAllowed for viewers,
    Late if the field was sent since the page saw it (`sent`).
    """
    require_engineer(by)
    told: dict[str, Any] = {
        **{"id": uuid.uuid4(), "session": session.pk, "by": by.pk, "field": field, "sent": sent, "page": page},
        **{"turn": turn, "handoff": step_handoff, "index": step_index},
        "sealed": _seal().encrypt(text.encode("utf-8", "surrogatepass")).decode() if text.strip() else "",
    }
    with connection.cursor() as cursor:
        cursor.execute(KEEP, told)
        written = cursor.rowcount
    if not written:
        now = session.drafts.filter(by=by, field=field).values_list("sent", flat=True).first() or 0
        if now != sent:
            raise Late(now)


def was_sent(session: AISession, *, by: User, field: Draft.Field) -> None:
    """Forget the draft; called by the verb that sends it, in its transaction. Saves under way come too late."""
    with connection.cursor() as cursor:
        cursor.execute(SENT, [uuid.uuid4(), session.pk, by.pk, field])


def forget_old() -> None:
    """What nobody sent within a month; and what is left of those that were sent, or emptied."""
    now = timezone.now()
    Draft.objects.filter(kept_at__lt=now - timedelta(days=KEPT_DAYS)).delete()
    Draft.objects.filter(sealed="", kept_at__lt=now - timedelta(days=EMPTY_DAYS)).delete()


def _opened(draft: Draft) -> Kept:
    """One that was sealed with another SECRET_KEY cannot be read any more: as if there were none."""
    text = ""
    if draft.sealed:
        try:
            text = _seal().decrypt(draft.sealed.encode()).decode("utf-8", "surrogatepass")
        except InvalidToken:
            text = ""
    return Kept(draft.field, text, draft.sent, draft.kept_at, draft.step_handoff, draft.step_index)


def _seal() -> Fernet:
    return sealing.seal("drafts")
