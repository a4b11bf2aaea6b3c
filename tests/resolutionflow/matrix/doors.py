"""Every door of the web, as the URLconf has them (pages, API, admin), and what comes of knocking."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, get_resolver

from tests.resolutionflow.matrix.ground import Ground

# All that any form asks for; what a form does not know it ignores.
FORM = {
    "title": "Mine", "problem": "It hangs.", "body": "Hello", "description": "Tried it", "outcome": "failed",
    "reason": "Stuck.", "priority": "high", "resolution": "Done.", "number": "1", "helpful": "yes",
    "name": "Somebody", "email": "somebody@elsewhere.example", "role": "viewer", "scopes": "read", "days": "30",
    "up_to": "1",
    "password": "demo", "old_password": "demo", "code": "123456", "credential": "{}", "client_id": "us",
    "issuer": "https://id.elsewhere.example", "client_secret": "ours", "domains": "elsewhere.example",
    "section": "general", "time_zone": "UTC",
    **dict.fromkeys(["password1", "password2", "new_password1", "new_password2"], "a longer walk home"),
}  # fmt: skip
JSON = {
    "POST api/sessions": {"title": "Mine"},
    "POST api/sessions/<session_id>/messages": {"body": "Hello"},
    "POST api/sessions/<session_id>/steps": {"description": "Tried it", "outcome": "failed"},
    "POST api/sessions/<session_id>/handoffs": {"intent": "escalate", "reason": "Stuck."},
    "POST api/sessions/<session_id>/resolve": {"resolution": "Done."},
    "POST api/sessions/<session_id>/reveal": {"number": 1},
    "POST api/handoffs/<handoff_id>/feedback": {"helpful": True},
    "POST api/handoffs/<handoff_id>/hand-to": {"to": "00000000-0000-4000-8000-000000000000"},
}
HELD = ("release", "feedback", "undo", "hand-to", "accept", "decline", "withdraw")
A_PICKED_UP_ONE = (*(f"{verb}/" for verb in HELD), *(f"/{verb}" for verb in HELD))  # about one that somebody has
OF_PATH = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True)
class Door:
    """`POST handoffs/<uuid:handoff_id>/pick-up/`; `about` is the admin's model."""

    method: str
    pattern: str
    about: str = ""

    @property
    def name(self) -> str:
        return f"{self.method} {self.pattern}"

    def address(self, ids: dict[str, str]) -> str:
        """With the ids of one account's rows."""
        if self.pattern.endswith(A_PICKED_UP_ONE):
            ids = {**ids, "handoff_id": ids["held_id"]}
        if self.pattern.startswith("^password/reset/"):
            ids = {**ids, "key": ids["reset_key"]}
        row = ids.get(self.about or "sign_in", "1")
        ids = {**ids, "object_id": row, "id": row, "anything": "nowhere"}
        path = self.pattern.replace("^(?P<app_label>", "(").replace("(?P<url>.*)$", "nowhere/")
        path = re.sub(r"\((\w+)\|[^)]*\)/\$", r"\1/", path)
        path = re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", path).strip("^$")
        return "/" + OF_PATH.sub(lambda found: ids[found[1]], path)


def every() -> Iterator[Door]:
    """Each address, to read and to write. An operation of the API is a door of its own."""
    for pattern in dict.fromkeys(_patterns(get_resolver().url_patterns, "")):
        about = pattern.split("/")[2] if pattern.startswith("admin/") and pattern.count("/") > 2 else ""
        for method in ("GET", "POST"):
            yield Door(method, pattern, about)


def _patterns(found: list, prefix: str) -> Iterator[str]:
    for each in found:
        if isinstance(each, URLPattern):
            yield prefix + str(each.pattern)
        else:
            yield from _patterns(each.url_patterns, prefix + str(each.pattern))


class Visitor:
    """Knocks as anybody at any door, and leaves everything as it was."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.client = Client(raise_request_exception=False)

    def knock(self, door: Door, person: str, address: str) -> tuple[str, str]:
        """What came of it, in one letter, and all that was said."""
        self.client.cookies = SimpleCookie()
        if cookie := self.ground.cookies[person]:
            self.client.cookies[settings.SESSION_COOKIE_NAME] = cookie
        with transaction.atomic():
            answer = self._send(door, address)
            said = _all_of(answer)
            transaction.set_rollback(True)
        return _letter(answer), said

    def _send(self, door: Door, address: str) -> HttpResponse:
        if door.method != "POST":
            return self.client.generic(door.method, address)
        if address.startswith("/api/"):
            return self.client.post(address, json.dumps(JSON.get(door.name)), content_type="application/json")
        return self.client.post(address, FORM)


def _all_of(answer: HttpResponse) -> str:
    body = answer.getvalue().decode(errors="replace")
    return "\n".join([*(f"{name}: {value}" for name, value in answer.headers.items()), body])


def _letter(answer: HttpResponse) -> str:
    """`o` in · `l` sign in first · `a` no business in the admin · `s` sent to the admin's start · `f` not allowed ·
    `n` no such thing · `m` not that way · `!` broken."""
    status, to = answer.status_code, answer.headers.get("Location", "")
    if (status == 302 and to.startswith("/login/")) or status == 401:
        return "l"
    if status == 302 and to.startswith("/admin/login/"):
        return "a"
    if status == 302 and to == "/admin/":
        return "s"
    return {403: "f", 404: "n", 405: "m"}.get(status, "!" if status >= 500 else "o")
