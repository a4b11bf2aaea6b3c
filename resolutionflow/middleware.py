"""What holds for every request."""

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.middleware import AuthenticationMiddleware, LoginRequiredMiddleware
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django_htmx.http import reswap, retarget

from escalations.actions.refusals import Refusal
from resolutionflow import body_limits, walls
from resolutionflow.accounts import sign_ins
from resolutionflow.accounts.views import your_account

GetResponse = Callable[[HttpRequest], HttpResponse]
log = logging.getLogger(__name__)


def is_for_programs(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


# The sign-in's own addresses: who comes, and who has invited them, is looked for in every account there.
BEFORE_SIGN_IN = ("/login/", "/password/", "/invitations/")


class Walled:
    """The database shows a request no rows until it is known who asks, and what it then shows ends with it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with walls.nowhere():
            return self.get_response(request)


class Known(AuthenticationMiddleware):
    """`request.user`, found before the account is known: it is by the person that it becomes known."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: _known(request))  # type: ignore[assignment]


def _known(request: HttpRequest) -> Any:
    with walls.everywhere():
        return get_user(request)


class BodyLimit:
    """Refuse bodies over 256 KiB (files have more room) with 413, before anything reads them."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        most = body_limits.of(request.method or "", request.path, request.headers.get("Content-Type", ""))
        if self._size(request) > most:
            said = f"That is more than {body_limits.in_words(most)} in one request, which is the most that is taken."
            if is_for_programs(request):
                return JsonResponse({"detail": said}, status=413)
            if "HX-Request" in request.headers:
                answer = render(request, "_notice.html", {"said": said}, status=413)
                return reswap(retarget(answer, "#notice"), "innerHTML")
            return render(request, "error.html", {"title": "Too much at once", "said": said}, status=413)
        return self.get_response(request)

    @staticmethod
    def _size(request: HttpRequest) -> int:
        """Bytes of the body; one that came in chunks has no length in its header, so it is measured."""
        declared = request.META.get("CONTENT_LENGTH") or ""
        if declared:
            return int(declared[:18]) if declared.isascii() and declared.isdigit() else 0
        body = getattr(request, "_stream", None)
        if body is None or not body.seekable():
            return 0
        size: int = body.seek(0, 2)
        body.seek(0)
        return size


class SignedIn(LoginRequiredMiddleware):
    """Every page but those marked otherwise needs a sign-in; times are shown in the account's zone."""

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., Any], view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        try:
            refused = super().process_view(request, view_func, view_args, view_kwargs)
            _enter_walls(request)
            if request.user.is_authenticated:
                sign_ins.note(request, request.user)
        except (OperationalError, InterfaceError) as error:
            return database_away(request, error)
        if refused is not None:
            return refused
        if request.path.startswith("/admin/") and your_account.is_to_set_up_second_factor(request.user):
            return redirect("your_account")
        user = request.user
        if user.is_authenticated and user.account is not None:
            setattr(request, "account", user.account)  # noqa: B010 as MemberRequest says
            timezone.activate(user.account.tz)
        else:
            timezone.deactivate()
            if user.is_authenticated and getattr(view_func, "login_required", True) and not _is_for_operators(request):
                return redirect("admin:index")  # the operator of the installation has no queue
        return None

    def handle_no_permission(self, request: HttpRequest, view_func: Callable[..., Any]) -> HttpResponse:  # type: ignore[override]
        if getattr(request, "htmx", False):  # a fragment has no room for the login page
            return HttpResponse(status=204, headers={"HX-Redirect": resolve_url(settings.LOGIN_URL)})
        if request.method not in {"GET", "HEAD"}:
            return redirect(settings.LOGIN_URL)  # an address for POST is no page to come back to
        return super().handle_no_permission(request, view_func)


def _is_for_operators(request: HttpRequest) -> bool:
    """The administration, and their own password and second step. Tokens and notifications are an account's, and they
    have none."""
    theirs = request.path.startswith(("/admin/", "/account/"))
    return theirs and not request.path.startswith(("/account/tokens/", "/account/notifications/"))


def _enter_walls(request: HttpRequest) -> None:
    """Whose rows the database shows from here on."""
    operates = request.user.is_superuser and _is_for_operators(request)
    if operates or request.path.startswith(BEFORE_SIGN_IN):
        walls.enter_everywhere()
    elif request.user.is_authenticated:
        walls.enter(request.user.account_id)


def database_away(request: HttpRequest, error: Exception) -> HttpResponse:
    """503 in words, on a page or in the notice of the page that asked; neither needs to know who asks."""
    log.error("%s %s: the database does not answer (%s)", request.method, request.path, " ".join(str(error).split()))
    if is_for_programs(request):
        return JsonResponse({"detail": "The database does not answer. Please try again in a moment."}, status=503)
    if getattr(request, "htmx", False):
        said = "The database does not answer. Nothing was changed; what you typed is still here. Try again in a moment."
        answer = render(request, "_notice.html", {"said": said}, status=503)
        return reswap(retarget(answer, "#notice"), "innerHTML")
    return render(
        request, "503.html", {"again": request.get_full_path() if request.method == "GET" else ""}, status=503
    )


class Refusals:
    """A verb said no: its words, on a page or in the notice of the page that asked."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Http404) and not is_for_programs(request):
            return render(request, "404.html", status=404)  # not Django's own, which a demonstration would show
        if isinstance(exception, (OperationalError, InterfaceError)):
            return database_away(request, exception)
        if not isinstance(exception, Refusal):
            return None
        if is_for_programs(request):
            return JsonResponse({"detail": str(exception), **exception.facts}, status=exception.status)
        context = {"title": "That did not work", "said": str(exception)}
        if getattr(request, "htmx", False):
            answer = render(request, "_notice.html", context, status=exception.status)
            return reswap(retarget(answer, "#notice"), "innerHTML")
        return render(request, "error.html", context, status=exception.status)
