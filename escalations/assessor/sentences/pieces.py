"""A text as BERT reads it: words, cut into the longest pieces that its vocabulary holds."""

import functools
import unicodedata
from pathlib import Path

START, END, UNKNOWN = "[CLS]", "[SEP]", "[UNK]"
LONGEST_WORD = 100  # characters; a longer one is unknown
LONGEST_TEXT = 20_000  # characters; far more than the pieces that count


class Vocabulary:
    """The pieces by number. A file holds one a line; pieces inside a word begin with ##."""

    def __init__(self, file: Path) -> None:
        lines = file.read_text("utf-8").splitlines()
        self.numbers = {piece: number for number, piece in enumerate(lines)}
        self.pieces_of = functools.lru_cache(maxsize=20_000)(self._pieces_of)

    def read(self, text: str, *, most: int) -> list[int]:
        """The numbers of the text's pieces between START and END, `most` in all."""
        read = [self.numbers[START]]
        for word in words_of(text[:LONGEST_TEXT]):
            read += self.pieces_of(word)
            if len(read) >= most:
                break
        return [*read[: most - 1], self.numbers[END]]

    def _pieces_of(self, word: str) -> tuple[int, ...]:
        unknown = (self.numbers[UNKNOWN],)
        if len(word) > LONGEST_WORD:
            return unknown
        found: list[int] = []
        start = 0
        while start < len(word):
            number, start = self._longest(word, start)
            if number is None:
                return unknown
            found.append(number)
        return tuple(found)

    def _longest(self, word: str, start: int) -> tuple[int | None, int]:
        for end in range(len(word), start, -1):
            number = self.numbers.get(("##" if start else "") + word[start:end])
            if number is not None:
                return number, end
        return None, start


def words_of(text: str) -> list[str]:
    """Lower-case words without accents; each punctuation mark and each Chinese character stands alone."""
    plain = unicodedata.normalize("NFD", text.lower())
    return "".join(_spaced(character) for character in plain).split()


@functools.lru_cache(maxsize=4_096)
def _spaced(character: str) -> str:
    category = unicodedata.category(character)
    if character.isspace():
        return " "
    if category == "Mn" or category.startswith("C") or character == "\ufffd":
        return ""
    alone = category.startswith("P") or (character.isascii() and not character.isalnum()) or _is_chinese(character)
    return f" {character} " if alone else character


def _is_chinese(character: str) -> bool:
    code = ord(character)
    return any(first <= code <= last for first, last in ((0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2FA1F)))
