"""Make what the team knows findable by its meaning. It takes some 30 ms of a core a text, so it happens in the worker,
never in a request; until then a text is found by its words."""

import time
from collections.abc import Sequence
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from escalations import meaning
from escalations.actions import jobs
from escalations.assessor import providers, sentences
from escalations.models import AISession, Meaning, Runbook
from resolutionflow.accounts.models import Account

AT_ONCE = 16


def later(session: AISession | None = None) -> None:
    """Let the worker learn this session, or all that is not learned yet, once the transaction at hand is committed."""
    if sentences.is_there() and (providers.is_on(session.account) if session else providers.is_installed()):
        jobs.defer(jobs.LEARN, session_id=str(session.pk) if session else None)


def learn(session_id: UUID) -> None:
    """Learn one resolved session. Of two who do that at the same time one writes it."""
    if sentences.is_there():
        _learn_sessions(_resolved().filter(pk=session_id))
        _read_fixes(Meaning.objects.filter(session=session_id))


def catch_up(account: Account | None = None, *, seconds: float) -> bool:
    """Learn what is not learned yet (of this account), the newest first, for about so long. True if that was all."""
    if not sentences.is_there():
        return True
    end = time.monotonic() + seconds
    whose = {"account": account} if account else {}
    sessions = _resolved().filter(~Exists(Meaning.objects.filter(session=OuterRef("pk"))), **whose)
    pages = Runbook.objects.filter(whole__isnull=True, **whose)
    while _learn_sessions(sessions.order_by("-resolved_at")[:AT_ONCE]) or _learn_runbooks(pages[:AT_ONCE]):
        if time.monotonic() > end:
            return False
    return True


def read_fixes(account: Account | None = None, *, seconds: float) -> bool:
    """Read what fixed each learned session, likewise: only owners' pages ask for it, so it comes after all else."""
    if not sentences.is_there():
        return True
    end = time.monotonic() + seconds
    unread = Meaning.objects.filter(fix=None, **({"account": account} if account else {}))
    while _read_fixes(unread.filter(session__resolution__gt="").order_by("-session__resolved_at")[:AT_ONCE]):
        if time.monotonic() > end:
            return False
    return True


def _resolved() -> QuerySet[AISession]:
    return meaning.readable().filter(state=AISession.State.RESOLVED).defer("knowledge")


def _learn_sessions(sessions: Sequence[AISession] | QuerySet[AISession]) -> int:
    made = meaning.of_sessions(list(sessions))
    Meaning.objects.bulk_create(made, ignore_conflicts=True)
    return len(made)


def _read_fixes(meanings: QuerySet[Meaning]) -> int:
    read = list(meanings.select_related("session").defer("session__knowledge", "whole", "tried", "sketch"))
    for meant, fix in zip(read, meaning.of_fixes([each.session for each in read]), strict=True):
        meant.fix = fix
    Meaning.objects.bulk_update(read, ["fix"])
    return sum(each.fix is not None for each in read)


def _learn_runbooks(pages: QuerySet[Runbook]) -> int:
    made = meaning.of_runbooks(list(pages))
    for page in made:
        # Not if it was imported anew meanwhile: it says something else then.
        same = Runbook.objects.filter(pk=page.pk, imported_at=page.imported_at)
        same.update(whole=page.whole, sketch=page.sketch)
    return len(made)
