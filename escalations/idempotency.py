"""A retry gets the first answer: POSTs with an Idempotency-Key run once."""

import functools
import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Concatenate, ParamSpec

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models.functions import Now
from ninja import Status
from ninja.operation import Operation
from ninja.utils import contribute_operation_callback

from escalations.actions.refusals import Refusal, require_engineer
from escalations.actions.transaction import in_transaction
from resolutionflow.accounts.models import IdempotentAnswer
from resolutionflow.accounts.tokens import SignedRequest

HEADER = "Idempotency-Key"
KEPT = timedelta(hours=25)  # a day was promised
FIT = re.compile(r"[ -~]{1,200}")  # printable ASCII

P = ParamSpec("P")
Door = Callable[Concatenate[SignedRequest, P], Status[Any]]


class UnfitKey(Refusal):
    """The key itself, or what it is used for, is wrong."""

    status = 422

    @property
    def facts(self) -> dict[str, object]:
        return {"errors": [{"field": HEADER, "message": str(self)}]}


def once(door: Door[P]) -> Door[P]:
    """Let a door for changes honour Idempotency-Key, and tell OpenAPI so.

    The same key by the same person for the same request answers what the first one did, status and body; for another
    request it is refused with 422. Only answers are kept, not refusals: what was refused may be tried again.
    """

    @functools.wraps(door)
    def run(request: SignedRequest, /, *args: P.args, **kwargs: P.kwargs) -> Status[Any]:
        require_engineer(request.auth)
        key = request.headers.get(HEADER)
        if key is None:
            return door(request, *args, **kwargs)
        if not FIT.fullmatch(key):
            raise UnfitKey("An Idempotency-Key has 1 to 200 printable ASCII characters.")
        answer = _answer_once(request, key, lambda: door(request, *args, **kwargs))
        if isinstance(answer, Refusal):
            raise answer
        return answer

    contribute_operation_callback(run, _describe)
    return run


@in_transaction
def _answer_once(request: SignedRequest, key: str, door: Callable[[], Status[Any]]) -> Status[Any] | Refusal:
    """The key's row comes first: a second request with it waits here until the first commits or rolls back.

    A refusal is given back, not raised: its verb has rolled back what it tried, and what it noted about that stays.
    """
    digest = _digest(request)
    answer, is_new = IdempotentAnswer.objects.get_or_create(
        user=request.auth, key=key, defaults={"request_digest": digest}
    )
    if answer.request_digest != digest:
        raise UnfitKey("This Idempotency-Key was used for another request already.")
    if is_new:
        try:
            said = door()
        except Refusal as refusal:
            answer.delete()
            return refusal
        answer.status, answer.body = said.status_code, json.loads(json.dumps(said.value, cls=DjangoJSONEncoder))
        answer.save(update_fields=["status", "body"])
    assert answer.status is not None, "it commits together with its key"
    return Status(answer.status, answer.body)


def forget_old() -> int:
    """Throw away the answers that nobody comes back for any more; how many there were."""
    old = IdempotentAnswer.objects.filter(created_at__lt=Now() - KEPT)
    return old.delete()[0]


def _digest(request: SignedRequest) -> str:
    """Of method, address and what the body says; how it is spaced and ordered is no matter."""
    body = json.dumps(json.loads(request.body), sort_keys=True) if request.body else ""
    return hashlib.sha256(f"{request.method} {request.path}\n{body}".encode()).hexdigest()


def _describe(operation: Operation) -> None:
    header = {
        "in": "header",
        "name": HEADER,
        "required": False,
        "description": "Makes a retry safe: the same key and request answer the same, and run once.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"},
    }
    operation.openapi_extra = {"parameters": [header]}
