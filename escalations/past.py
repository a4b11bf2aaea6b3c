"""Past sessions as lines of JSON: what a line may say, and what is wrong with one that may not.

Reading is apart from writing: here are plain functions from bytes to plain data, without a database.
`actions.past_sessions` writes them.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, tzinfo
from typing import BinaryIO

from escalations.models import AISession, Message, TriedStep
from escalations.models.session import (
    BODY_LENGTH,
    CLIENT_LENGTH,
    RESOLUTION_LENGTH,
    STEP_LENGTH,
    TICKET_LENGTH,
    TITLE_LENGTH,
)
from escalations.past_fields import BadLine, Fields

LONGEST_LINE = 4 * 1024 * 1024  # bytes; a conversation of 400 longest messages
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
AUTHORS = [Message.Kind.ENGINEER.value, Message.Kind.COPILOT.value, Message.Kind.CLIENT.value]
CATEGORY_LENGTH = AISession._meta.get_field("category").max_length or 0
EXTERNAL_ID_LENGTH = (AISession._meta.get_field("external_id").max_length or 0) - len("id:")


@dataclass(frozen=True)
class PastMessage:
    author: str
    body: str
    at: datetime | None


@dataclass(frozen=True)
class PastStep:
    description: str
    outcome: str
    note: str


@dataclass(frozen=True)
class PastSession:
    """One line. With a resolution it was resolved, without it was abandoned. Times are in UTC."""

    title: str
    client_name: str
    ticket_ref: str
    category: str
    problem: str
    messages: tuple[PastMessage, ...]
    steps: tuple[PastStep, ...]
    resolution: str
    resolved_at: datetime | None
    external_id: str

    @property
    def key(self) -> str:
        """What makes it the same session when it comes again: its external id, else a hash of what it says."""
        if self.external_id:
            return f"id:{self.external_id}"
        # Without what is empty, so that a field that this form gains one day leaves the hashes as they are.
        said = {name: value for name, value in asdict(self).items() if value}
        canonical = json.dumps(said, sort_keys=True, default=datetime.isoformat)
        return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


def lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The lines with their numbers, without blank ones; one at a time, and never much more of one than is allowed."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        rest = line
        while len(rest) > LONGEST_LINE and not rest.endswith(b"\n"):
            rest = file.readline(LONGEST_LINE + 1)
        if number == 1:
            line = line.removeprefix(BYTE_ORDER_MARK)
        if line.strip():
            yield number, line


def parse(line: bytes, *, tz: tzinfo, now: datetime) -> tuple[PastSession, set[str]]:
    """A line's session, and the names of fields that nobody here knows.

    Times without a zone are in `tz`. Raises BadLine with the field and what it must be.
    """
    fields = Fields(_object(line), tz=tz, now=now)
    past = PastSession(
        title=fields.text("title", TITLE_LENGTH, required=True),
        client_name=fields.text("client_name", CLIENT_LENGTH),
        ticket_ref=fields.text("ticket_ref", TICKET_LENGTH),
        category=fields.text("category", CATEGORY_LENGTH),
        problem=fields.text("problem", BODY_LENGTH, required=True),
        messages=tuple(_message(each) for each in fields.objects("messages")),
        steps=tuple(_step(each) for each in fields.objects("steps")),
        resolution=fields.text("resolution", RESOLUTION_LENGTH),
        resolved_at=fields.moment("resolved_at"),
        external_id=fields.text("external_id", EXTERNAL_ID_LENGTH),
    )
    _require_order(past)
    return past, fields.unknown()


def _object(line: bytes) -> object:
    if len(line) > LONGEST_LINE:
        raise BadLine(f"longer than {LONGEST_LINE // 1024 // 1024} MiB")
    try:
        return json.loads(line.decode())
    except UnicodeDecodeError as error:
        raise BadLine(f"not UTF-8 (byte {error.start + 1})") from None
    except json.JSONDecodeError as error:
        raise BadLine(f"not JSON: {error.msg} (column {error.colno})") from None
    except RecursionError:
        raise BadLine("not JSON that can be read: nested too deeply") from None
    except ValueError:  # a number of thousands of digits
        raise BadLine("not JSON that can be read: a number is too long") from None


def _message(fields: Fields) -> PastMessage:
    return PastMessage(
        author=fields.choice("author", AUTHORS),
        body=fields.text("body", BODY_LENGTH, required=True),
        at=fields.moment("at"),
    )


def _step(fields: Fields) -> PastStep:
    return PastStep(
        description=fields.text("description", STEP_LENGTH, required=True),
        outcome=fields.choice("outcome", TriedStep.Outcome.values),
        note=fields.text("note", STEP_LENGTH),
    )


def _require_order(past: PastSession) -> None:
    for index, message in enumerate(past.messages):
        if past.resolved_at and message.at and message.at > past.resolved_at:
            raise BadLine(f"resolved_at: must not be before messages[{index}].at")


# Times that a line leaves out


@dataclass(frozen=True)
class Times:
    """When a past session began and ended, and when each of its messages and steps was."""

    began: datetime
    ended: datetime
    messages: list[datetime]
    steps: list[datetime]


def times_of(past: PastSession, *, now: datetime) -> Times:
    """The known times, and for the others some that keep the order: evenly between their neighbours."""
    known = [message.at for message in past.messages if message.at]
    ended = past.resolved_at or max(known, default=now)
    began = min(known, default=ended)
    return Times(
        began=began,
        ended=ended,
        messages=_spread([message.at for message in past.messages], began, ended),
        steps=_spread([None] * len(past.steps), began, ended),
    )


def _spread(known: list[datetime | None], began: datetime, ended: datetime) -> list[datetime]:
    """`known` with its gaps filled, each evenly between the known times around it."""
    filled: list[datetime] = []
    before = began
    for index, (at, (next_index, next_at)) in enumerate(zip(known, _next_known(known, ended), strict=True)):
        before = at or before + max(next_at - before, timedelta()) / (next_index - index + 1)
        filled.append(before)
    return filled


def _next_known(known: list[datetime | None], ended: datetime) -> list[tuple[int, datetime]]:
    """For each place the next one that has a time, itself included, and that time; in one pass from the end."""
    found: list[tuple[int, datetime]] = []
    following = (len(known), ended)
    for index in range(len(known) - 1, -1, -1):
        at = known[index]
        following = (index, at) if at else following
        found.append(following)
    return found[::-1]
