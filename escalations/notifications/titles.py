"""The words of a notification. Its title tells cases apart: who, which ticket, what."""

import re
import unicodedata

from escalations.models import FeedEvent, Handoff

LONGEST = 60  # characters of the session's title
KIND = FeedEvent.Kind


def title(kind: str, handoff: Handoff, *, by: str) -> str:
    """`Escalation from Ann · #12345: Outlook fails to sync since…`; `by` is who did it."""
    return f"{_what(kind, handoff, by)} · {_case(handoff)}"


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
        KIND.RELEASED: f"{by} put it back into the queue.",
        KIND.TAKEN_BACK: f"{by} took the escalation back.",
        KIND.RESOLVED: f"{by} resolved it. What fixed it: {plain(session.resolution)}",
    }
    return said[KIND(kind)]


def _what(kind: str, handoff: Handoff, by: str) -> str:
    urgent = handoff.priority == Handoff.Priority.URGENT
    return {
        KIND.CREATED: f"{'Urgent escalation' if urgent else 'Escalation'} from {by}",
        KIND.PICKED_UP: f"Picked up by {by}",
        KIND.RELEASED: f"Put back by {by}",
        KIND.TAKEN_BACK: f"Taken back by {by}",
        KIND.RESOLVED: f"Resolved by {by}",
    }[KIND(kind)]


def _case(handoff: Handoff) -> str:
    session = handoff.session
    which = plain(session.ticket_ref) or plain(session.client_name)
    what = short(plain(session.title))
    return f"{which}: {what}" if which else what


def short(told: str, longest: int = LONGEST) -> str:
    """At most so many characters, cut between words where that loses little."""
    if len(told) <= longest:
        return told
    cut = told[: longest - 1]
    head = cut.rsplit(" ", 1)[0]
    return (head if len(head) > longest // 2 else cut).rstrip(" ,;:.-–") + "…"


def plain(told: str) -> str:
    """One line, without characters that steer or turn the text around them."""
    flat = re.sub(r"\s+", " ", told).strip()
    return "".join(each for each in flat if unicodedata.category(each) not in {"Cc", "Cf", "Cs", "Co"})
