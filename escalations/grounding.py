"""What an assessor's statements rest on, checked: a source that is not this account's, or does not exist, is dropped.

A model may cite anything: an id that it read in the transcript, another account's session, one that it made up. What is
left has our own title; a statement of which nothing is left is marked as unsupported.
"""

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from escalations.assessor import Assessment, Case, Grounds, Source, SuggestedStep, runbook
from escalations.models import AISession
from resolutionflow.accounts.models import Account

Known = dict[tuple[str, str], str]  # (kind, id) → title


def grounded(assessment: Assessment, *, case: Case, account: Account) -> Assessment:
    """The assessment with only those sources that exist, unsupported where none is left, and as sure as that allows."""
    known = _known(_all_of(assessment), case, account)
    steps = tuple(_step(step, known) for step in assessment.suggested_steps)
    facts = tuple(_grounds(grounds, known) for grounds in assessment.fact_grounds)
    summary, cause = _grounds(assessment.summary_grounds, known), _grounds(assessment.cause_grounds, known)
    unsupported = not any(step.sources for step in steps) and not cause.sources
    return replace(
        assessment,
        suggested_steps=steps,
        fact_grounds=facts,
        summary_grounds=summary,
        cause_grounds=cause,
        sources=_once([*cause.sources, *(source for step in steps for source in step.sources)]),
        confidence="low" if unsupported else assessment.confidence,
    )


def existing(sources: Iterable[Source], *, case: Case, account: Account) -> tuple[Source, ...]:
    """Those of the sources that are messages of this case, or resolved sessions or runbooks of this account."""
    claimed = list(sources)
    return _kept(claimed, _known(claimed, case, account))


def _known(claimed: Iterable[Source], case: Case, account: Account) -> Known:
    known: Known = {("message", pk): f"Message {number}" for pk, number, _kind, _body in case.messages}
    known |= {("session", past.id): past.title for past in case.past}
    known |= {("runbook", page.id): page.title for page in runbook.PAGES}
    known |= {("runbook", page.id): page.title for page in case.pages}
    ids = {source.id.lower() for source in claimed if source.kind == "session"} - {known_id for _, known_id in known}
    sessions = AISession.objects.for_account(account).filter(
        pk__in=filter(_is_uuid, ids), state=AISession.State.RESOLVED
    )
    known |= {("session", str(pk)): title for pk, title in sessions.values_list("pk", "title")}
    return known


def _step(step: SuggestedStep, known: Known) -> SuggestedStep:
    kept = _kept(step.sources, known)
    return replace(step, sources=kept, unsupported=not kept)


def _grounds(grounds: Grounds | None, known: Known) -> Grounds:
    kept = _kept(grounds.sources if grounds else (), known)
    return Grounds(kept, unsupported=not kept)


def _kept(sources: Iterable[Source], known: Known) -> tuple[Source, ...]:
    named = [(source.kind, source.id if source.kind == "runbook" else source.id.lower()) for source in sources]
    return _once(Source(kind, pk, known[kind, pk]) for kind, pk in named if (kind, pk) in known)


def _once(sources: Iterable[Source]) -> tuple[Source, ...]:
    return tuple({(source.kind, source.id): source for source in sources}.values())


def _all_of(assessment: Assessment) -> list[Source]:
    grounds = [assessment.summary_grounds, assessment.cause_grounds, *assessment.fact_grounds]
    of_statements = [source for one in grounds if one for source in one.sources]
    return [*of_statements, *(source for step in assessment.suggested_steps for source in step.sources)]


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
