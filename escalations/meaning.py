"""What is read of a session to know what it means: its story, and what failed in it."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import Prefetch

from escalations.assessor import sentences
from escalations.models import AISession, Meaning, Runbook, TriedStep
from escalations.models.session import AISessionQuerySet

# Only the first 180 words or so of a text count, so none of its parts may fill it alone.
PROBLEM_LENGTH = 700
STEP_LENGTH = 160
STEPS_LENGTH = 600
RESOLUTION_LENGTH = 500


def story(title: str, problem: str, steps: Iterable[str], rest: str) -> str:
    """What happened, as one text; the newest of a long conversation comes last and may be lost."""
    tried = " ".join(step[:STEP_LENGTH] for step in steps)[:STEPS_LENGTH]
    return f"{title}. {problem[:PROBLEM_LENGTH]} {tried} {rest}"


def attempts(steps: Iterable[tuple[str, str]]) -> str:
    """What was tried and did not help, of (description, outcome)."""
    return " ".join(text[:STEP_LENGTH] for text, outcome in steps if outcome in {"failed", "inconclusive"})


def of_sessions(sessions: Sequence[AISession]) -> list[Meaning]:
    """What each of these resolved sessions means; not stored."""
    tried = [attempts((step.description, step.outcome) for step in session.steps.all()) for session in sessions]
    vectors = sentences.encode([*map(_story, sessions), *filter(None, tried)])
    rest = iter(vectors[len(sessions) :])
    return [
        Meaning(
            session=session,
            account_id=session.account_id,
            whole=whole,
            sketch=sentences.sketch(whole),
            tried=next(rest) if text else None,
        )
        for session, whole, text in zip(sessions, vectors, tried, strict=False)
    ]


def of_fixes(sessions: Sequence[AISession]) -> list[bytes | None]:
    """What fixed each of them, alone: nothing of what was wrong, and of what was tried."""
    told = [session.resolution[:RESOLUTION_LENGTH].strip() for session in sessions]
    vectors = iter(sentences.encode([text for text in told if text]))
    return [next(vectors) if text else None for text in told]


def of_runbooks(pages: Sequence[Runbook]) -> list[Runbook]:
    """The same pages with what they mean; not stored."""
    texts = [f"{page.title}. {' '.join(page.tags)} {page.body}" for page in pages]
    for page, vector in zip(pages, sentences.encode(texts), strict=True):
        page.whole, page.sketch = vector, sentences.sketch(vector)
    return list(pages)


def readable() -> AISessionQuerySet:
    """Sessions with what `of_sessions` reads."""
    return AISession.objects.filter(pruned_at=None).prefetch_related(
        Prefetch("steps", TriedStep.objects.order_by("position"))
    )


def pages(keys: Sequence[UUID]) -> list[Runbook]:
    return list(Runbook.objects.filter(pk__in=keys))


def _story(session: AISession) -> str:
    steps = [step.description for step in session.steps.all()]
    return story(session.title, session.problem, steps, session.resolution[:RESOLUTION_LENGTH])
