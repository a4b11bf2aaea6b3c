"""What machines ask of a process: is it up, may it be sent requests, what does it count.

Answered before anything else: a probe comes without a name that ALLOWED_HOSTS knows, without TLS, without a session.
"""

from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from resolutionflow import metrics as figures
from resolutionflow.health import what_is_not_ready
from resolutionflow.stopping import stopping

GetResponse = Callable[[HttpRequest], HttpResponse]


@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """The process is up; nothing else is asked."""
    return JsonResponse({"status": "up"})


@login_not_required
def readyz(request: HttpRequest) -> HttpResponse:
    """Database, channel layer and worker answer; else 503 and which of them does not. 503 too while the process stops.

    `?only=process` asks for that last one alone. It is what a proxy should follow: a database or a worker that is away
    is away for every process, and pages say so in words, which a proxy that has taken all of them out cannot.
    """
    if stopping.has_begun:
        return JsonResponse({"status": "stopping"}, status=503)
    if request.GET.get("only") == "process":
        return JsonResponse({"status": "ready"})
    missing = what_is_not_ready()
    connection.close()
    return JsonResponse({"status": "not ready" if missing else "ready", **missing}, status=503 if missing else 200)


@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus, with METRICS_TOKEN or from this machine. 404 for others, who need not know that it is here."""
    if not figures.may_read(request):
        return HttpResponse("Not found.\n", status=404, content_type="text/plain; charset=utf-8")
    return HttpResponse(figures.text(), content_type=figures.CONTENT_TYPE)


PROBES = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}


class Probes:
    """The first middleware."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = PROBES.get(request.path)
        if probe is None:
            return self.get_response(request)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        answer = probe(request)
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        # A "not ready" every two seconds is no line in the log.
        answer._has_been_logged = True  # type: ignore[attr-defined]
        return answer
