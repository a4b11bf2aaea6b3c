"""The demonstration's own page: start a rehearsal, see how it goes, stop it. Elsewhere there is no such page.

It needs no sign-in, as the demonstration's passwords stand on the login page anyway.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from resolutionflow import walls
from resolutionflow.accounts.models import Account
from resolutionflow.demo import people, running, score
from resolutionflow.demo.rival import NAME


def of_demonstration(view: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """404 wherever this is no demonstration, whoever asks and however."""

    @login_not_required
    @never_cache
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.DEMO:
            raise Http404
        with walls.everywhere():  # whoever asks, it is about the demo's first team
            return view(request, *args, **kwargs)

    return answer


@of_demonstration
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """The one that runs, else what came of the last one."""
    now = running.running()
    account = Account.objects.filter(slug=now.plan.account if now else people.TEAMS[0].slug).first()
    mark = now.plan.mark if now else score.last_mark(account) if account else None
    with timezone.override(account.tz if account else None):
        context = {
            "running": now,
            "team": account,
            "rival": NAME,
            "score": score.of(account, mark) if account and mark else None,
        }
        # Of a whole page HTMX would hold the head's styles against this page's content policy.
        is_fragment = getattr(request, "htmx", False)
        return render(request, "demo/_rehearsal.html" if is_fragment else "demo/rehearsal.html", context)


@of_demonstration
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    running.start()
    return redirect("rehearsal")


@of_demonstration
@require_POST
def stop(request: HttpRequest) -> HttpResponse:
    running.stop()
    return redirect("rehearsal")
