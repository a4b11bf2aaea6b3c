"""What a notification is called, whichever way it goes: by its title alone people tell cases apart."""

from escalations.models import Handoff

WIDTH = 80  # characters; about what a phone or a desktop shows
NAME = TICKET = 24


def of(handoff: Handoff) -> str:
    """`Escalation from Ann · #12345: Outlook fails to sync since…`"""
    session = handoff.session
    ticket = f" · {_fitting(session.ticket_ref, TICKET)}" if session.ticket_ref.strip() else ""
    start = f"Escalation from {_fitting(handoff.created_by.get_short_name(), NAME)}{ticket}: "
    return start + _fitting(session.title, WIDTH - len(start))


def _fitting(text: str, width: int) -> str:
    """The text on one line, shortened at a word unless that would cost more than half of it."""
    text = " ".join(text.split())
    if len(text) <= width:
        return text
    words = text[:width].rpartition(" ")[0]
    kept = words if len(words) >= width // 2 else text[: width - 1]
    return kept.rstrip(" ,;:.–-") + "…"
