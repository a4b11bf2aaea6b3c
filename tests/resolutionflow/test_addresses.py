"""The client's address: what a proxy says is believed only where the proxy is ours."""

import pytest

from resolutionflow import addresses


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "client"),
    [
        ("0", "198.51.100.7", "203.0.113.9", "198.51.100.7"),
        ("1", "10.0.0.2", "203.0.113.9", "203.0.113.9"),
        ("1", "10.0.0.2", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("2", "10.0.0.2", "6.6.6.6, 203.0.113.9, 10.0.0.3", "203.0.113.9"),
        ("1", "10.0.0.2", "", "10.0.0.2"),
        ("2", "10.0.0.2", "203.0.113.9", "10.0.0.2"),
        ("1", "10.0.0.2", "nonsense", "10.0.0.2"),
        ("1", "10.0.0.2", "203.0.113.9:4711", "203.0.113.9"),
        ("1", "10.0.0.2", "[2001:db8::1]:4711", "2001:db8::1"),
        ("10.0.0.0/8", "10.0.0.2", "6.6.6.6, 203.0.113.9, 10.0.0.3", "203.0.113.9"),
        ("10.0.0.0/8", "198.51.100.7", "203.0.113.9", "198.51.100.7"),
        ("10.0.0.0/8,::1/128", "::1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.0/8", "10.0.0.2", "x, 10.0.0.3", "10.0.0.3"),
        ("10.0.0.0/8", "", "203.0.113.9", "203.0.113.9"),
    ],
)
def test_the_address_is_the_last_that_is_not_a_proxy_of_ours(settings, trusted, peer, forwarded, client):
    settings.TRUSTED_PROXIES = addresses.trusted_proxies(trusted)
    assert addresses.client_address(peer, forwarded) == client


def test_a_page_and_an_asgi_scope_have_the_same_one(settings, rf):
    settings.TRUSTED_PROXIES = 1
    request = rf.get("/", REMOTE_ADDR="10.0.0.2", headers={"X-Forwarded-For": "203.0.113.9"})
    scope = {"client": ["10.0.0.2", 1], "headers": [(b"x-forwarded-for", b"203.0.113.9")]}
    assert addresses.of_request(request) == addresses.of_scope(scope) == "203.0.113.9"


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", "unknown"),
    ],
)
def test_whoever_has_one_address_of_ipv6_has_them_all(address, counted):
    assert addresses.counted_as(address) == counted


@pytest.mark.django_db
def test_failed_sign_ins_are_counted_by_the_same_address(settings, client):
    settings.TRUSTED_PROXIES = 1
    settings.AXES_FAILURE_LIMIT = 2
    told = {"username": "ann@harbor.example", "password": "wrong"}
    one, other = {"X-Forwarded-For": "203.0.113.9"}, {"X-Forwarded-For": "203.0.113.10"}
    for _ in range(2):
        client.post("/login/", told, headers=one)
    assert client.post("/login/", told, headers=one).status_code == 429
    assert client.post("/login/", told, headers=other).status_code == 200
