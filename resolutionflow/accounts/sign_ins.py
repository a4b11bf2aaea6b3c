"""Where people are signed in: noted now and then, listed for themselves, ended one by one or all but this."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils import timezone

from escalations.live.people import rights_changed
from resolutionflow import addresses, walls
from resolutionflow.accounts.models import SignIn, User
from resolutionflow.trail import record

NOTED_EVERY = 300.0  # seconds; "last seen" is a hint, not worth a write per request
MOST_REMEMBERED = 20_000
_noted: dict[str, float] = {}  # of this process: which sign-ins it has noted, and when

SYSTEMS = {"iPhone": "iPhone", "iPad": "iPad", "Android": "Android", "Windows": "Windows", "Mac OS X": "macOS"}
BROWSERS = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}


def note(request: HttpRequest, user: User) -> None:
    """Remember browser, address and time of a signed-in request; one write per sign-in, process and five minutes."""
    key, now = request.session.session_key, time.monotonic()
    if key is None or now - _noted.get(key, -NOTED_EVERY) < NOTED_EVERY:
        return
    if len(_noted) >= MOST_REMEMBERED:
        _noted.clear()
    _noted[key] = now
    seen = SignIn(
        session_key=key, user=user, address=addresses.of_request(request)[:45] or "unknown", browser=_browser(request)
    )
    seen.seen_at = timezone.now()
    with walls.everywhere():  # whoever comes: the operator is of no account
        SignIn.objects.bulk_create(
            [seen],
            update_conflicts=True,
            unique_fields=["session_key"],
            update_fields=["user", "address", "browser", "seen_at"],
        )


def record_sign_in(kind: str, person: User | None, **details: str) -> None:
    """In the chain of the person's account. What is nobody's address is not noted: it may be a password."""
    about = f"person {person.pk}" if person else "unknown address"
    record(kind, account=person.account if person else None, by=person, about=about, **details)


def _browser(request: HttpRequest) -> str:
    """Two words that a person recognises; programs tell the most outlandish things here."""
    told = request.headers.get("User-Agent", "")
    browser = next((name for mark, name in BROWSERS.items() if mark in told), "")
    system = next((name for mark, name in SYSTEMS.items() if mark in told), "Linux" if "Linux" in told else "")
    return " on ".join(filter(None, [browser, system])) or "Unknown browser"


@dataclass(frozen=True)
class Seen:
    """A row of the list. `id` says which without giving the session's key away."""

    id: str
    browser: str
    address: str
    since: datetime
    seen_at: datetime
    is_this: bool


def list_of(user: User, *, this: str | None) -> list[Seen]:
    """The person's sign-ins that are good still, this browser's first, then the one seen last."""
    found = [
        Seen(_id(each), each.browser, each.address, each.created_at, each.seen_at, each.session_key == this)
        for each in _alive(user)
    ]
    return sorted(found, key=lambda each: not each.is_this)


def _alive(user: User) -> list[SignIn]:
    """Those whose session is there still, and of today's password."""
    noted = SignIn.objects.filter(user=user)
    sessions = Session.objects.filter(session_key__in=noted.values("session_key"), expire_date__gt=timezone.now()).only(
        "session_key", "session_data"
    )
    now = user.get_session_auth_hash()
    good = {each.session_key for each in sessions if each.get_decoded().get(HASH_SESSION_KEY) == now}
    return [each for each in noted if each.session_key in good]


def _id(each: SignIn) -> str:
    return f"{int(each.created_at.timestamp() * 1_000_000):x}"


def end(user: User, id: str) -> bool:
    """End one of the person's sign-ins; False if there is none such."""
    keys = [each.session_key for each in SignIn.objects.filter(user=user) if _id(each) == id]
    _end(user, keys)
    if keys:
        record_sign_in("session_ended", user)
    return bool(keys)


def end_others(user: User, *, this: str | None) -> int:
    """End all but this one; gives how many were noted."""
    keys = list(SignIn.objects.filter(user=user).exclude(session_key=this).values_list("session_key", flat=True))
    _end(user, keys)
    return len(keys)


def end_all(user: User) -> None:
    end_others(user, this=None)


def _end(user: User, keys: Collection[str]) -> None:
    if keys:
        Session.objects.filter(session_key__in=keys).delete()
        SignIn.objects.filter(session_key__in=keys).delete()
        rights_changed(user.pk)
