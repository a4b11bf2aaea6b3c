"""What the playbook is measured against: plain full-text search and BM25, over the same texts."""

import re
from collections.abc import Sequence
from typing import Any

from django.db import connection

WORD = re.compile(r"\w+")

TS_RANK = """
    SELECT place FROM unnest(%s::text[]) WITH ORDINALITY AS known(text, place)
    ORDER BY ts_rank(to_tsvector('english', text),
        replace(plainto_tsquery('english', %s)::text, '&', '|')::tsquery) DESC, place
"""


def text_of_past(past: dict[str, Any]) -> str:
    steps = [step["description"] for step in past.get("steps", [])]
    return " ".join([past["title"], past["problem"], *steps, past.get("resolution", "")])


def text_of_fresh(fresh: dict[str, Any]) -> str:
    steps = [step["description"] for step in fresh.get("steps", [])]
    return " ".join([fresh["title"], fresh["problem"], *steps, fresh.get("reason", "")])


def by_ts_rank(known: Sequence[str], asked: str) -> list[int]:
    """The indices of `known`, best first."""
    with connection.cursor() as cursor:
        cursor.execute(TS_RANK, [list(known), asked])
        return [int(place) - 1 for (place,) in cursor.fetchall()]


def by_bm25(known: Sequence[str], asked: Sequence[str]) -> list[list[int]]:
    """For each asked text the indices of `known`, best first."""
    from rank_bm25 import BM25Okapi

    index = BM25Okapi([words(text) for text in known])
    scores = [index.get_scores(words(text)) for text in asked]
    return [sorted(range(len(known)), key=lambda place: -score[place]) for score in scores]


def words(text: str) -> list[str]:
    return WORD.findall(text.lower())
