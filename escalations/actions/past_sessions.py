"""Take sessions of the past into the account, each once."""

from collections.abc import Sequence
from datetime import datetime

from django.db import DataError

from escalations import knowledge
from escalations.actions.secrets import Hiding
from escalations.actions.transaction import in_transaction
from escalations.models import AISession, Message, Secret, TriedStep
from escalations.models.session import CLIENT_LENGTH, STEP_LENGTH, TITLE_LENGTH
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
    hidings = [Hiding(AISession(), is_new=True) for _ in told]
    sessions = [_session(*each, account, hiding) for each, hiding in zip(told, hidings, strict=True)]
    AISession.objects.bulk_create(sessions, ignore_conflicts=True)
    new = set(AISession.objects.filter(pk__in=[session.pk for session in sessions]).values_list("pk", flat=True))
    kept = [(*each, hiding) for each, hiding in zip(told, hidings, strict=True) if hiding.session.pk in new]
    Message.objects.bulk_create([row for each in kept for row in _messages(*each)], batch_size=ROWS_AT_ONCE)
    TriedStep.objects.bulk_create([row for each in kept for row in _steps(*each)], batch_size=ROWS_AT_ONCE)
    Secret.objects.bulk_create([row for *_, hiding in kept for row in hiding.taken()], batch_size=ROWS_AT_ONCE)
    for session in [hiding.session for *_, hiding in kept]:
        if session.state == AISession.State.RESOLVED:
            knowledge.learn(session)
    return [session.pk in new for session in sessions]


def _session(past: PastSession, times: Times, account: Account, hiding: Hiding) -> AISession:
    resolved = bool(past.resolution)
    session = hiding.session
    session.account = account
    session.title = hiding.hide(past.title, length=TITLE_LENGTH)
    session.client_name = hiding.hide(past.client_name, length=CLIENT_LENGTH)
    session.ticket_ref = past.ticket_ref
    session.category = past.category
    session.problem = hiding.hide(past.problem)
    session.state = AISession.State.RESOLVED if resolved else AISession.State.ABANDONED
    session.created_at = times.began
    session.resolved_at = times.ended if resolved else None
    session.resolution = hiding.hide(past.resolution)
    session.external_id = past.key
    return session


def _messages(past: PastSession, times: Times, hiding: Hiding) -> list[Message]:
    return [
        Message(
            session=hiding.session,
            number=number,
            kind=message.author,
            body=hiding.hide(message.body),
            created_at=at,
        )
        for number, (message, at) in enumerate(zip(past.messages, times.messages, strict=True), 1)
    ]


def _steps(past: PastSession, times: Times, hiding: Hiding) -> list[TriedStep]:
    return [
        TriedStep(
            session=hiding.session,
            position=position,
            description=hiding.hide(step.description, length=STEP_LENGTH),
            outcome=step.outcome,
            note=hiding.hide(step.note, length=STEP_LENGTH),
            created_at=at,
        )
        for position, (step, at) in enumerate(zip(past.steps, times.steps, strict=True), 1)
    ]
