"""Find what nobody but its owner may read: passwords, tokens, keys, recovery codes, connection strings.

`mask` takes them out of a text. It is a set of rules, not a proof: each says by which words or by which shape a secret
gives itself away. Shapes alone (a long hexadecimal number, say) are left: hashes, ids and serial numbers look alike.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from escalations.masking.rules import may_hold_one, rules_for
from escalations.masking.values import SHORTEST, any_value

MOST_TEXT = 200_000  # characters that are looked at; no text of ours is longer
TRAILING = ".,;:)]}>\"'`”’»"
PLACEHOLDER = re.compile(r"\[hidden [a-z ]{2,20}(?: \d{1,6})?\]")


@dataclass(frozen=True)
class Found:
    """Where a secret stands in a text, and what it is, in a word."""

    start: int
    end: int
    kind: str


def mask(text: str) -> str:
    """`text` with `[hidden password]` and the like in place of its secrets. What is masked already stays."""
    return replace(text, lambda kind, value: f"[hidden {kind}]")


def replace(text: str, put: Callable[[str, str], str]) -> str:
    """`text` with `put(kind, secret)` in place of each of its secrets."""
    parts: list[str] = []
    end = 0
    for secret in secrets_in(text):
        parts += [text[end : secret.start], put(secret.kind, text[secret.start : secret.end])]
        end = secret.end
    return "".join([*parts, text[end:]])


def secrets_in(text: str) -> list[Found]:
    """The secrets, in order; none inside another."""
    if len(text) < SHORTEST or not may_hold_one(text):
        return []
    kept: list[Found] = []
    for secret in sorted(_all(text[:MOST_TEXT]), key=lambda found: (found.start, -found.end)):
        if not kept or secret.start >= kept[-1].end:
            kept.append(secret)
        elif secret.end > kept[-1].end:
            kept[-1] = Found(kept[-1].start, secret.end, kept[-1].kind)
    return kept


def _all(text: str) -> Iterator[Found]:
    hidden = [match.span() for match in PLACEHOLDER.finditer(text)]
    for kind, rule, is_one in rules_for(text):
        for match in rule.finditer(text):
            start, end = match.span("s" if "s" in rule.groupindex else 0)
            while end > start and text[end - 1] in TRAILING and is_one is not any_value:
                end -= 1
            inside = any(start < last and end > first for first, last in hidden)
            if end > start and not inside and is_one(text[start:end]):
                yield Found(start, end, kind)
