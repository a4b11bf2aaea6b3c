"""What every answer tells the browser to keep to, and which requests are none of ours."""

import logging
from typing import Final

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware.security import SecurityMiddleware
from django.shortcuts import render

from resolutionflow.middleware import is_for_programs

log = logging.getLogger(__name__)

UNUSED: Final = (
    *("accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "geolocation", "gyroscope"),
    *(
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "picture-in-picture",
        "screen-wake-lock",
        "usb",
        "xr-spatial-tracking",
    ),
)
HEADERS: Final = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED),
    # Pages and answers hold clients' data; static files have said by now how long they may be kept.
    "Cache-Control": "no-store",
}


class Safety(SecurityMiddleware):
    """Django's, with what it lacks: the headers above, and refusals that a program can read."""

    def process_request(self, request: HttpRequest) -> HttpResponseBase | None:  # type: ignore[override]
        try:
            request.get_host()
        except DisallowedHost as error:
            log.warning("%s", error)
            if is_for_programs(request):
                return JsonResponse({"detail": "The Host header names no site that is served here."}, status=400)
            return render(request, "400.html", status=400)
        to_tls = super().process_request(request)
        if to_tls and is_for_programs(request):  # a redirect would hide that the token just went over the wire in clear
            return JsonResponse({"detail": "Use https: this went over the network in clear."}, status=400)
        return to_tls

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:  # type: ignore[override]
        response = super().process_response(request, response)  # type: ignore[arg-type]
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if _ends_a_sign_in(response):
            response.headers["Clear-Site-Data"] = '"cache"'  # not storage: it holds how somebody likes the keys
        return response


def _ends_a_sign_in(response: HttpResponseBase) -> bool:
    """Whether it takes the session's cookie away: signed out here, or found to be so since."""
    cookie = response.cookies.get(settings.SESSION_COOKIE_NAME)
    return cookie is not None and cookie["max-age"] == 0
