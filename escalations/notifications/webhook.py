"""A signed POST to a program of the account's own. `docs/notifications.md` has its format and how to verify it."""

import hashlib
import hmac
import json
import time

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder

from escalations.notifications.letter import Letter, NotSent
from resolutionflow.outside import Unreachable, ask, parse


def host_of(address: str) -> str:
    """Raises Unreachable for an address that is never asked; the name itself is looked up when something is sent."""
    return parse(address, private=settings.NOTIFY_PRIVATE_NETWORKS).host


def send(letter: Letter) -> None:
    """Raises NotSent unless the receiver says 2xx."""
    body = json.dumps(letter.body, cls=DjangoJSONEncoder, separators=(",", ":"), ensure_ascii=False).encode()
    try:
        answer = ask(
            letter.target,
            private=settings.NOTIFY_PRIVATE_NETWORKS,
            method="POST",
            body=body,
            headers=headers(letter, body, now=int(time.time())),
        )
    except Unreachable as error:
        raise NotSent(str(error)) from error
    if 300 <= answer.status < 400:
        raise NotSent(f"It sends elsewhere ({answer.status}), which is not followed.")
    if not 200 <= answer.status < 300:
        raise NotSent(f"It answered {answer.status}.")


def headers(letter: Letter, body: bytes, *, now: int) -> dict[str, str]:
    """Each try is signed anew, for receivers refuse what is old."""
    return {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "ResolutionFlow",
        "X-ResolutionFlow-Delivery": letter.id,
        "X-ResolutionFlow-Event": letter.kind,
        "X-ResolutionFlow-Timestamp": str(now),
        "X-ResolutionFlow-Signature": f"v1={signature(letter.secret, now, body)}",
    }


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """HMAC-SHA-256 of `timestamp.body`, in hexadecimal."""
    return hmac.digest(secret.encode(), b"%d." % timestamp + body, hashlib.sha256).hex()
