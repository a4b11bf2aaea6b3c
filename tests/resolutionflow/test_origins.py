"""Which addresses are the site's, and whose pages may open sockets."""

import contextlib

import pytest

from resolutionflow.origins import are_addresses, host_of, is_own, origins_of


@pytest.mark.parametrize(
    ("told", "origins"),
    [
        ("https://desk.example.org", ["https://desk.example.org"]),
        ("HTTPS://Desk.Example.org:443/", ["https://desk.example.org"]),
        ("https://desk.example.org:8443, http://[::1]:80", ["https://desk.example.org:8443", "http://[::1]"]),
    ],
)
def test_addresses_are_told_as_people_write_them(told, origins):
    assert origins_of(told) == origins


@pytest.mark.parametrize(
    "told",
    [
        *("", "desk.example.org", "//desk", "ftp://desk", "https://", "https://desk/path", "https://desk?x"),
        *(
            "https://a@desk",
            "https://desk:0",
            "https://desk:99999",
            "https://desk:x",
            "https://[::1",
            "https://desk, x",
        ),
    ],
)
def test_anything_else_is_none(told):
    with contextlib.suppress(ValueError):
        assert not are_addresses(told)


@pytest.mark.parametrize(
    ("origin", "host"),
    [("https://desk.example.org:8443", "desk.example.org"), ("http://[::1]", "[::1]"), ("http://[::1]:80", "[::1]")],
)
def test_a_host_is_named_without_its_port(origin, host):
    assert host_of(origin) == host


HERE = {b"host": b"127.0.0.1:8000"}
SITES = ["https://desk.example.org"]


@pytest.mark.parametrize(
    ("origin", "sites", "plain", "own"),
    [
        ("http://127.0.0.1:8000", [], True, True),
        ("https://127.0.0.1:8000", [], True, False),
        ("https://127.0.0.1:8000", [], False, True),
        ("http://127.0.0.1:8001", [], True, False),
        ("http://127.0.0.1", [], True, False),
        ("http://127.0.0.1.evil.example:8000", [], True, False),
        ("http://evil.example", [], True, False),
        ("null", [], True, False),
        ("", [], True, False),
        ("http://127.0.0.1:8000@evil.example", [], True, False),
        ("https://desk.example.org", SITES, False, True),
        ("http://desk.example.org", SITES, False, False),
        ("https://desk.example.org:8443", SITES, False, False),
        ("https://x.desk.example.org", SITES, False, False),
        ("http://127.0.0.1:8000", SITES, False, False),
    ],
)
def test_only_the_sites_own_pages_may_open_sockets(origin, sites, plain, own):
    assert is_own(origin, HERE, sites=sites, plain=plain) is own


def test_a_handshake_without_a_host_is_nobodys():
    assert not is_own("http://127.0.0.1:8000", {}, sites=[], plain=True)
