"""Static files: kept for a year under an address that changes with them."""

import re

import pytest
from django.templatetags.static import static

from resolutionflow import static_files


@pytest.fixture
def fetch(client):
    """`fetch(address)` is the answer, read to its end."""

    def read(address: str):
        answer = client.get(address)
        answer.read = b"".join(answer)  # at its end the test's client closes it
        return answer

    return read


pytestmark = pytest.mark.django_db  # the end of an answer looks after connections
YEAR = f"max-age={365 * 24 * 3600}, public, immutable"


def test_a_page_names_files_under_their_version_which_browsers_keep(client, fetch):
    addresses = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get("/login/").content.decode()))
    assert len(addresses) > 8
    for address in addresses:
        assert re.match(r"/static/[0-9a-f]{12}/", address), address
        answer = fetch(address)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, YEAR), address


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("js/live.js", "text/javascript"),
        ("css/tokens.css", "text/css"),
        ("img/mark.svg", "image/svg+xml"),
    ],
)
def test_every_text_says_its_charset_and_that_it_is_what_it_says(fetch, address, kind):
    answer = fetch(static(address))
    assert answer.headers["Content-Type"].replace('"', "") == f"{kind}; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("address", ["/static/js/live.js", "/static/0123456789ab/js/live.js"])
def test_an_address_without_a_version_or_with_anothers_gets_todays_file_to_be_asked_for_anew(fetch, address):
    answer = fetch(address)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "max-age=0, public")
    assert answer.read == fetch(static("js/live.js")).read


def test_what_is_no_file_is_not_there(client):
    for address in ("/static/js/none.js", "/static/0123456789ab/../settings.py", static("js/none.js")):
        assert client.get(address).status_code in {302, 404}


def test_a_change_of_any_file_changes_the_version(monkeypatch, tmp_path):
    first, second = tmp_path / "a.js", tmp_path / "b.js"
    first.write_text("1"), second.write_text("2")
    monkeypatch.setattr(static_files, "_files", lambda: [("a.js", first), ("b.js", second)])
    before = static_files.base.__wrapped__()
    assert static_files.base.__wrapped__() == before
    second.write_text("3")
    changed = static_files.base.__wrapped__()
    monkeypatch.setattr(static_files, "_files", lambda: [("a.js", first), ("c.js", second)])
    assert len({before, changed, static_files.base.__wrapped__()}) == 3
