"""Take sessions of the past into the account, each once."""

from collections.abc import Sequence
from datetime import datetime

from django.db import DataError

from escalations import knowledge
from escalations.actions.transaction import in_transaction
from escalations.models import AISession, Message, TriedStep
from escalations.past import PastSession, Times, times_of
from resolutionflow.accounts.models import Account

ROWS_AT_ONCE = 1_000


class Unstorable(ValueError):
    """The database refuses what a session says."""


def keep(pasts: Sequence[PastSession], *, account: Account, now: datetime) -> list[bool]:
    """Write them with their messages and steps, in one transaction; for each, False if it was there already.

    Resolved ones are learned from at once. Whether one was there is the unique constraint's word, so of two imports
    at the same time one keeps it. Raises Unstorable, and then nothing is written: ask again for each alone.
    """
    try:
        return _keep(pasts, account=account, now=now)
    except DataError as error:
        raise Unstorable(str(error).splitlines()[0]) from error


@in_transaction
def _keep(pasts: Sequence[PastSession], *, account: Account, now: datetime) -> list[bool]:
    told = [(past, times_of(past, now=now)) for past in pasts]
    sessions = [_session(past, times, account) for past, times in told]
    AISession.objects.bulk_create(sessions, ignore_conflicts=True)
    new = set(AISession.objects.filter(pk__in=[session.pk for session in sessions]).values_list("pk", flat=True))
    kept = [(*each, session) for each, session in zip(told, sessions, strict=True) if session.pk in new]
    Message.objects.bulk_create([row for each in kept for row in _messages(*each)], batch_size=ROWS_AT_ONCE)
    TriedStep.objects.bulk_create([row for each in kept for row in _steps(*each)], batch_size=ROWS_AT_ONCE)
    for *_, session in kept:
        if session.state == AISession.State.RESOLVED:
            knowledge.learn(session)
    return [session.pk in new for session in sessions]


def _session(past: PastSession, times: Times, account: Account) -> AISession:
    resolved = bool(past.resolution)
    return AISession(
        account=account,
        title=past.title,
        client_name=past.client_name,
        ticket_ref=past.ticket_ref,
        category=past.category,
        problem=past.problem,
        state=AISession.State.RESOLVED if resolved else AISession.State.ABANDONED,
        created_at=times.began,
        resolved_at=times.ended if resolved else None,
        resolution=past.resolution,
        external_id=past.key,
    )


def _messages(past: PastSession, times: Times, session: AISession) -> list[Message]:
    return [
        Message(session=session, number=number, kind=message.author, body=message.body, created_at=at)
        for number, (message, at) in enumerate(zip(past.messages, times.messages, strict=True), 1)
    ]


def _steps(past: PastSession, times: Times, session: AISession) -> list[TriedStep]:
    return [
        TriedStep(
            session=session,
            position=position,
            description=step.description,
            outcome=step.outcome,
            note=step.note,
            created_at=at,
        )
        for position, (step, at) in enumerate(zip(past.steps, times.steps, strict=True), 1)
    ]
