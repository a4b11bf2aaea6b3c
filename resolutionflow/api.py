"""The API as a whole: who may call it, and how every refusal becomes `{"detail": …}` and a status."""

import functools
import json
import logging
from collections.abc import Callable
from typing import Any, NoReturn

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.multipartparser import MultiPartParserError
from django.urls import URLPattern, URLResolver, path
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from analytics.api import router as analytics
from escalations import openapi
from escalations.actions.refusals import NotAllowed, Refusal, require_engineer
from escalations.api import router as escalations
from resolutionflow import logs, walls
from resolutionflow.accounts.models import User
from resolutionflow.accounts.tokens import MissingScope, scope_of, user_of_request

log = logging.getLogger(__name__)
View = Callable[..., HttpResponse]

MOST_ERRORS = 20  # told of one request
LONGEST_FIELD = 80  # characters of a field's name that are told back

# Who


def _with_account(user: User | None) -> User | None:
    """From here on the database shows the caller's account, whatever a cookie beside the token says."""
    if user is not None:
        walls.enter(user.account_id)
    if user is not None and user.account is None:
        raise HttpError(403, "The operator of the installation belongs to no account, so there is nothing to see here.")
    return user


def _user_of(request: HttpRequest, signed_in: User | AnonymousUser) -> User | None:
    """Raises MissingScope, before anything else of the request is looked at."""
    return user_of_request(request, signed_in, scope=scope_of(request.method or "", request.path))


class BearerToken(HttpBearer):
    """`Authorization: Bearer …`; the page /account/tokens/ makes one, and `manage.py api_token EMAIL`."""

    openapi_description = (
        "A person's API token: made on the page /account/tokens/ or by `manage.py api_token EMAIL`, and shown once. "
        "Its scopes are read, work and analytics: each call says which one it needs, and 403 names one that is missing."
    )

    def __call__(self, request: HttpRequest) -> User | None:
        return _with_account(_user_of(request, AnonymousUser()))

    def authenticate(self, request: HttpRequest, token: str) -> NoReturn:
        raise NotImplementedError  # __call__ does it all


class SessionCookie(APIKeyCookie):
    """The browser's sign-in. Whoever comes with it needs the CSRF token as well, unless they only read."""

    param_name = settings.SESSION_COOKIE_NAME
    openapi_description = "The browser's sign-in; calls that change anything need the header X-CSRFToken as well."

    def __call__(self, request: HttpRequest) -> User | None:
        user = _with_account(_user_of(request, request.user))
        if user is None:
            return None
        _ = request.body  # kept now, because the check may read it as a form, and then it is gone
        if check_csrf(request):
            raise HttpError(403, "CSRF check failed: send the X-CSRFToken header, or use a token.")
        return user

    def authenticate(self, request: HttpRequest, key: str | None) -> NoReturn:
        raise NotImplementedError  # __call__ does it all


# What


class StrictJson(Parser):
    """JSON as its standard has it: UTF-8, and no NaN."""

    def parse_body(self, request: HttpRequest) -> Any:
        return json.loads(request.body.decode(), parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


class Api(NinjaAPI):
    """Every address under it is for programs: no login page, no HTML, nothing kept by caches."""

    @property
    def urls(self) -> tuple[list[URLResolver | URLPattern], str, str]:
        patterns, app, namespace = super().urls
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                pattern.callback = self._for_programs(pattern.callback)
        nowhere = path("<path:anything>", self._for_programs(_nowhere), name="nowhere")
        return [*patterns, nowhere], app, namespace

    @functools.cached_property
    def _described(self) -> dict[str, OpenAPISchema]:
        return {}

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: Any = None) -> OpenAPISchema:
        """Made once per process and root: it takes a third of a second, and changes with the code alone."""
        root = self.get_root_path(path_params or {}) if path_prefix is None else path_prefix
        if root not in self._described:
            self._described[root] = self._describe(root)
        return self._described[root]

    def _describe(self, root: str) -> OpenAPISchema:
        schema = super().get_openapi_schema(path_prefix=root)
        schema["paths"][openapi.STREAM_PATH] = openapi.STREAM
        for address, calls in schema["paths"].items():
            for method, call in calls.items():
                openapi.name_scope(call, scope_of(method.upper(), address))
        return schema

    def _for_programs(self, view: View) -> View:
        @functools.wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                response = view(request, *args, **kwargs)
            except Http404 as error:
                response = self.on_exception(request, error)
            if isinstance(response, HttpResponseNotAllowed):
                response.headers["Content-Type"] = self.get_content_type()
                response.content = json.dumps({"detail": f"This address takes {response.headers['Allow']} only."})
            response.headers["Cache-Control"] = "no-store"
            return response

        answer.csrf_exempt = True  # type: ignore[attr-defined]  # SessionCookie checks it where it matters
        return login_not_required(answer)


def _nowhere(request: HttpRequest, anything: str) -> NoReturn:
    raise Http404


api = Api(
    title="ResolutionFlow",
    version="1",
    description=(
        "Escalations for programs. Every refusal is `{detail}`, a sentence for people. Times are ISO 8601 in UTC. "
        "Another account's objects do not exist here: 404."
    ),
    auth=[BearerToken(), SessionCookie()],
    parser=StrictJson(),
)
api.add_router("", escalations)
api.add_router("", analytics)

# Why not


def _say(request: HttpRequest, status: int, detail: str, **facts: object) -> HttpResponse:
    return api.create_response(request, {"detail": detail, **facts}, status=status)


@api.exception_handler(Refusal)
def _say_refusal(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    return _say(request, refusal.status, str(refusal), **refusal.facts)


@api.exception_handler(MissingScope)
def _say_scope(request: HttpRequest, missing: MissingScope) -> HttpResponse:
    return _say(request, 403, str(missing))


def _viewers_first(handler: Callable[[HttpRequest, Any], HttpResponse]) -> Callable[[HttpRequest, Any], HttpResponse]:
    """A viewer may change nothing, and is told so rather than how to write it properly."""

    @functools.wraps(handler)
    def answer(request: HttpRequest, error: Any) -> HttpResponse:
        user = getattr(request, "auth", None)
        try:
            if user and request.method == "POST":
                require_engineer(user)
        except NotAllowed as refusal:
            return _say_refusal(request, refusal)
        return handler(request, error)

    return answer


@api.exception_handler(Http404)
def _not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return _say(request, 404, "There is nothing at this address.")


@api.exception_handler(HttpError)
@_viewers_first
def _said(request: HttpRequest, error: HttpError) -> HttpResponse:
    if error.status_code == 401:
        response = _say(request, 401, "Send a valid token (Authorization: Bearer …), or sign in.")
        response.headers["WWW-Authenticate"] = "Bearer"
        return response
    detail = "The body is not valid JSON in UTF-8." if error.status_code == 400 else str(error)
    return _say(request, error.status_code, detail)


@api.exception_handler(BadRequest)
@api.exception_handler(MultiPartParserError)
@api.exception_handler(SuspiciousOperation)
def _bad_request(request: HttpRequest, error: Exception) -> HttpResponse:
    return _say(request, 400, "The request is malformed.")


@api.exception_handler(ValidationError)
@_viewers_first
def _not_understood(request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = [{"field": _field(wrong), "message": _message(wrong)} for wrong in error.errors[:MOST_ERRORS]]
    said = " ".join(f"{wrong['field']}: {wrong['message']}" for wrong in errors)
    return _say(request, 422, f"This was not understood. {said}", errors=errors)


@api.exception_handler(InterfaceError)
@api.exception_handler(OperationalError)
def _database_away(request: HttpRequest, error: Exception) -> HttpResponse:
    log.error("%s %s: the database does not answer", request.method, request.path, exc_info=error)
    return _say(request, 503, "The database does not answer. Please try again in a moment.")


@api.exception_handler(Exception)
def _our_fault(request: HttpRequest, error: Exception) -> HttpResponse:
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    named = f" as request {logs.request_id()}" if logs.request_id() else ""
    return _say(request, 500, f"Something went wrong here; it is in the log{named}.")


def _field(wrong: dict[str, Any]) -> str:
    """The field's name as it was sent: without where it stood (body, query) and the parameter's name in Python."""
    where, *names = wrong["loc"]
    named = names[1:] if where == "body" else names
    return ".".join(map(str, named))[:LONGEST_FIELD] or str(where)


MESSAGES = {
    "missing": "This is needed.",
    "extra_forbidden": "There is no such field.",
    "string_type": "This must be text.",
    "string_unicode": "This holds a character that is none.",
    "string_pattern_mismatch": "This holds a NUL character, which cannot be stored.",
    "string_too_short": "This must not be empty.",
    "model_type": "This must be a JSON object.",
}


def _message(wrong: dict[str, Any]) -> str:
    return MESSAGES.get(wrong["type"]) or f"{wrong['msg']}."
