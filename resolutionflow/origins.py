"""The addresses under which browsers reach the site, as origins: `https://desk.example.org`."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

SCHEMES = {"http": 80, "https": 443}


def origin_of(address: str) -> str:
    """Scheme, host and a port that is not the scheme's own, in lower case. Raises ValueError for anything else."""
    parts = urlsplit(address.strip())
    more = parts.path.strip("/") or parts.query or parts.fragment or parts.username or parts.password
    if parts.scheme not in SCHEMES or not parts.hostname or parts.port == 0 or more:
        raise ValueError(address)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if parts.port in {None, SCHEMES[parts.scheme]} else f":{parts.port}")


def origins_of(told: str) -> list[str]:
    """Of a list with commas. Raises ValueError."""
    return [origin_of(address) for address in told.split(",") if address.strip()]


def host_of(origin: str) -> str:
    """As `ALLOWED_HOSTS` has it: without a port."""
    return origin.split("://")[1].rpartition(":")[0] if re.search(r":\d+$", origin) else origin.split("://")[1]


def are_addresses(told: str) -> bool:
    return bool(origins_of(told))


def is_own(origin: str, headers: Mapping[bytes, bytes], *, sites: Sequence[str], plain: bool) -> bool:
    """Whether a page of this origin may open a socket here.

    Where the site's addresses are told, it must be one of them. Else it must be the address that the handshake itself
    went to, over http where that is how the site is served (`plain`).
    """
    try:
        told = origin_of(origin)
        if sites:
            return told in sites
        host = headers.get(b"host", b"").decode("ascii")
        return told in {origin_of(f"{scheme}://{host}") for scheme in (["http"] if plain else SCHEMES)}
    except ValueError:
        return False
