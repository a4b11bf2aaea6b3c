"""Ask an address that somebody of an account wrote down, so it is not to be trusted.

The name is looked up once, every address that comes of it is checked, and the connection goes to one of these very
addresses: a name that leads elsewhere a moment later (DNS rebinding) gains nothing. The certificate is still checked
against the name. Redirects are not followed, answers are small, and the whole takes seconds at most.
"""

import contextlib
import http.client
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Mapping
from typing import NamedTuple

SECONDS = 8.0  # for all of it, once the name is looked up
CONNECT_SECONDS = 4.0
LARGEST = 256 * 1024  # bytes of an answer
LONGEST = 2000  # characters of an address

# Nothing but what is meant: no user name, no fragment, no backslash, no letters beyond ASCII, no dot at the end. A last
# label that begins with a letter is no number in disguise (2130706433, 0x7f.1, 0177.0.0.1).
ADDRESS = re.compile(
    r"(https?)://(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::([0-9]{1,5}))?((?:[/?][!\"$-[\]-~]*)?)", re.I
)
NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?", re.I)
# On the internet: where https is, and above the ports of the system's own services, but for those of well known others.
OTHERS_PORTS = {
    *(1433, 1521, 1719, 1720, 1723, 1883, 2049, 2375, 2379, 3128, 3306, 3389, 3659, 4045, 4190, 4444, 5060, 5061, 5432),
    *(5672, 5900, 5984, 5985, 6000, 6379, 6443, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 8125, 9042, 9092, 9200),
    *(9300, 10080, 10250, 11211, 27017, 61616),
}
NAT64 = ipaddress.ip_network("64:ff9b::/96")
COMPATIBLE = ipaddress.ip_network("::/96")
EVERYBODY = ipaddress.ip_address("255.255.255.255")
SELF = (ipaddress.ip_address("::"), ipaddress.ip_address("::1"))

IP = ipaddress.IPv4Address | ipaddress.IPv6Address


class Unreachable(Exception):
    """It cannot be asked, or did not answer as it should; `str()` is a sentence for people."""


class Place(NamedTuple):
    """An address, taken apart."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """As the Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _usual_port(self.scheme) else f"{host}:{self.port}"


class Answer(NamedTuple):
    status: int
    body: bytes


def ask(
    address: str, *, private: bool, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str]
) -> Answer:
    """What it answers, whatever the status. `private`: networks of the operator's own may be asked, too.

    Raises Unreachable.
    """
    place = parse(address, private=private)
    connection = _Pinned(place, _look_up(place, private=private))
    cut = threading.Timer(SECONDS, connection.cut)  # a peer that sends a byte now and then does not last longer
    cut.daemon = True
    cut.start()
    try:
        connection.request(
            method, place.path, body, {**headers, "Host": place.authority, "Accept-Encoding": "identity"}
        )
        answer = connection.getresponse()
        told = answer.read(LARGEST + 1)
    except ssl.SSLCertVerificationError as error:
        raise Unreachable("Its certificate is not one for this address.") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable("It does not answer.") from error
    finally:
        cut.cancel()
        connection.close()
    if connection.over:  # what was cut off may look like a whole answer
        raise Unreachable("It takes too long to answer.")
    if len(told) > LARGEST:
        raise Unreachable("Its answer is too long.")
    return Answer(answer.status, told)


def parse(address: str, *, private: bool) -> Place:
    """What can be said of it without looking its name up. Raises Unreachable."""
    found = ADDRESS.fullmatch(address) if len(address) <= LONGEST else None
    if found is None:
        raise Unreachable("That is no address of the form https://name/path.")
    scheme, host, port = found[1].lower(), found[2].strip("[]").lower(), int(found[3] or _usual_port(found[1].lower()))
    literal = _literal(host)
    if (literal is None and not NAME.fullmatch(host)) or not 0 < port < 65536:
        raise Unreachable("That is no address of the form https://name/path.")
    if literal is not None:
        _require_outside([literal], private=private)
    if scheme != "https" and not private:
        raise Unreachable("The address must begin with https://.")
    if not private and (port in OTHERS_PORTS or (port < 1024 and port != 443)):
        raise Unreachable(f"Port {port} is not one that web addresses use.")
    path = found[4] or "/"
    return Place(scheme, host, port, path if path.startswith("/") else f"/{path}")


def _usual_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def _literal(host: str) -> IP | None:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host)
    return None


Found = list[tuple[socket.AddressFamily, tuple[str, int]]]


def _look_up(place: Place, *, private: bool) -> Found:
    """Where to connect to, in the resolver's order; all of it may be asked. Raises Unreachable."""
    try:
        told = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        found: Found = [(each[0], (str(each[4][0]), place.port)) for each in told]
        addresses = [ipaddress.ip_address(address) for _, (address, _) in found]
    except (ValueError, OSError) as error:
        raise Unreachable("There is no such address.") from error
    if not addresses:
        raise Unreachable("There is no such address.")
    _require_outside(addresses, private=private)
    if place.scheme != "https" and not all(each.is_loopback for each in addresses):
        raise Unreachable("The address must begin with https://.")
    return found


def _require_outside(addresses: list[IP], *, private: bool) -> None:
    for each in map(_meant, addresses):
        never = each.is_link_local or each.is_multicast or each.is_unspecified or each == EVERYBODY
        if never or (not private and not each.is_global):
            raise Unreachable("It lies in a private network, which this installation does not ask.")


def _meant(address: IP) -> IP:
    """The IPv4 address that an IPv6 one only wraps: mapped, compatible, 6to4, Teredo, NAT64."""
    if isinstance(address, ipaddress.IPv4Address) or address in SELF:
        return address
    if address in NAT64 or address in COMPATIBLE:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    wrapped = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
    return wrapped or address


def context() -> ssl.SSLContext:
    return ssl.create_default_context()


class _Pinned(http.client.HTTPConnection):
    """Connects to the addresses that were checked, and to nothing else."""

    def __init__(self, place: Place, found: Found) -> None:
        super().__init__(place.host, place.port, timeout=CONNECT_SECONDS)
        self.place, self.found = place, found
        self.over = False

    def connect(self) -> None:
        plain = self._first_that_answers()
        plain.settimeout(SECONDS)
        self.sock = plain
        if self.place.scheme == "https":
            wrapped = context().wrap_socket(plain, server_hostname=self.place.host, do_handshake_on_connect=False)
            self.sock = wrapped  # so that `cut` can end the handshake, too
            wrapped.do_handshake()

    def _first_that_answers(self) -> socket.socket:
        problem = OSError("nowhere to connect to")
        for family, address in self.found:
            if self.over:
                break
            plain = socket.socket(family, socket.SOCK_STREAM)
            plain.settimeout(CONNECT_SECONDS)
            try:
                plain.connect(address)
                return plain
            except OSError as error:
                problem = error
                plain.close()
        raise problem

    def cut(self) -> None:
        """End it now, from another thread: whoever reads or writes gets an error."""
        self.over = True
        if self.sock is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)
