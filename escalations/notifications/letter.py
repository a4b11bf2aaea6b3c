"""What goes out, before anybody knows by which way."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Letter:
    """`id` is the delivery's and stays the same for every try. `target` and `secret` are open, so none is kept."""

    id: str
    way: str  # a channel's kind, or "email" to a person
    target: str = field(repr=False)
    secret: str = field(repr=False)
    kind: str
    title: str
    text: str
    link: str
    body: dict[str, Any] = field(repr=False)
    case: str = ""  # the handoff's id: what a pager ties together
    priority: str = "normal"


class NotSent(Exception):
    """It did not get there; `str()` says why, in plain words."""
