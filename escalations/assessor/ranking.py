"""How like a case is to what the team knows: the words that both use, weighed by how rare they are, and what both
mean, as vectors. Plain data in, a number out.

Words know error codes and product names; vectors know that a nickname is an alias. Over real cases each of the two
puts the right session among the first three in four of five cases, both together nearly always.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from escalations.assessor import sentences

SATURATION = 1.2  # how soon a word that is repeated says no more
BY_LENGTH = 0.6  # how much more a long text must say than a short one, from 0 to 1
# 0x8004011d, 4007, ws2019, spoolsv.exe: who has the same one often has the same fault.
CODE = re.compile(r".*\d.*..|..+\d.*|\w+[._/\\]\w.*")
OF_A_CODE = 2.0
SHARE_OF_WORDS = 0.9  # against 1.0 for what is meant
SHARE_OF_TRIED = 0.25  # the same failed attempts are a sign of the same fault
BY_CHANCE = 0.2  # two attempts that have nothing to do with each other are about so much alike
WORDS_ALONE = (0.15, 2.1)  # what the words' share begins with and is stretched by, to mean the same without vectors


@dataclass(frozen=True)
class Asked:
    """What is looked for. `rarity` has its words with their weights; the vectors are None where there are none."""

    rarity: Mapping[str, float]
    whole: bytes | None = None
    tried: bytes | None = None


@dataclass(frozen=True)
class Candidate:
    """Something known. `words` are those that were asked for, with how often they occur; `length` is in words."""

    words: Mapping[str, float]
    length: float
    whole: bytes | None = None
    tried: bytes | None = None


def rarity_of(among: int, having: Mapping[str, int]) -> dict[str, float]:
    """The weight of each word: `having` says in how many of `among` texts it occurs."""
    return {
        word: math.log(1 + (among - count + 0.5) / (count + 0.5)) * (OF_A_CODE if CODE.fullmatch(word) else 1)
        for word, count in having.items()
    }


def likeness(asked: Asked, candidates: Sequence[Candidate]) -> list[float]:
    """For each candidate from about 0 (nothing in common) to about 2 (the same text)."""
    shared = in_words(asked, candidates)
    if asked.whole is None:
        least, stretch = WORDS_ALONE
        return [least + stretch * share if share else 0.0 for share in shared]
    meant = _alike(asked.whole, [candidate.whole for candidate in candidates], otherwise=0.0)
    tried = _alike(asked.tried, [candidate.tried for candidate in candidates], otherwise=BY_CHANCE)
    return [
        m + SHARE_OF_WORDS * w + SHARE_OF_TRIED * (t - BY_CHANCE) for w, m, t in zip(shared, meant, tried, strict=True)
    ]


def in_words(asked: Asked, candidates: Sequence[Candidate]) -> list[float]:
    """Okapi BM25, as the share of what a text that holds every asked word once would get."""
    if not candidates:
        return []
    usual = sum(candidate.length for candidate in candidates) / len(candidates) or 1.0
    everything = sum(asked.rarity.values()) or 1.0
    return [
        sum(asked.rarity.get(word, 0.0) * _weight(count, candidate.length / usual) for word, count in told) / everything
        for candidate in candidates
        for told in [candidate.words.items()]
    ]


def _weight(count: float, length: float) -> float:
    return count * (SATURATION + 1) / (count + SATURATION * (1 - BY_LENGTH + BY_LENGTH * length))


def _alike(vector: bytes | None, others: Sequence[bytes | None], *, otherwise: float) -> list[float]:
    """The cosines; `otherwise` for each that has no vector."""
    known = [other for other in others if other is not None]
    if vector is None or not known:
        return [otherwise] * len(others)
    found = iter(sentences.cosines(vector, known))
    return [otherwise if other is None else next(found) for other in others]
