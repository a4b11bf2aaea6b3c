"""Ask an identity provider something. An account's owner says where it is, so the address is not to be trusted."""

import base64
import json
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from resolutionflow.outside import Unreachable, ask

__all__ = ["Unreachable", "fetch"]


def fetch(address: str, *, form: dict[str, str] | None = None, auth: tuple[str, str] | None = None) -> dict[str, Any]:
    """The JSON object at `address`; a POST if there is a form. Follows no redirects. Raises Unreachable."""
    headers = {"Accept": "application/json"}
    if form:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    if auth:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(auth).encode()).decode()
    answer = ask(
        address,
        private=settings.OIDC_PRIVATE_NETWORKS,
        method="POST" if form else "GET",
        body=urlencode(form).encode() if form else None,
        headers=headers,
    )
    if answer.status != 200:
        raise Unreachable(f"It answered {answer.status}.")
    try:
        told = json.loads(answer.body)
    except ValueError as error:
        raise Unreachable("It does not answer as an identity provider does.") from error
    if not isinstance(told, dict):
        raise Unreachable("It does not answer as an identity provider does.")
    return told
