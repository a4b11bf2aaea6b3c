"""Whether two steps are the same thing done, however colleagues word it."""

import re
from collections.abc import Iterable

from escalations.assessor import sentences
from escalations.assessor.words import opposed, overlap

SAME_WORDS = 0.6  # share of the shorter step's words, where there are no vectors
SAME_MEANING = 0.7  # cosine; steps about two different things of a kind (two caches, two drivers) stay below
NEARLY = 0.66  # is enough with
MOST_WORDS = 0.7  # of the words shared
MOST_PARTS = 40  # of all that was done; the first ones count
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
