"""Comparing what people write about the same thing."""

import re

STOP_WORDS = frozenset(
    [
        "a",
        "about",
        "after",
        "again",
        "all",
        "also",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "because",
        "been",
        "before",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "done",
        "for",
        "from",
        "had",
        "has",
        "have",
        "he",
        "her",
        "him",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "just",
        "me",
        "more",
        "most",
        "my",
        "no",
        "not",
        "now",
        "of",
        "off",
        "on",
        "one",
        "only",
        "or",
        "other",
        "our",
        "out",
        "over",
        "own",
        "same",
        "she",
        "so",
        "some",
        "still",
        "such",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "through",
        "to",
        "too",
        "tried",
        "try",
        "under",
        "up",
        "us",
        "user",
        "users",
        "very",
        "via",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "why",
        "will",
        "with",
        "without",
        "you",
        "your",
    ]
)
WORD = re.compile(r"[a-z0-9][a-z0-9_.\-]*[a-z0-9]|[a-z0-9]")


def words_of(text: str) -> frozenset[str]:
    """The telling words of a text, crudely stemmed, so that “restarted” meets “restart”."""
    return frozenset(_stem(word) for word in WORD.findall(text.lower()) if word not in STOP_WORDS and len(word) > 1)


def overlap(one: str, other: str) -> float:
    """How much of the shorter text's words the other has too, from 0 to 1."""
    a, b = words_of(one), words_of(other)
    if not a or not b:
        return 0.0
    return len(a & b) / min(len(a), len(b))


def _stem(word: str) -> str:
    for ending in ("ations", "ation", "ings", "ing", "edly", "ies", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word[-1].isdigit():
            return word[: -len(ending)]
    return word
