"""A server behind TLS, as `SITE_URL=https://…` sets it up: what a browser and a program see through the proxy."""

import re

import httpx
import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.serving import Server

SITE = "https://desk.example.org"
AS_THE_PROXY_SENDS_IT = {"Host": "desk.example.org", "X-Forwarded-Proto": "https"}


def cookies_of(answer: httpx.Response) -> dict[str, str]:
    """The attributes of each cookie that it sets, by the cookie's name; the value stands first."""
    told = [line.partition("=") for line in answer.headers.get_list("set-cookie")]
    return {name: rest for name, _, rest in told}


@pytest.mark.django_db(transaction=True)
def test_sign_in_cookies_and_sockets_work_through_the_proxy_and_nowhere_else(ann):
    ann.password = PBKDF2PasswordHasher().encode("Hunter2-and-more", "salt")
    ann.save()
    server = Server("--no-worker", SITE_URL=SITE, DEBUG="false", SECRET_KEY="k" * 60).start()
    try:
        with httpx.Client(base_url=server.url, headers=AS_THE_PROXY_SENDS_IT) as proxy:
            page = proxy.get("/login/")
            assert page.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
            csrf = cookies_of(page)["__Host-csrftoken"]
            form = {"username": ann.email, "password": "Hunter2-and-more"}
            form["csrfmiddlewaretoken"] = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
            sent = {"Cookie": f"__Host-csrftoken={csrf.partition(';')[0]}", "Origin": SITE}
            assert (
                proxy.post("/login/", data=form, headers=sent | {"Origin": "https://evil.example"}).status_code == 403
            )
            signed_in = proxy.post("/login/", data=form, headers=sent)
            assert (signed_in.status_code, signed_in.headers["location"]) == (302, "/queue/")
            for name, attributes in cookies_of(signed_in).items():
                assert name.startswith("__Host-")
                assert {"Secure", "Path=/", "SameSite=Lax"} <= set(attributes.split("; "))
                assert "Domain" not in attributes
            session = cookies_of(signed_in)["__Host-sessionid"]
            assert "HttpOnly" in session
            cookie = {"Cookie": f"__Host-sessionid={session.partition(';')[0]}"}
            assert proxy.get("/queue/", headers=cookie).status_code == 200
        in_clear = httpx.get(f"{server.url}/queue/", headers={"Host": "desk.example.org"})
        assert in_clear.headers["location"] == f"{SITE}/queue/"
        with connect(f"{server.ws_url}/ws/queue/", additional_headers=cookie, origin=SITE) as opened:
            assert '"ready"' in opened.recv(timeout=10)
        for origin in (server.url, "http://desk.example.org", "https://evil.example"):
            with (
                pytest.raises(InvalidStatus),
                connect(f"{server.ws_url}/ws/queue/", additional_headers=cookie, origin=origin),
            ):
                pass
    finally:
        server.stop()
