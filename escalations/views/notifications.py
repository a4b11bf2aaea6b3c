"""One's notifications: what the bell shows, the whole list, and that it is read."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from escalations.actions import preferences
from escalations.forms import ReadForm, SinceForm
from escalations.notifications import bell
from resolutionflow.accounts.requests import MemberRequest

IN_THE_PANEL = 10
PAGE_SIZE = 25


@never_cache
@require_safe
def index(request: MemberRequest) -> HttpResponse:
    """The last ones, newest first: a page for browsers without scripts, and for looking further back."""
    preference = preferences.of(request.user, request.account)
    now = bell.of(request.account, preference)
    listed: Any = bell.listed(request.account, preference, now.cursor)  # as much of a list as a paginator asks for
    page = Paginator(listed, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"bell": now, "preference": preference, "page": page}
    return render(request, "escalations/notifications.html", context)


@never_cache
@require_safe
def panel(request: MemberRequest) -> HttpResponse:
    """The newest ones, for the panel of the bell."""
    preference = preferences.of(request.user, request.account)
    now = bell.of(request.account, preference)
    lines = bell.listed(request.account, preference, now.cursor)[:IN_THE_PANEL]
    context = {"bell": now, "preference": preference, "lines": lines, "are_all": now.unread <= IN_THE_PANEL}
    return render(request, "escalations/_notifications.html", context)


@never_cache
@require_safe
def state(request: MemberRequest) -> JsonResponse:
    """How many are unread, and what counts and rings, for the page's script; with `?since=`, what it has missed."""
    preference = preferences.of(request.user, request.account)
    told = bell.told(request.account, preference)
    form = SinceForm(request.GET)
    if form.is_valid() and form.cleaned_data["since"] is not None:
        told["missed"] = bell.missed(request.account, preference, form.cleaned_data["since"], told["cursor"])
    return JsonResponse(told)


@require_POST
def read(request: MemberRequest) -> HttpResponse:
    """Everything up to `up_to`, the position that the list was read at, and its `offers` count as read."""
    preference = preferences.of(request.user, request.account)
    form = ReadForm(request.POST)
    if not form.is_valid():
        said = "Reload the page, then mark them as read again."
        return render(request, "error.html", {"title": "That did not work", "said": said}, status=422)
    up_to, offers = form.cleaned_data["up_to"], form.cleaned_data["offers"]
    preference = preferences.read(preference, request.account, up_to=up_to, told=offers)
    if request.headers.get("X-Requested-With") == "fetch":
        return JsonResponse(bell.told(request.account, preference))
    return redirect("escalations:notifications")
