"""Whether two steps are the same thing done, however colleagues word it."""

import re
from collections.abc import Iterable, Sequence

from escalations.assessor import sentences
from escalations.assessor.words import opposed, overlap, words_of

SAME_WORDS = 0.6  # share of the shorter step's words, where there are no vectors
SAME_MEANING = 0.7  # cosine; steps about two different things of a kind (two caches, two drivers) stay below
NEARLY = 0.66  # is enough with
MOST_WORDS = 0.7  # of the words shared
# A step is close to what fixed it from here on. Of 276 steps that did not help in real cases, one in sixteen is, nearly
# always rightly; of as many in other cases, one in 3,000.
CLOSE = 0.6
CLOSE_WORDS = 3  # at least so many in common, where there are no vectors
MOST_PARTS = 40  # of all that was done; the first ones count
SENTENCE = re.compile(r"(?<=[.;!?])\s+")
PART = re.compile(r"[;.]\s+|,\s+|\band then\b|\band\b|\bthen\b", re.IGNORECASE)


class Sameness:
    """Compares steps with what was done. All texts are read at once, because one by one takes longer."""

    def __init__(self, steps: Iterable[str], done: Iterable[str]) -> None:
        self.steps = list(dict.fromkeys(steps))
        self.done = list(dict.fromkeys(part for text in done for part in parts_of(text)))[:MOST_PARTS]
        texts = list(dict.fromkeys([*self.steps, *self.done]))
        vectors = sentences.encode(texts) if self.steps and sentences.is_there() else []
        self.vectors = dict(zip(texts, vectors, strict=False))

    def was_done(self, step: str) -> bool:
        return any(self.same(step, part) for part in self.done)

    def same(self, one: str, other: str) -> bool:
        """Of two texts that are known. Switching something on is not switching it off."""
        shared = overlap(one, other)
        if opposed(one, other):
            return False
        if one not in self.vectors or other not in self.vectors:
            return shared >= SAME_WORDS
        (alike,) = sentences.cosines(self.vectors[one], [self.vectors[other]])
        return alike >= SAME_MEANING or (alike >= NEARLY and shared >= MOST_WORDS)


def parts_of(text: str) -> list[str]:
    """The text, and what it enumerates: “Rebooted, flushed DNS and reset the password” is three things done."""
    parts = [part.strip() for part in PART.split(text)]
    return [text, *(part for part in parts if len(part.split()) > 1 and part != text)]


def closest(steps: Sequence[str], fixes: Sequence[str]) -> int | None:
    """Which of the steps is nearest to any of what fixed it; None if none is close."""
    if not steps or not fixes:
        return None
    scores = _closeness(steps, fixes)
    best = max(range(len(steps)), key=lambda index: scores[index])
    return best if scores[best] >= CLOSE else None


def _closeness(steps: Sequence[str], fixes: Sequence[str]) -> list[float]:
    """For each step how near the nearest fix is; doing the opposite is not near."""
    if sentences.is_there():
        vectors = sentences.encode([*steps, *fixes])
        known = vectors[len(steps) :]
        alike = [sentences.cosines(vector, known) for vector in vectors[: len(steps)]]
    else:
        alike = [[_in_words(step, fix) for fix in fixes] for step in steps]
    return [
        max(0.0 if opposed(step, fix) else score for fix, score in zip(fixes, row, strict=True))
        for step, row in zip(steps, alike, strict=True)
    ]


def _in_words(one: str, other: str) -> float:
    return overlap(one, other) if len(words_of(one) & words_of(other)) >= CLOSE_WORDS else 0.0


def sentences_of(text: str) -> list[str]:
    """The text, and its sentences where it has several: one of them may say what was done, the others why."""
    parts = [part.strip() for part in SENTENCE.split(text.strip())]
    whole = [text.strip()] if text.strip() else []
    return [*whole, *(part for part in parts if len(part.split()) > 3 and part != text.strip())][:MOST_PARTS]
