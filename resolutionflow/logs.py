"""What goes into the logs: who asked for what, in which request, and no secrets, whoever logs it."""

import contextlib
import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from django.conf import settings

from escalations.masking import mask

SHORTEST_SECRET = 6  # characters; what is shorter would be found everywhere

# One dictionary for all that belongs to a request, a socket or a job: who comes to be known later stands in it as well.
_about: ContextVar[dict[str, Any] | None] = ContextVar("about", default=None)


def begin(**facts: Any) -> None:
    """What is logged from now on, here and in what is awaited from here, is about this request, socket or job."""
    _about.set(facts)


def add(**facts: Any) -> None:
    """More that is known about it, such as who asks."""
    about = _about.get()
    if about is None:
        _about.set(facts)
    else:
        about.update(facts)


def request_id() -> str:
    """The id of the request that is being answered; empty where there is none."""
    return str((_about.get() or {}).get("request", ""))


class Masked(logging.Formatter):
    """A line with its traceback, masked as a whole. What it is about stands behind the message."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        about = " ".join(f"{name}={value}" for name, value in (_about.get() or {}).items())
        return f"{super().formatMessage(record)}{f' [{about}]' if about else ''}"

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class AsJson(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": without_secrets(record.getMessage()),
            **{name: str(value) for name, value in (_about.get() or {}).items()},
        }
        if record.exc_info:
            told["exception"] = without_secrets(self.formatException(record.exc_info))
        if record.stack_info:
            told["stack"] = without_secrets(self.formatStack(record.stack_info))
        return json.dumps(told, ensure_ascii=False)


def without_secrets(text: str) -> str:
    """What the rules find, and this installation's own secrets wherever they stand."""
    for secret in _own_secrets():
        text = text.replace(secret, "[hidden]")
    return mask(text)


def _own_secrets() -> tuple[str, ...]:
    """The key, the passwords in addresses and the model's key, as they are and as addresses write them."""
    global _known
    if _known is None:
        found = {settings.SECRET_KEY, settings.MODEL_API_KEY, settings.DATABASES["default"].get("PASSWORD")}
        for address in (settings.DATABASE_URL, settings.REDIS_URL):
            with contextlib.suppress(ValueError):
                found.add(urlsplit(address).password)
        ways = {way for secret in found if secret for way in (secret, unquote(secret), quote(secret, safe=""))}
        _known = tuple(sorted((way for way in ways if len(way) >= SHORTEST_SECRET), key=len, reverse=True))
    return _known


_known: tuple[str, ...] | None = None
