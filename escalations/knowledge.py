"""What the team knows: its resolved sessions, searched with PostgreSQL's full-text search."""

from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Prefetch

from escalations import assessor
from escalations.models import AISession, Handoff, Message, TriedStep
from resolutionflow.accounts.models import Account

MOST_SIMILAR = 8
MOST_TEXT = 6_000  # characters of a case that are searched for; the newest messages go first

# Titles weigh most, then the problem and what fixed it, then the steps, then the talk.
LEARN = """
    UPDATE escalations_aisession AS session SET knowledge =
        setweight(to_tsvector('english', session.title || ' ' || session.ticket_ref), 'A')
        || setweight(to_tsvector('english', left(session.problem || ' ' || session.resolution, 20000)), 'B')
        || setweight(to_tsvector('english', left(coalesce(
            (SELECT string_agg(description || ' ' || note, ' ') FROM escalations_triedstep
             WHERE session_id = session.id), ''), 20000)), 'C')
        || setweight(to_tsvector('english', left(coalesce(
            (SELECT string_agg(body, ' ') FROM escalations_message
             WHERE session_id = session.id AND kind <> 'system'), ''), 20000)), 'D')
    WHERE session.id = %s
"""

# Any word may match: a colleague's case rarely uses the same ones. Ranked by how many and how weighty they are.
# Of a long text the first words count, not those that begin with an early letter.
SIMILAR = """
    WITH asked AS (
        SELECT string_agg('''' || replace(replace(lexeme, '\\', '\\\\'), '''', '''''') || '''', ' | ')::tsquery AS words
        FROM (
            SELECT lexeme FROM unnest(to_tsvector('english', %(text)s)) ORDER BY positions[1] LIMIT 120
        ) AS lexemes
    )
    SELECT session.id, ts_rank('{0.05, 0.3, 0.7, 1.0}', session.knowledge, asked.words, 1) AS score
    FROM escalations_aisession AS session, asked
    WHERE session.account_id = %(account)s AND session.state = 'resolved' AND session.id <> %(but)s
        AND session.knowledge @@ asked.words
    ORDER BY score DESC, session.id
    LIMIT %(limit)s
"""


def learn(session: AISession) -> None:
    """Let later cases find this session; called where it is resolved or imported."""
    with connection.cursor() as cursor:
        cursor.execute(LEARN, [session.pk])


def case_of_handoff(handoff: Handoff) -> assessor.Case:
    """What an assessor gets to see of a handoff: the frozen snapshot, never what came after it."""
    told = handoff.snapshot
    session = told["session"]
    return _case(
        account=handoff.account,
        but=handoff.session_id,
        title=session["title"],
        problem=session["problem"],
        reason=handoff.reason,
        messages=[(m["id"], m["number"], m["kind"], m["body"]) for m in told["messages"]],
        steps=[(s["description"], s["outcome"], s["note"]) for s in told["steps"]],
    )


def case_of_session(session: AISession) -> assessor.Case:
    """What FlowPilot gets to see of a session: all of it, as it is now."""
    messages = session.messages.exclude(kind=Message.Kind.SYSTEM)
    return _case(
        account=session.account,
        but=session.pk,
        title=session.title,
        problem=session.problem,
        reason="",
        messages=[(str(m.pk), m.number, m.kind, m.body) for m in messages],
        steps=[(s.description, s.outcome, s.note) for s in session.steps.all()],
    )


def similar(account: Account, text: str, *, but: UUID) -> list[assessor.PastSession]:
    """The account's resolved sessions that are most like `text`, best first, without the session `but`."""
    with connection.cursor() as cursor:
        cursor.execute(SIMILAR, {"text": text[:MOST_TEXT], "account": account.pk, "but": but, "limit": MOST_SIMILAR})
        scores: dict[UUID, float] = dict(cursor.fetchall())
    steps = Prefetch("steps", TriedStep.objects.order_by("position"))
    sessions = AISession.objects.for_account(account).filter(pk__in=scores).prefetch_related(steps)
    return sorted((_past(session, scores[session.pk]) for session in sessions), key=lambda past: -past.score)


def _case(
    *,
    account: Account,
    but: UUID,
    title: str,
    problem: str,
    reason: str,
    messages: list[tuple[str, int, str, str]],
    steps: list[tuple[str, str, str]],
) -> assessor.Case:
    words = [title, problem, reason, *(body for _, _, kind, body in reversed(messages) if kind != "copilot")]
    return assessor.Case(
        title=title,
        problem=problem,
        reason=reason,
        messages=tuple(messages),
        steps=tuple(assessor.TriedStep(*step) for step in steps),
        past=tuple(similar(account, "\n".join(words), but=but)),
    )


def _past(session: AISession, score: Any) -> assessor.PastSession:
    return assessor.PastSession(
        id=str(session.pk),
        title=session.title,
        problem=session.problem,
        resolution=session.resolution,
        steps=tuple(assessor.TriedStep(s.description, s.outcome, s.note) for s in session.steps.all()),
        score=float(score),
    )
