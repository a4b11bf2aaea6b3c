"""429 with Retry-After: reached exactly, per user, account and address, on pages and in the API."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from escalations.models import AISession
from resolutionflow.limits import rates as counted
from resolutionflow.limits.counting import InMemory
from resolutionflow.limits.rates import rates
from tests.programs import Program, refusal

pytestmark = pytest.mark.django_db

NONE = {"reads": 0, "writes": 0}


@pytest.fixture(autouse=True)
def no_limits_yet(settings, monkeypatch):
    monkeypatch.setattr(rates, "_counter", InMemory())
    settings.RATE_LIMITS = {"user": NONE, "account": NONE, "address": NONE}


def statuses(call, times):
    return [call().status_code for _ in range(times)]


def test_a_program_is_refused_in_json_when_its_limit_is_reached(settings, ann):
    settings.RATE_LIMITS["user"] = {"reads": 5, "writes": 2}
    program = Program(ann)
    assert statuses(lambda: program.get("/handoffs"), 7) == [200] * 5 + [429] * 2
    answer = program.get("/handoffs")
    assert "one person" in refusal(answer, 429)["detail"]
    assert 50 <= int(answer.headers["Retry-After"]) <= 60
    assert statuses(lambda: program.post("/sessions", {"title": "Printer"}), 4) == [201] * 2 + [429] * 2
    assert AISession.objects.count() == 2


def test_a_persons_tokens_and_pages_share_their_limit(settings, ann, as_user):
    settings.RATE_LIMITS["user"] = {"reads": 3, "writes": 0}
    browser, one, other = as_user(ann), Program(ann), Program(ann)
    assert (browser.get("/sessions/").status_code, one.get("/handoffs").status_code) == (200, 200)
    assert (other.get("/handoffs").status_code, browser.get("/sessions/").status_code) == (200, 429)


def test_an_accounts_people_share_its_limit_and_another_account_has_its_own(settings, ann, ben, zoe):
    settings.RATE_LIMITS["account"] = {"reads": 6, "writes": 0}
    anns, bens, zoes = Program(ann), Program(ben), Program(zoe)
    assert statuses(lambda: anns.get("/handoffs"), 4) == [200] * 4
    assert statuses(lambda: bens.get("/handoffs"), 4) == [200] * 2 + [429] * 2
    assert "account" in refusal(bens.get("/handoffs"), 429)["detail"]
    assert statuses(lambda: zoes.get("/handoffs"), 6) == [200] * 6


def test_whoever_is_nobody_is_counted_by_address(settings, client):
    settings.RATE_LIMITS["address"] = {"reads": 3, "writes": 1}
    wrong = {"Authorization": "Bearer rf_nonsense"}
    assert statuses(lambda: client.get("/api/handoffs", headers=wrong), 2) == [401] * 2
    assert statuses(lambda: client.get("/login/"), 2) == [200, 429]
    assert statuses(lambda: Client(REMOTE_ADDR="198.51.100.7").get("/login/"), 1) == [200]
    assert statuses(lambda: client.post("/login/", {}), 2) == [200, 429]


def test_a_page_is_refused_in_words_and_a_fragment_in_the_notice(settings, ann, as_user):
    settings.RATE_LIMITS["user"] = {"reads": 1, "writes": 0}
    browser = as_user(ann)
    browser.get("/queue/")
    page, fragment = browser.get("/queue/"), browser.get("/queue/", headers={"HX-Request": "true"})
    assert (page.status_code, fragment.status_code) == (429, 429)
    assert "Please try again in" in page.content.decode()
    assert (fragment.headers["HX-Retarget"], fragment.headers["HX-Reswap"]) == ("#notice", "innerHTML")
    assert "<h1>" not in fragment.content.decode()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_whoever_watches_over_the_installation_is_never_refused(settings, client, path):
    settings.RATE_LIMITS["address"] = {"reads": 1, "writes": 1}
    assert 429 not in statuses(lambda: client.get(path), 5)


def test_counting_asks_the_database_nothing(settings, ann, as_user):
    browser, program = as_user(ann), Program(ann)
    asked = []
    # From now on neither's use is noted for a minute or more.
    program.get("/handoffs")
    browser.get("/sessions/")
    for limit in (0, 1000):
        settings.RATE_LIMITS["user"] = {"reads": limit, "writes": limit}
        with CaptureQueriesContext(connection) as queries:
            assert (program.get("/handoffs").status_code, browser.get("/sessions/").status_code) == (200, 200)
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_no_limit_is_no_counter(settings, ann):
    assert counted.limits_of(ann, "203.0.113.9", "GET") == []
    settings.RATE_LIMITS["user"] = {"reads": 10, "writes": 0}
    assert counted.limits_of(ann, "203.0.113.9", "GET") == [(f"user:{ann.pk}:reads", 10)]
    assert counted.limits_of(ann, "203.0.113.9", "POST") == []
