"""What the team knows, and what an assessor gets to see of it: its resolved sessions and runbooks."""

from typing import Any
from uuid import UUID

from django.db import connection

from escalations import assessor, meaning, retrieval
from escalations.models import AISession, Handoff, Message, Runbook
from resolutionflow.accounts.models import Account

MOST_SIMILAR = 8
MOST_PAGES = 3
MOST_TEXT = 6_000  # characters of a case that are searched for; the newest messages go first
LIKENESS = 0.2  # below that there is nothing in common

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


def learn(session: AISession) -> None:
    """Let later cases find this session; called where it is resolved or imported."""
    with connection.cursor() as cursor:
        cursor.execute(LEARN, [session.pk])


def case_of_handoff(handoff: Handoff) -> assessor.Case:
    """What an assessor gets to see of a handoff: the frozen snapshot, never what came after it."""
    told = handoff.snapshot
    session, attached = told["session"], _names(told.get("attachments", []))
    return _case(
        account=handoff.account,
        but=handoff.session_id,
        title=session["title"],
        problem=session["problem"],
        reason=handoff.reason,
        messages=[
            (m["id"], m["number"], m["kind"], m["body"] + _files(attached.get(m["number"]))) for m in told["messages"]
        ],
        steps=[(s["description"], s["outcome"], s["note"]) for s in told["steps"]],
    )


def case_of_session(session: AISession) -> assessor.Case:
    """What FlowPilot gets to see of a session: all of it, as it is now."""
    messages = session.messages.exclude(kind=Message.Kind.SYSTEM).prefetch_related("attachments")
    return _case(
        account=session.account,
        but=session.pk,
        title=session.title,
        problem=session.problem,
        reason="",
        messages=[
            (str(m.pk), m.number, m.kind, m.body + _files([a.name for a in m.attachments.all()])) for m in messages
        ],
        steps=[(s.description, s.outcome, s.note) for s in session.steps.all()],
    )


def similar(account: Account, text: str, *, but: UUID, tried: str = "") -> list[assessor.PastSession]:
    """The account's resolved sessions that are most like `text`, best first, without the session `but`.

    `text` tells a case, the weightiest first; `tried` is what did not help in it.
    """
    return _sessions(account, retrieval.question(text[:MOST_TEXT], tried), but=but)


def pages(account: Account, text: str) -> list[assessor.Page]:
    """The account's runbook pages that fit `text`, best first."""
    return _pages(account, retrieval.question(text[:MOST_TEXT], ""))


def _sessions(account: Account, asked: retrieval.Question, *, but: UUID) -> list[assessor.PastSession]:
    found = retrieval.most_alike(retrieval.SESSIONS, account, asked, but=but)
    scores = {key: score for key, score in found[:MOST_SIMILAR] if score >= LIKENESS}
    sessions = meaning.readable().for_account(account).filter(pk__in=scores).defer("knowledge")
    return sorted((_past(session, scores[session.pk]) for session in sessions), key=lambda past: -past.score)


def _pages(account: Account, asked: retrieval.Question) -> list[assessor.Page]:
    found = retrieval.most_alike(retrieval.RUNBOOKS, account, asked)
    scores = {key: score for key, score in found[:MOST_PAGES] if score >= LIKENESS}
    pages = Runbook.objects.for_account(account).filter(pk__in=scores).defer("knowledge", "body")
    return sorted((_page(page, scores[page.pk]) for page in pages), key=lambda page: -page.score)


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
    said = [body for _, _, kind, body in reversed(messages) if kind != "copilot"]
    text = meaning.story(title, problem, [description for description, _, _ in steps], "\n".join([reason, *said]))
    tried = meaning.attempts((description, outcome) for description, outcome, _ in steps)
    asked = retrieval.question(text[:MOST_TEXT], tried)
    return assessor.Case(
        title=title,
        problem=problem,
        reason=reason,
        messages=tuple(messages),
        steps=tuple(assessor.TriedStep(*step) for step in steps),
        past=tuple(_sessions(account, asked, but=but)),
        pages=tuple(_pages(account, asked)),
    )


def _names(attachments: list[dict[str, Any]]) -> dict[int, list[str]]:
    """By the number of the message that they came with."""
    found: dict[int, list[str]] = {}
    for attachment in attachments:
        found.setdefault(attachment["message"], []).append(attachment["name"])
    return found


def _files(names: list[str] | None) -> str:
    """All that an assessor learns of attachments: what they are called."""
    return f"\n[attached: {', '.join(names)}]" if names else ""


def _past(session: AISession, score: float) -> assessor.PastSession:
    return assessor.PastSession(
        id=str(session.pk),
        title=session.title,
        problem=session.problem,
        resolution=session.resolution,
        steps=tuple(assessor.TriedStep(s.description, s.outcome, s.note) for s in session.steps.all()),
        score=score,
    )


def _page(page: Runbook, score: float) -> assessor.Page:
    return assessor.Page(id=str(page.pk), title=page.title, steps=tuple(page.steps), score=score)
