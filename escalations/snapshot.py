"""A session → the frozen context of a handoff, as it is shown to whoever picks it up.

`{"version": 1, "session": {id, title, client_name, ticket_ref, problem, started_at, started_by},
"messages": [{id, number, kind, author, body, at}], "steps": [{id, description, outcome, note, by, at, message_id}],
"attachments": [{id, name, content_type, size, sha256, excerpt, message, by, at}]}`, which older snapshots
lack; times are ISO 8601 in UTC, ids are strings, people are names. The system's own lines are left out, and so are
secrets: texts are stored without them, but those that were written before that was so are masked here.
"""

import hashlib
import json
import re
from datetime import datetime
from typing import Any

from escalations.masking import mask
from escalations.models import AISession, Attachment, Message, TriedStep


def of(session: AISession) -> dict[str, Any]:
    """The session's context as it is now; the caller holds the session's lock."""
    messages = session.messages.exclude(kind=Message.Kind.SYSTEM).select_related("author")
    return {
        "version": 1,
        "session": {
            "id": str(session.pk),
            "title": mask(session.title),
            "client_name": mask(session.client_name),
            "ticket_ref": mask(session.ticket_ref),
            "problem": mask(session.problem),
            "started_at": _iso(session.created_at),
            "started_by": session.started_by.name if session.started_by else "",
        },
        "messages": [_message(message) for message in messages],
        "steps": [_step(step) for step in session.steps.standing().select_related("by")],
        "attachments": [_attachment(attachment) for attachment in _sent(session)],
    }


def _sent(session: AISession) -> list[Attachment]:
    found = session.attachments.filter(message__isnull=False).select_related("message", "uploaded_by")
    return list(found.order_by("message__number", "created_at", "id"))


def digest(frozen: dict[str, Any]) -> str:
    """SHA-256 in hexadecimal of a snapshot's JSON: keys in order, no white space, UTF-8.

    The escalation's event carries it, and events cannot be changed: it proves what was frozen.
    """
    text = json.dumps(frozen, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _message(message: Message) -> dict[str, Any]:
    return {
        "id": str(message.pk),
        "number": message.number,
        "kind": message.kind,
        "author": message.author_name,
        "body": mask(message.body),
        "at": _iso(message.created_at),
    }


def _step(step: TriedStep) -> dict[str, Any]:
    return {
        "id": str(step.pk),
        "description": mask(step.description),
        "outcome": step.outcome,
        "note": mask(step.note),
        "by": step.by.name if step.by else "",
        "at": _iso(step.created_at),
        "message_id": str(step.source_message_id) if step.source_message_id else None,
    }


def _attachment(attachment: Attachment) -> dict[str, Any]:
    """The file itself is none of the snapshot; its hash proves which one it was."""
    return {
        "id": str(attachment.pk),
        "name": mask(attachment.name),
        "content_type": attachment.content_type,
        "size": attachment.size,
        "sha256": attachment.sha256,
        "excerpt": attachment.excerpt,
        "message": attachment.message.number if attachment.message else None,
        "by": attachment.uploaded_by.name,
        "at": _iso(attachment.created_at),
    }


def _iso(moment: datetime) -> str:
    return moment.isoformat()


# What a good escalation tells, and how its text gives it away. Only a hint: nothing is ever blocked by it.
TELLS = {
    "the exact error text": r"error|fail|code|0x[0-9a-f]{4,}|event \d+|exception|denied|timed? ?out|[\"“].+[\"”]",
    "who is affected": r"\b(users?|everyone|everybody|all|nobody|staff|people|person|one|two|three|\d+|team|office)\b",
    "the last change before it began": r"\b(since|after|update|upgrade|chang|replac|migrat|install|new|moved?|yesterday"
    r"|monday|tuesday|wednesday|thursday|friday|last (week|night|month))",
}
A_STEP = "at least one step that was tried"


def missing_from(session: AISession) -> list[str]:
    """What the next engineer will ask for first, in words, as far as the session does not tell it."""
    said = session.messages.exclude(kind=Message.Kind.SYSTEM).values_list("body", flat=True)
    told = " ".join([session.title, session.problem, *said]).lower()
    missing = [what for what, pattern in TELLS.items() if not re.search(pattern, told)]
    if not session.steps.exists():
        missing.append(A_STEP)
    return missing
