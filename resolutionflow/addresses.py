"""Whose connection is it? The client's address, also behind proxies that are trusted."""

import ipaddress
from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest  # settings import this module, and would load half of Django

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LONGEST_CHAIN = 20  # of X-Forwarded-For; what else stands to the left was written by whoever asks


def of_request(request: "HttpRequest") -> str:
    """For django-axes, too: a sign-in's failures are counted by the same address as everything else."""
    return client_address(request.META.get("REMOTE_ADDR") or "", request.META.get("HTTP_X_FORWARDED_FOR") or "")


def of_scope(scope: dict[str, Any]) -> str:
    """The same for an ASGI scope."""
    headers = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return client_address((scope.get("client") or [""])[0] or "", b",".join(headers).decode("latin1"))


def client_address(peer: str, forwarded: str) -> str:
    """`peer` is who is connected; `forwarded` is believed only as far as trusted proxies wrote it.

    Each proxy adds on the right whom it was asked by. TRUSTED_PROXIES says how many of them are ours, or in which
    networks they stand; the first address from the right that is none of theirs is the client's.
    """
    trusted = settings.TRUSTED_PROXIES
    if not trusted:
        return peer
    chain = [part.strip() for part in forwarded.split(",")][-LONGEST_CHAIN:] if forwarded else []
    if isinstance(trusted, int):
        return _valid(chain[-trusted]) or peer if len(chain) >= trusted else peer
    client = peer
    while chain and _is_in(client, trusted):
        if not (before := _valid(chain.pop())):
            break
        client = before
    return client


def counted_as(address: str) -> str:
    """Under which name an address is counted: whoever has one of IPv6 has a whole /64 of them."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address or "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def _valid(told: str) -> str:
    """An address as a proxy writes it, perhaps with its port; empty if it is none."""
    bare = told[1:].partition("]")[0] if told.startswith("[") else told
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return ""


def _is_in(address: str, networks: list[Network]) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return not address  # a Unix socket: only what runs on this machine comes that way
    return any(found in network for network in networks)


def trusted_proxies(told: str) -> int | list[Network]:
    """TRUSTED_PROXIES as it is written: a number, or networks with commas. Raises ValueError."""
    if told.isascii() and told.isdigit():
        if int(told) > LONGEST_CHAIN:
            raise ValueError(told)
        return int(told)
    return [ipaddress.ip_network(part.strip()) for part in told.split(",") if part.strip()]
