"""Remove what is older than an account wants to keep. It cannot be brought back.

A session that was never escalated goes altogether. Of one that was, the skeleton stays, because the feed and the
figures tell of it: who, when, which outcome; every text in it is gone, with its secrets, its snapshot and its vectors.
Open sessions and handoffs are never touched.
"""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import pgtrigger
from django.db import connection
from django.db.models import Exists, OuterRef
from django.db.models.functions import Coalesce
from django.utils import timezone

from escalations.actions import attachments, jobs
from escalations.actions.transaction import in_transaction
from escalations.models import AISession, Handoff
from escalations.models.session import AISessionQuerySet
from resolutionflow.accounts.models import Account
from resolutionflow.trail import record

SESSIONS_AT_ONCE = 200
CLOSED = (AISession.State.RESOLVED, AISession.State.ABANDONED)
GUARDS = ("escalations.Handoff:snapshot_is_frozen", "escalations.FeedEvent:append_only")


class Pruned(NamedTuple):
    """How many sessions went altogether, and of how many the skeleton stays."""

    removed: int
    emptied: int


# Each statement takes ids of sessions.
KNOWLEDGE = [
    "DELETE FROM escalations_attachment WHERE session_id = ANY(%s)",
    "DELETE FROM escalations_draft WHERE session_id = ANY(%s)",
    "DELETE FROM escalations_meaning WHERE session_id = ANY(%s)",
    """DELETE FROM escalations_reveal WHERE secret_id IN (
        SELECT id FROM escalations_secret WHERE session_id = ANY(%s))""",
    "DELETE FROM escalations_secret WHERE session_id = ANY(%s)",
    """UPDATE django_admin_log SET object_repr = '' WHERE object_id IN (
        SELECT unnest(%s::uuid[])::text)""",
]
REMOVE = [
    *KNOWLEDGE,
    "DELETE FROM escalations_triedstep WHERE session_id = ANY(%s)",
    "DELETE FROM escalations_message WHERE session_id = ANY(%s)",
    "DELETE FROM escalations_aisession WHERE id = ANY(%s)",
]
EMPTY = [
    # Handoffs before sessions, as everybody locks them.
    """UPDATE escalations_handoff SET reason = '', snapshot = jsonb_build_object(
            'version', snapshot -> 'version', 'messages', '[]'::jsonb, 'steps', '[]'::jsonb, 'attachments', '[]'::jsonb,
            'session', (snapshot -> 'session') || '{"title": "Text removed", "client_name": "", "ticket_ref": "",
                "problem": ""}')
        WHERE session_id = ANY(%s)""",
    """UPDATE escalations_aisession SET title = 'Text removed', client_name = '', ticket_ref = '', category = '',
            problem = '', resolution = '', external_id = NULL, knowledge = NULL, pruned_at = now()
        WHERE id = ANY(%s)""",
    *KNOWLEDGE,
    "UPDATE escalations_message SET body = '', sources = '[]' WHERE session_id = ANY(%s)",
    "UPDATE escalations_triedstep SET description = '', note = '' WHERE session_id = ANY(%s)",
    """UPDATE escalations_feedback SET why = '' WHERE assessment_id IN (
        SELECT id FROM escalations_handoff WHERE session_id = ANY(%s))""",
    """UPDATE escalations_offer SET note = '' WHERE handoff_id IN (
        SELECT id FROM escalations_handoff WHERE session_id = ANY(%s))""",
    # How many steps were suggested is a figure; what they said is not.
    """UPDATE escalations_assessment SET reason = '', data = CASE WHEN data IS NOT NULL THEN jsonb_build_object(
            'summary_prose', '', 'what_we_know', '[]'::jsonb, 'likely_cause', '', 'confidence', data -> 'confidence',
            'sources', '[]'::jsonb, 'suggested_steps', (
                SELECT coalesce(jsonb_agg('{"text": "", "sources": []}'::jsonb), '[]')
                FROM jsonb_array_elements(data -> 'suggested_steps'))) END
        WHERE handoff_id IN (SELECT id FROM escalations_handoff WHERE session_id = ANY(%s))""",
    """UPDATE django_admin_log SET object_repr = '' WHERE object_id IN (
        SELECT id::text FROM escalations_handoff WHERE session_id = ANY(%s))""",
    "UPDATE feed_event SET data = data - 'reason' WHERE session_id = ANY(%s) AND kind = 'handoff_released'",
]
# Answers that the API keeps for retries hold texts as well.
ANSWERS = """DELETE FROM accounts_idempotentanswer WHERE created_at < %s AND user_id IN (
    SELECT id FROM accounts_user WHERE account_id = %s)"""


def due(account: Account, *, before: datetime) -> AISessionQuerySet:
    """The account's sessions that were closed before then and are not pruned yet."""
    opened = Handoff.objects.open().filter(session=OuterRef("pk"))
    closed = AISession.objects.for_account(account).filter(state__in=CLOSED, pruned_at=None)
    return closed.annotate(ended_at=Coalesce("resolved_at", "created_at")).filter(~Exists(opened), ended_at__lt=before)


def later(account: Account) -> None:
    """Let the worker prune the account as its settings say, a step at a time."""
    jobs.defer(jobs.PRUNE, account_id=str(account.pk))


def as_set(account_id: UUID) -> None:
    """One step for an account that does not keep its sessions for ever; and the next one later, if there is more."""
    account = Account.objects.filter(pk=account_id, keep_days__isnull=False).first()
    if account and account.keep_days and any(prune(account, before=cutoff(account.keep_days), command="worker")):
        later(account)


def every_account() -> None:
    for account in Account.objects.filter(keep_days__isnull=False):
        later(account)


def cutoff(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


@in_transaction
def prune(account: Account, *, before: datetime, command: str) -> Pruned:
    """Prune at most 200 sessions, all of it or nothing; both numbers are 0 when there are no more."""
    handed_over = Exists(Handoff.objects.filter(session=OuterRef("pk")))
    found = (
        due(account, before=before)
        .annotate(handed_over=handed_over)
        .order_by(Coalesce("resolved_at", "created_at"), "pk")
    )
    told = list(found.values_list("pk", "handed_over")[:SESSIONS_AT_ONCE])
    empty, remove = [pk for pk, stays in told if stays], [pk for pk, stays in told if not stays]
    with connection.cursor() as cursor:
        cursor.execute(ANSWERS, [before, account.pk])
    attachments.remove_of_sessions([*empty, *remove])
    _run(EMPTY, empty)
    _run(REMOVE, remove)
    if told:
        day = before.date().isoformat()
        counts = {"removed": len(remove), "emptied": len(empty)}
        record("pruned", account=account, by=None, about=f"sessions closed before {day}", command=command, **counts)
    return Pruned(len(remove), len(empty))


def _run(statements: list[str], sessions: list[UUID]) -> None:
    if not sessions:
        return
    with pgtrigger.ignore(*GUARDS), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, [sessions])
