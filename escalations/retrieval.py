"""Finds what is most like a case among all that an account knows, in about the same time however much that is.

First what may be like it: by meaning, the vectors whose sketches differ least; by words, what holds the rarest of
them. Then some eighty of these are looked at closely (`assessor.ranking`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from escalations import meaning
from escalations.assessor import ranking, sentences
from escalations.assessor.ranking import Asked, Candidate
from escalations.assessor.words import other_spellings
from resolutionflow.accounts.models import Account

SAMPLE = 300  # texts from which it is learned how rare a word is
MOST_WORDS = 160  # of a question
RARE_WORDS = 24  # of them are searched for, where that is not too many already:
RARE_SHARE = 0.1  # of all texts may hold one of them,
FEWEST_WORDS = 6  # but so many are searched for in any case
MOST_HITS = 3_000  # that are ranked; there are more only where words are too common to tell anything
BY_WORDS = 60
BY_WORDS_ALONE = 300
BY_SKETCH = 200
BY_MEANING = 40
READ_NOW = 16  # candidates whose vectors are not made yet

# How often a word counts, by where it stands: title, problem and resolution, steps, conversation.
WEIGHT = {"A": 1.5, "B": 1.0, "C": 1.0, "D": 0.25}

Vectors = tuple[bytes, bytes | None]  # of the whole, and of what was tried


@dataclass(frozen=True)
class Shelf:
    """Where to look: a table of texts (key `id`), and the table with their vectors."""

    texts: str
    where: str
    newest: str
    vectors: str
    vectors_key: str
    tried: str
    read: Callable[[Sequence[UUID]], dict[UUID, Vectors]]


def _read_sessions(keys: Sequence[UUID]) -> dict[UUID, Vectors]:
    made = meaning.of_sessions(list(meaning.readable().filter(pk__in=keys)))
    return {each.session_id: (bytes(each.whole), _bytes(each.tried)) for each in made}


def _read_runbooks(keys: Sequence[UUID]) -> dict[UUID, Vectors]:
    made = meaning.of_runbooks(meaning.pages(keys))
    return {page.pk: (bytes(page.whole or b""), None) for page in made}


SESSIONS = Shelf(
    texts="escalations_aisession",
    where="state = 'resolved'",
    newest="created_at",
    vectors="escalations_meaning",
    vectors_key="session_id",
    tried="meant.tried",
    read=_read_sessions,
)
RUNBOOKS = Shelf(
    texts="escalations_runbook",
    where="true",
    newest="imported_at",
    vectors="escalations_runbook",
    vectors_key="id",
    tried="NULL::bytea",
    read=_read_runbooks,
)


@dataclass(frozen=True)
class Question:
    """`words` as PostgreSQL reads them, in order; the vectors are None without weights."""

    words: list[str]
    whole: bytes | None
    tried: bytes | None


def question(text: str, tried: str) -> Question:
    """`text` is all that is told of the case, the weightiest first; `tried` what did not help."""
    vectors: list[bytes] = []
    if sentences.is_there() and text.strip():
        vectors = sentences.encode([text, tried] if tried.strip() else [text])
    query = "SELECT lexeme FROM unnest(to_tsvector('english', %s)) ORDER BY positions[1] LIMIT %s"
    words = [str(lexeme) for (lexeme,) in _rows(query, text, MOST_WORDS)]
    words += [word for word in other_spellings(text) if word not in words]
    return Question(words, *[*vectors, None, None][:2])


def most_alike(shelf: Shelf, account: Account, asked: Question, *, but: UUID | None = None) -> list[tuple[UUID, float]]:
    """(key, likeness) of what may be like it, best first; `but` is left out."""
    among, having = _how_common(shelf, account, asked.words)
    by_meaning = _by_meaning(shelf, account, asked.whole)
    telling = _telling(asked.words, among, having)
    by_words = _by_words(shelf, account, telling, most=BY_WORDS if asked.whole else BY_WORDS_ALONE)
    keys = {*by_meaning, *by_words}
    found = _closely(shelf, sorted(keys - {but}), asked)
    having = {word: 0 for candidate in found.values() for word in candidate.words} | having
    weighed = Asked(ranking.rarity_of(among, having), asked.whole, asked.tried)
    scores = ranking.likeness(weighed, list(found.values()))
    return sorted(zip(found, scores, strict=True), key=lambda pair: -pair[1])


def _how_common(shelf: Shelf, account: Account, words: list[str]) -> tuple[int, dict[str, int]]:
    """How many texts were looked at (the newest), and in how many of them each of the words is."""
    query = f"""
        WITH sample AS (
            SELECT knowledge FROM {shelf.texts} WHERE account_id = %s AND {shelf.where} AND knowledge IS NOT NULL
            ORDER BY {shelf.newest} DESC LIMIT {SAMPLE}
        )
        SELECT NULL, count(*) FROM sample
        UNION ALL
        SELECT lexeme, count(*) FROM sample, unnest(knowledge) WHERE lexeme = ANY(%s) GROUP BY lexeme
    """  # noqa: S608 a shelf's names are ours
    counts = dict(_rows(query, account.pk, words))
    return counts.pop(None), counts


def _telling(words: list[str], among: int, having: dict[str, int]) -> list[str]:
    """The words to search for: all where there is little to search, else the rarest."""
    if among < SAMPLE:
        return words
    rarest = sorted(words, key=lambda word: having.get(word, 0))
    share = 0.0
    chosen: list[str] = []
    for word in rarest[:RARE_WORDS]:
        share += having.get(word, 0) / among
        if share > RARE_SHARE and len(chosen) >= FEWEST_WORDS:
            break
        chosen.append(word)
    return chosen


def _by_words(shelf: Shelf, account: Account, words: list[str], *, most: int) -> list[UUID]:
    query = f"""
        WITH asked(words) AS (
            SELECT string_agg('''' || replace(replace(word, '\\', '\\\\'), '''', '''''') || '''', ' | ')::tsquery
            FROM unnest(%s::text[]) AS word
        ), hit AS (
            SELECT id, knowledge FROM {shelf.texts}, asked
            WHERE account_id = %s AND {shelf.where} AND knowledge @@ asked.words LIMIT {MOST_HITS}
        )
        SELECT id FROM hit, asked ORDER BY ts_rank('{{0.05, 0.3, 0.7, 1.0}}', knowledge, asked.words, 1) DESC
        LIMIT {most}
    """  # noqa: S608 a shelf's names are ours
    return [key for (key,) in _rows(query, words, account.pk)]


def _by_meaning(shelf: Shelf, account: Account, vector: bytes | None) -> list[UUID]:
    if vector is None:
        return []
    query = f"""
        SELECT {shelf.vectors_key} FROM {shelf.vectors} WHERE account_id = %s AND sketch IS NOT NULL
        ORDER BY bit_count(sketch # %s::bit({sentences.SIZE})) LIMIT {BY_SKETCH}
    """  # noqa: S608 a shelf's names are ours
    near = [key for (key,) in _rows(query, account.pk, sentences.sketch(vector))]
    query = f"SELECT {shelf.vectors_key}, whole FROM {shelf.vectors} WHERE {shelf.vectors_key} = ANY(%s)"  # noqa: S608
    wholes = {key: bytes(whole) for key, whole in _rows(query, near)}
    if not wholes:
        return []
    closest = sorted(zip(sentences.cosines(vector, list(wholes.values())), wholes, strict=True), reverse=True)
    return [key for _, key in closest[:BY_MEANING]]


def _closely(shelf: Shelf, keys: Sequence[UUID], asked: Question) -> dict[UUID, Candidate]:
    """What ranking wants to know of each."""
    query = f"""
        SELECT known.id, length(known.knowledge), meant.whole, {shelf.tried}, (
            SELECT json_object_agg(lexeme, weights) FROM unnest(known.knowledge) WHERE lexeme = ANY(%s)
        )
        FROM {shelf.texts} AS known
        LEFT JOIN {shelf.vectors} AS meant ON meant.{shelf.vectors_key} = known.id
        WHERE known.id = ANY(%s)
    """  # noqa: S608 a shelf's names are ours
    rows = _rows(query, asked.words, list(keys))
    unread = [key for key, _, whole, *_ in rows if whole is None][:READ_NOW] if asked.whole else []
    read = shelf.read(unread) if unread else {}
    return {
        key: Candidate(_counted(words), float(length or 1), *(read.get(key) or (_bytes(whole), _bytes(tried))))
        for key, length, whole, tried, words in rows
    }


def _counted(words: dict[str, list[str]] | None) -> dict[str, float]:
    return {word: sum(WEIGHT[weight] for weight in weights) for word, weights in (words or {}).items()}


def _bytes(stored: Any) -> bytes | None:
    return None if stored is None else bytes(stored)


def _rows(query: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
