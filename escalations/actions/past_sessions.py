"""Take a session of the past into the account, once."""

from datetime import datetime

from django.db import DataError

from escalations import knowledge
from escalations.actions.transaction import in_transaction
from escalations.models import AISession, Message, TriedStep
from escalations.past import PastSession, Times, times_of
from resolutionflow.accounts.models import Account

ROWS_AT_ONCE = 1_000


class Unstorable(ValueError):
    """The database refuses what the session says."""


def keep(past: PastSession, *, account: Account, now: datetime) -> bool:
    """Write it with its messages and steps, all of it or nothing; False if it was there already.

    A resolved one is learned from at once. Whether it was there is the unique constraint's word, so two imports at
    the same time keep one. Raises Unstorable.
    """
    try:
        return _keep(past, account=account, now=now)
    except DataError as error:
        raise Unstorable(str(error).splitlines()[0]) from error


@in_transaction
def _keep(past: PastSession, *, account: Account, now: datetime) -> bool:
    times = times_of(past, now=now)
    session = _session(past, times, account)
    AISession.objects.bulk_create([session], ignore_conflicts=True)
    if not AISession.objects.filter(pk=session.pk).exists():
        return False
    Message.objects.bulk_create(_messages(past, times, session), batch_size=ROWS_AT_ONCE)
    TriedStep.objects.bulk_create(_steps(past, times, session), batch_size=ROWS_AT_ONCE)
    if session.state == AISession.State.RESOLVED:
        knowledge.learn(session)
    return True


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
