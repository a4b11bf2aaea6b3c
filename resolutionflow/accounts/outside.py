"""Ask an identity provider something. An account's owner says where it is, so the address is not to be trusted."""

import ipaddress
import json
import socket
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings

SECONDS = 4.0  # to connect, and again for each piece of the answer
LARGEST = 256 * 1024  # bytes of an answer


class Unreachable(Exception):
    """It cannot be asked, or did not answer as it should; `str()` is a sentence for people."""


def fetch(address: str, *, form: dict[str, str] | None = None, auth: tuple[str, str] | None = None) -> dict[str, Any]:
    """The JSON object at `address`; a POST if there is a form. Follows no redirects. Raises Unreachable."""
    _require_outside(address)
    try:
        answer = requests.request(
            "POST" if form else "GET",
            address,
            data=form,
            auth=auth,
            timeout=SECONDS,
            allow_redirects=False,
            stream=True,
            headers={"Accept": "application/json"},
        )
        with answer:
            body = answer.raw.read(LARGEST + 1, decode_content=True)
            if answer.status_code != 200 or len(body) > LARGEST:
                raise Unreachable(f"It answered {answer.status_code}.")
            told = json.loads(body)
    except (requests.RequestException, OSError, ValueError) as error:
        raise Unreachable("It does not answer as an identity provider does.") from error
    except Exception as error:
        if isinstance(error, Unreachable):
            raise
        raise Unreachable("It does not answer.") from error  # urllib3 has errors of its own
    if not isinstance(told, dict):
        raise Unreachable("It does not answer as an identity provider does.")
    return told


def _require_outside(address: str) -> None:
    """https, to addresses of the internet; this installation's own network only where the operator says so."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or 443
        found = {ipaddress.ip_address(each[4][0]) for each in socket.getaddrinfo(host, port, proto=socket.IPPROTO_TCP)}
    except (ValueError, OSError) as error:
        raise Unreachable("There is no such address.") from error
    private = [each for each in found if not each.is_global or each.is_multicast]
    if private and not settings.OIDC_PRIVATE_NETWORKS:
        raise Unreachable("It lies in a private network, which this installation does not ask.")
    plain_here = parts.scheme == "http" and all(each.is_loopback for each in found)
    if parts.scheme != "https" and not plain_here:
        raise Unreachable("The address must begin with https://.")
