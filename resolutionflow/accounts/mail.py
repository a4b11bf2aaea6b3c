"""Letters to people. The worker sends them: no page waits for a mail server."""

from django.conf import settings
from procrastinate.contrib.django import app

from resolutionflow import sealing

PURPOSE = "letters"
SEND = "accounts.send_letter"


def is_set_up() -> bool:
    """Whether this installation sends mail at all; pages say so where it matters."""
    return bool(settings.EMAIL_HOST) or settings.EMAIL_BACKEND.endswith("locmem.EmailBackend")


def send_later(to: str, subject: str, body: str) -> None:
    """After the transaction's commit. The body is sealed while it waits: it may hold a link that lets somebody in."""
    if is_set_up():
        sealed = sealing.seal(PURPOSE).encrypt(body.encode()).decode()
        app.configure_task(SEND).defer(to=to, subject=subject, sealed=sealed)
