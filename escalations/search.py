"""Find an account's sessions by their words, and show where they stand.

All words have to be in the session, wherever: in its title, client or ticket, the problem, the conversation, the tried
steps, the resolution. Words of three letters or more find longer ones that begin so; what stands in quotation marks is
meant as it is. Sessions that have the words in title, client or ticket come first, then the newest.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from uuid import UUID

from django.contrib.postgres.search import SearchQuery, SearchVectorExact
from django.db import connection, transaction
from django.db.models import F

from escalations.models import AISession, Message, TriedStep
from escalations.models.session import AISessionQuerySet
from resolutionflow.accounts.models import Account

LONGEST = 300  # characters of a question; what comes after is left out
MOST_TERMS = 16
SHORTEST_BEGINNING = 3  # characters; of shorter words only themselves are found
EXCERPT = 220  # characters
BEFORE = 60  # of them before what was found
MOST_FOUND = 1_000  # sessions; who gets more asks for more words
MOST_TEXTS = 2_000  # that are looked at to show where it stands

TERM = re.compile(r'"([^"]*)"?|([^\s"]+)')
UNREADABLE = re.compile(r"[\x00-\x1f\x7f]")
LEXEME = re.compile(r"'((?:[^']|'')*)'")


@dataclass(frozen=True)
class Asked:
    """A question: its text, what PostgreSQL is asked, and what is marked, a group for each term."""

    text: str
    all_of: str
    any_of: str
    marks: "re.Pattern[str]"


@dataclass(frozen=True)
class Piece:
    """A part of a text, and whether it is what was looked for."""

    text: str
    is_found: bool


@dataclass(frozen=True)
class Place:
    """Where in a session it stands: `anchor` on its page, as people call it, and what is around."""

    anchor: str
    name: str
    pieces: list[Piece]


@dataclass(frozen=True)
class Found:
    """A session of the results. `place` is None if it has the words in its head alone."""

    session: AISession
    title: list[Piece]
    client: list[Piece]
    ticket: list[Piece]
    place: Place | None


def clean(text: str) -> str:
    """The question as it is searched for and shown."""
    return " ".join(UNREADABLE.sub(" ", text[:LONGEST]).split())


def read(text: str) -> Asked | None:
    """What is meant by a question that is `clean`; None where it has no words at all."""
    terms = [(quoted, True) if quoted else (word, False) for quoted, word in TERM.findall(text)][:MOST_TERMS]
    queries, marks = [], []
    for (phrase, stem), (_, is_quoted) in zip(_lexemes([term for term, _ in terms]), terms, strict=True):
        words = [lexeme.replace("''", "'") for lexeme in LEXEME.findall(phrase)]
        if not words:
            continue
        begins = not is_quoted and len(words[-1]) >= SHORTEST_BEGINNING
        asked = [phrase + ":*" if begins else phrase]
        marked = [_mark(words, begins=begins)]
        if begins and stem and len(words) == 1 and len(stem) >= SHORTEST_BEGINNING:
            asked.append(f"'{stem}':*")
            marked.append(_mark([stem], begins=True))
        queries.append(f"({' | '.join(asked)})")
        marks.append(f"({'|'.join(marked)})")
    if not queries:
        return None
    return Asked(text, " & ".join(queries), " | ".join(queries), re.compile("|".join(marks), re.IGNORECASE))


def _lexemes(terms: list[str]) -> list[tuple[str, str]]:
    """Each term as PostgreSQL reads it, words divided as in what is searched; and what a single word comes from."""
    query = """
        SELECT phraseto_tsquery('simple', escalations_apart(term))::text,
            coalesce((ts_lexize('english_stem', lower(term)))[1], '')
        FROM unnest(%s::text[]) WITH ORDINALITY AS asked(term, number) ORDER BY number
    """
    with connection.cursor() as cursor:
        cursor.execute(query, [terms])
        return [(phrase, stem if stem.isalpha() else "") for phrase, stem in cursor.fetchall()]


def _mark(words: Sequence[str], *, begins: bool) -> str:
    phrase = r"[\W_]+".join(map(re.escape, words))
    return r"(?<![^\W_])" + phrase + (r"[^\W_]*" if begins else r"(?![^\W_])")


def find(sessions: AISessionQuerySet, account: Account, asked: Asked) -> list[UUID]:
    """Those of the account's `sessions` that have all the words, the best first; no more than a thousand.

    For words that are nearly everywhere PostgreSQL would rather go through all sessions, and does not reckon that their
    words lie apart from their rows (of 20,000: 400 ms, not 40); so it is told to use the index.
    """
    mine = f"'account{account.pk.hex}' & ({asked.all_of})"
    head = F("findable__head")
    found = sessions.filter(findable__account=account, findable__words=_query(mine)).order_by(
        SearchVectorExact(head, _query(asked.all_of)).desc(),
        SearchVectorExact(head, _query(asked.any_of)).desc(),
        "-created_at",
        "pk",
    )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        return list(found.values_list("pk", flat=True)[:MOST_FOUND])


def _query(text: str) -> SearchQuery:
    return SearchQuery(text, config="simple", search_type="raw")


def show(found: AISessionQuerySet, keys: Sequence[UUID], asked: Asked) -> list[Found]:
    """The results of one page, marked; `found` is where they are read from."""
    rows = found.in_bulk(keys)
    sessions = [rows[key] for key in keys if key in rows]
    places: dict[UUID, tuple[int, tuple[str, str, str]]] = {}
    for session_id, *told in _texts(sessions):
        place = (told[0], told[1], told[2])
        hits = len({match.lastindex for match in asked.marks.finditer(place[2])})
        if hits > places.get(session_id, (0, place))[0]:
            places[session_id] = (hits, place)
    return [_found(session, asked, places.get(session.pk)) for session in sessions]


def _found(session: AISession, asked: Asked, best: tuple[int, tuple[str, str, str]] | None) -> Found:
    place = Place(best[1][0], best[1][1], excerpt(best[1][2], asked)) if best else None
    title, client, ticket = (marked(text, asked) for text in (session.title, session.client_name, session.ticket_ref))
    return Found(session, title, client, ticket, place)


def _texts(sessions: Sequence[AISession]) -> Iterator[tuple[UUID, str, str, str]]:
    """(session, anchor, name, text) of what people wrote in them, in the order in which it is shown."""
    for session in sessions:
        yield session.pk, "problem", "Problem", session.problem
        yield session.pk, "resolution", "Resolution", session.resolution
    keys = [session.pk for session in sessions]
    messages = Message.objects.filter(session__in=keys).order_by("session", "number")
    steps = TriedStep.objects.standing().filter(session__in=keys).order_by("session", "position")
    for key, step_id, description, note in steps.values_list("session", "pk", "description", "note")[:MOST_TEXTS]:
        yield key, f"step-{step_id}", "Tried", f"{description} {note}"
    for key, message_id, number, body in messages.values_list("session", "pk", "number", "body")[:MOST_TEXTS]:
        yield key, f"message-{message_id}", f"Message {number}", body


def excerpt(text: str, asked: Asked) -> list[Piece]:
    """What stands around the first place that is found, in some 220 characters."""
    text = " ".join(text.split())
    first = asked.marks.search(text)
    start = max(0, (first.start() if first else 0) - BEFORE)
    start = text.find(" ", start) + 1 if start else 0
    end = start + EXCERPT
    cut = text[start:end]
    before = [Piece("…", False)] if start else []
    after = [Piece("…", False)] if end < len(text) else []
    return [*before, *marked(cut, asked), *after]


def marked(text: str, asked: Asked) -> list[Piece]:
    """The whole text in pieces."""
    spans = chain.from_iterable(match.span() for match in asked.marks.finditer(text))
    cuts = [0, *spans, len(text)]
    pieces = (Piece(text[start:end], bool(n % 2)) for n, (start, end) in enumerate(pairwise(cuts)))
    return [piece for piece in pieces if piece.text]
