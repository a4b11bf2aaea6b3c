"""An answer while it comes: its text so far, to everybody who has the session open.

Such a frame has no cursor. It may get lost, and nobody misses it: the next one has all the text again, and the message
itself comes with the last. It has the answer's own id, so that the message takes its place.
"""

import time
from uuid import UUID

from django.template.loader import render_to_string

from escalations.live import groups, transport
from escalations.models import AISession

PAUSE_SECONDS = 0.15  # between two frames; nobody reads faster


class Draft:
    """What one answer looks like so far."""

    def __init__(self, session: AISession, message_id: UUID) -> None:
        self.session, self.message_id = session, message_id
        self.told_at = 0.0

    def tell(self, text: str) -> None:
        """Show `text` in place of what was shown before; too soon after that, nothing."""
        if not text or time.monotonic() - self.told_at < PAUSE_SECONDS:
            return
        self.told_at = time.monotonic()
        html = render_to_string("escalations/_draft.html", {"message_id": self.message_id, "text": text})
        frame = {"type": "message_delta", "message": str(self.message_id), "html": html}
        transport.publish(groups.session(self.session.pk), frame)
