"""What a 429 says: to a program, to a page, and in the notice of the page that asked."""

import json

from django.template.loader import render_to_string

from resolutionflow.limits.rates import Refusal

# Whoever watches over the installation asks often, and nobody may take that away.
FREE = frozenset({"/healthz", "/readyz", "/metrics"})
# The page is the same for everyone and loads nothing but its sheets.
PAGE_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"


def answer(path: str, refusal: Refusal, *, htmx: bool) -> tuple[bytes, dict[str, str]]:
    """The body and its headers."""
    about = {
        "Retry-After": str(refusal.retry_after),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    if path.startswith("/api/"):
        body = json.dumps({"detail": str(refusal)})
        about["Content-Type"] = "application/json; charset=utf-8"
    else:
        about["Content-Type"] = "text/html; charset=utf-8"
        about["Content-Security-Policy"] = PAGE_POLICY
        body = render_to_string("_notice.html" if htmx else "too_many.html", {"said": str(refusal)})
        if htmx:
            about |= {"HX-Retarget": "#notice", "HX-Reswap": "innerHTML"}
    about["Content-Length"] = str(len(body.encode()))
    return body.encode(), about
