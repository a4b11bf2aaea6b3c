"""The fields of an object that came from outside, read one by one: each as it must be, or a BadLine that says how."""

from collections.abc import Collection
from datetime import UTC, datetime, tzinfo

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
SHOWN_NAME = 40


class BadLine(ValueError):
    """What is wrong with a line, in words that name the field: `steps[2].outcome: must be one of …`."""


class Fields:
    """An object of a line. It remembers which of its fields were asked for: the others are unknown."""

    def __init__(self, raw: object, *, tz: tzinfo, now: datetime, path: str = "") -> None:
        if not isinstance(raw, dict):
            raise BadLine(f"{path}: must be an object" if path else "must be a JSON object")
        self.raw, self.tz, self.now, self.path = raw, tz, now, path
        self.asked: set[str] = set()
        self.inner: list[Fields] = []

    def text(self, name: str, length: int, *, required: bool = False) -> str:
        """Text without blanks around it, at most `length` long; empty where it is left out."""
        value = self._get(name)
        if value is None and required:
            raise self._bad(name, "must be there")
        if not isinstance(value, str | None):
            raise self._bad(name, "must be text")
        text = (value or "").strip()
        if required and not text:
            raise self._bad(name, "must not be blank")
        if len(text) > length:
            raise self._bad(name, f"must have at most {length:,} characters, not {len(text):,}")
        self._require_storable(name, text)
        return text

    def choice(self, name: str, choices: Collection[str]) -> str:
        value = self._get(name)
        if not isinstance(value, str) or value not in choices:
            raise self._bad(name, f"must be one of {', '.join(choices)}")
        return value

    def moment(self, name: str) -> datetime | None:
        """A time in UTC, not in the future; None where it is left out."""
        value = self._get(name)
        if value is None:
            return None
        try:
            told = datetime.fromisoformat(value) if isinstance(value, str) else None
            moment = (told.replace(tzinfo=told.tzinfo or self.tz)).astimezone(UTC) if told else None
        except (ValueError, OverflowError):
            moment = None
        if moment is None or moment < EARLIEST:
            raise self._bad(name, "must be a date and time such as 2026-03-01T09:30:00+01:00")
        if moment > self.now:
            raise self._bad(name, "must not be in the future")
        return moment

    def objects(self, name: str) -> list["Fields"]:
        """The list of objects of that name; empty where it is left out."""
        value = self._get(name)
        if not isinstance(value, list | None):
            raise self._bad(name, "must be a list")
        found = [
            Fields(each, tz=self.tz, now=self.now, path=f"{self._named(name)}[{index}]")
            for index, each in enumerate(value or [])
        ]
        self.inner += found
        return found

    def unknown(self) -> set[str]:
        """The names that were never asked for, here and in what is inside: `key_fix`, `messages[].colour`."""
        prefix = f"{self.path.split('[')[0]}[]." if self.path else ""
        mine = {f"{prefix}{_shown(name)}" for name in self.raw.keys() - self.asked}
        return mine.union(*(each.unknown() for each in self.inner))

    def _get(self, name: str) -> object:
        self.asked.add(name)
        return self.raw.get(name)

    def _named(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def _bad(self, name: str, what: str) -> BadLine:
        return BadLine(f"{self._named(name)}: {what}")

    def _require_storable(self, name: str, text: str) -> None:
        if "\0" in text:
            raise self._bad(name, "must not hold a NUL character")
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise self._bad(name, "holds half a character (a lone surrogate)")


def _shown(name: str) -> str:
    """A stranger's name as a terminal may show it."""
    return (name if name.isprintable() else ascii(name))[:SHOWN_NAME]
