"""Which texts are alike: groups of at least two, each around the text that has the most like it.

Every text of a group is alike the first one, so that this one may stand for all of them. Plain data in, indices out.
"""

import heapq
from collections.abc import Sequence

from escalations.assessor import sentences
from escalations.assessor.sameness import CLOSE_WORDS, SAME_WORDS
from escalations.assessor.words import words_of

# What fixed two cases reads alike from this cosine on. The same fix in other words is at 0.8 or more. Of 9,730 pairs
# of different real cases one is beyond it, and is the same cause; from 0.7 on three are, one of them wrongly, and from
# 0.6 on more than half of what is found is wrong. What is missed costs an owner less than what is claimed.
SAME_FIX = 0.72


def by_meaning(vectors: Sequence[bytes]) -> list[list[int]]:
    """2,000 take less than a second of a core."""
    return _around(sentences.alike(vectors, SAME_FIX))


def by_words(texts: Sequence[str]) -> list[list[int]]:
    """The same without vectors, for some hundred texts: every pair of them is looked at."""
    words = [words_of(text) for text in texts]
    masks = [1 << index for index in range(len(words))]
    for index, mine in enumerate(words):
        for other, theirs in enumerate(words[:index]):
            if _share_words(mine, theirs):
                masks[index] |= 1 << other
                masks[other] |= 1 << index
    return _around(masks)


def _share_words(one: frozenset[str], other: frozenset[str]) -> bool:
    shared = len(one & other)
    fewest = min(len(one), len(other))
    return bool(shared) and (one == other or (shared >= CLOSE_WORDS and shared >= SAME_WORDS * fewest))


def _around(masks: Sequence[int]) -> list[list[int]]:
    """`masks[n]` has a bit for each text that is alike the n-th, itself included. The largest group first; of equal
    ones that of the text that comes first."""
    left = (1 << len(masks)) - 1
    ahead = [(-mask.bit_count(), index) for index, mask in enumerate(masks)]
    heapq.heapify(ahead)
    groups = []
    while ahead:
        promised, centre = heapq.heappop(ahead)
        members = masks[centre] & left if left >> centre & 1 else 0
        count = members.bit_count()
        if count < 2:
            continue
        if count < -promised:  # others took some of them; it may be its turn again
            heapq.heappush(ahead, (-count, centre))
            continue
        groups.append([centre, *(index for index in _bits(members) if index != centre)])
        left &= ~members
    return groups


def _bits(mask: int) -> list[int]:
    return [index for index in range(mask.bit_length()) if mask >> index & 1]
