"""Which way a letter goes."""

import logging
from collections.abc import Callable

from escalations.models import Channel
from escalations.notifications import chat, mail, webhook
from escalations.notifications.letter import Letter, NotSent

log = logging.getLogger(__name__)


def send(letter: Letter) -> str:
    """Why it did not get there, in plain words; empty if it did. Takes seconds, and asks no database."""
    try:
        way_of(letter)(letter)
    except NotSent as error:
        return str(error)
    except Exception as error:  # a library's own: it is tried again, and the worker goes on
        log.error("Delivery %s by %s failed: %s", letter.id, letter.way, type(error).__name__, exc_info=error)
        return "Something went wrong while it was sent."
    return ""


def way_of(letter: Letter) -> Callable[[Letter], None]:
    if letter.way in Channel.SIGNED:
        return webhook.send
    return mail.send if letter.way == Channel.Kind.EMAIL else chat.send
