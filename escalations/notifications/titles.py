"""The words of a notification. Its title tells cases apart, whichever way it goes: who, which ticket, what."""

import re
import unicodedata
from typing import Protocol

from escalations.models import FeedEvent, Handoff, Offer

WIDTH = 80  # characters; about what a phone or a desktop shows
NAME = TICKET = 24
KIND = FeedEvent.Kind
OFFERED = "offered"


class Case(Protocol):
    """What a title says of a session."""

    @property
    def ticket_ref(self) -> str: ...
    @property
    def client_name(self) -> str: ...
    @property
    def title(self) -> str: ...


def of(handoff: Handoff) -> str:
    """`Escalation from Ann · #12345: Outlook fails to sync since…`"""
    return title(KIND.CREATED, handoff, by=handoff.created_by.get_short_name())


def title(kind: str, handoff: Handoff, *, by: str) -> str:
    """The title of any of its events; `by` is who did it. One line of at most `WIDTH` characters."""
    return _of_case(_what(kind, short(plain(by), NAME)), handoff.session)


def on_the_bell(what: str, case: Case, *, by: str) -> str:
    """`Ben offers you · #12345: Outlook fails to sync since…`: for the person whom it concerns; `by` is the other."""
    name = short(plain(by), NAME)
    said = {
        KIND.CREATED: _what(KIND.CREATED, name),
        KIND.RELEASED: "Returned from you",  # by its lease
        OFFERED: f"{name} offers you",
        Offer.Outcome.ACCEPTED: f"{name} accepted",
        Offer.Outcome.DECLINED: f"{name} declined",
    }
    return _of_case(said[what], case)


def _of_case(what: str, case: Case) -> str:
    which = short(plain(case.ticket_ref) or plain(case.client_name), TICKET)
    start = what + (f" · {which}: " if which else ": ")
    return start + short(plain(case.title), WIDTH - len(start))


def text(kind: str, handoff: Handoff) -> str:
    """A few lines of plain text below the title."""
    client = f"Client: {plain(handoff.session.client_name)}" if handoff.session.client_name else ""
    lines = {
        KIND.CREATED: [client, f"Priority: {handoff.get_priority_display()}", f"Reason: {plain(handoff.reason)}"],
        KIND.RESOLVED: [f"What fixed it: {plain(handoff.session.resolution)}"],
    }
    return "\n".join(line for line in lines.get(KIND(kind), [client]) if line)


def note(kind: str, handoff: Handoff, *, by: str) -> str:
    """For the ticket, which knows the case already."""
    session = handoff.session
    said = {
        KIND.CREATED: f"{by} escalated: {plain(handoff.reason)}",
        KIND.PICKED_UP: f"{by} picked it up.",
        KIND.RELEASED: f"It is back in the queue, from {by}.",
        KIND.TAKEN_BACK: f"{by} took the escalation back.",
        KIND.RESOLVED: f"{by} resolved it. What fixed it: {plain(session.resolution)}",
    }
    return said[KIND(kind)]


def _what(kind: str, by: str) -> str:
    return {
        KIND.CREATED: f"Escalation from {by}",
        KIND.PICKED_UP: f"Picked up by {by}",
        KIND.RELEASED: f"Back from {by}",  # put back, or returned by its lease
        KIND.TAKEN_BACK: f"Taken back by {by}",
        KIND.RESOLVED: f"Resolved by {by}",
    }[KIND(kind)]


def short(told: str, longest: int) -> str:
    """At most so many characters, cut between words where that loses little."""
    if len(told) <= longest:
        return told
    words = told[:longest].rpartition(" ")[0]
    kept = words if len(words) >= longest // 2 else told[: longest - 1]
    return kept[: longest - 1].rstrip(" ,;:.–-") + "…"


def plain(told: str) -> str:
    """One line, without characters that steer or turn the text around them."""
    flat = re.sub(r"\s+", " ", told).strip()
    return "".join(each for each in flat if unicodedata.category(each) not in {"Cc", "Cf", "Cs", "Co"})
