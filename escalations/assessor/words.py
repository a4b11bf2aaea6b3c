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


HEX_CODE = re.compile(r"\b(0x)?([0-9a-f]{8})\b", re.IGNORECASE)
UPDATE = re.compile(r"\bKB[ -]?(\d{6,8})\b", re.IGNORECASE)


def other_spellings(text: str) -> list[str]:
    """How else the text's codes are written: 0x8024002e or 8024002e, KB5034441 or KB 5034441. In lower case."""
    codes = [(found[2].lower() if found[1] else f"0x{found[2].lower()}") for found in HEX_CODE.finditer(text)]
    updates = [spelling for number in UPDATE.findall(text) for spelling in (f"kb{number}", number)]
    return list(dict.fromkeys(codes + updates))


TURN = r"(?:turn|switch)\w*(?: [\w'’]+){0,4}"

# What undoes one another. Two steps that share every other word are not the same.
OPPOSITES = [
    (re.compile(rf"\b(?:{one})\b", re.IGNORECASE), re.compile(rf"\b(?:{other})\b", re.IGNORECASE))
    for one, other in (
        (rf"enabl\w*|activat\w*|tick\w*|{TURN} on", rf"disabl\w*|deactivat\w*|untick\w*|uncheck\w*|{TURN} off"),
        (r"add(?:ed|ing)?|grant\w*|gave|give", r"remov\w*|revok\w*|delet\w*|took"),
        (r"install\w*|reinstall\w*", r"uninstall\w*"),
        (r"allow\w*|unblock\w*|permit\w*", r"block\w*|den(?:y|ied)"),
        (r"rais\w*|increas\w*|extend\w*|longer", r"lower\w*|decreas\w*|reduc\w*|shorten\w*|shorter"),
        (r"start(?:ed)?", r"stop(?:ped)?"),
        (r"lock(?:ed)?", r"unlock\w*"),
    )
]


def opposed(one: str, other: str) -> bool:
    """Whether one undoes what the other does, as far as their verbs tell."""
    return any(_undone(one, other, *pair) or _undone(other, one, *pair) for pair in OPPOSITES)


def _undone(one: str, other: str, does: re.Pattern[str], undoes: re.Pattern[str]) -> bool:
    told = does.search(one), undoes.search(one), does.search(other), undoes.search(other)
    return bool(told[0] and not told[1] and told[3] and not told[2])


def _stem(word: str) -> str:
    for ending in ("ations", "ation", "ings", "ing", "edly", "ies", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word[-1].isdigit():
            return word[: -len(ending)]
    return word
