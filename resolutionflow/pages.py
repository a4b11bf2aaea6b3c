"""The few pages that belong to nobody else: the start, and what went wrong."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from resolutionflow import logs


@login_not_required
def start(request: HttpRequest) -> HttpResponse:
    return redirect("escalations:queue" if request.user.is_authenticated else "login")


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """How an escalation goes, the keys, who may what, and what "live" means."""
    return render(request, "help.html")


def server_error(request: HttpRequest) -> HttpResponse:
    """Loads nothing that may be what failed."""
    return HttpResponse(render_to_string("500.html", {"request_id": logs.request_id()}), status=500)


@login_not_required
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    said = (
        "The page was open for too long, or cookies are off. Go back, reload it and try again; what you typed is kept."
    )
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": "CSRF check failed: send the X-CSRFToken header, or use a token."}, status=403)
    template = "_notice.html" if getattr(request, "htmx", False) else "error.html"
    return render(request, template, {"title": "Please try again", "said": said}, status=403)
