"""Each part is killed under load and comes back: nothing acknowledged is lost, and every open page is right soon.

Once each in the ordinary suite; `make faults` does it ten times (FAULT_RUNS).
"""

import os
import signal
import time
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect

from tests.faults.installation import Installation, wait_until
from tests.faults.load import Load
from tests.faults.readers import Crowd
from tests.faults.truth import compare

RUNS = int(os.environ.get("FAULT_RUNS") or 1)
pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.parametrize("run", range(RUNS))]

READERS = 6
BEFORE = AFTER = 15  # events
AWAY = 3.0  # seconds


@pytest.fixture
def crowd(installation: Installation) -> Iterator[Crowd]:
    """Pages of both web processes."""
    people = installation.people[4:]
    places = [(installation.web[n % 2].url, people[n % len(people)].cookie) for n in range(READERS)]
    with Crowd(places) as crowd:
        wait_until(crowd.all_connected, 15, "all readers are connected")
        yield crowd


@pytest.fixture
def load(installation: Installation) -> Iterator[Load]:
    with Load(installation, waiting=8) as load:
        more(load, BEFORE)
        yield load


def more(load: Load, events: int, seconds: float = 40) -> None:
    """Until this many more are acknowledged."""
    wanted = load.events + events
    wait_until(lambda: load.events >= wanted or load.unforeseen, seconds, f"{events} more acknowledged events")


def stay_away(seconds: float = AWAY) -> None:
    time.sleep(seconds)  # this is the fault itself


def test_a_web_process_is_killed(installation, crowd, load, open_queue, run):
    web = installation.web[0]
    page = open_queue(installation.people[-1], web.url)
    more(load, 5)
    web.process.send_signal(signal.SIGKILL)
    web.process.wait()
    expect(page.locator("[data-connection]")).to_have_attribute("data-connection", "reconnecting")
    stay_away()
    web.start()
    recovered = time.monotonic()
    more(load, AFTER)
    print(compare("web", installation, load, crowd, page, recovered=recovered, reachable=False))
    expect(page.locator("[data-connection]")).to_have_attribute("data-connection", "live", timeout=15_000)


def test_the_worker_is_killed(installation, crowd, load, open_queue, run):
    page = open_queue(installation.people[-1], installation.web[0].url)
    more(load, 5)
    installation.worker.process.send_signal(signal.SIGKILL)
    installation.worker.process.wait()
    more(load, AFTER)  # nobody needs the worker to escalate or pick up
    installation.worker.start()
    recovered = time.monotonic()
    last = list(load.escalated)[-1]
    wait_until(lambda: assessed(installation, last), 20, "what waited for the worker is assessed")
    print(compare("worker", installation, load, crowd, page, recovered=recovered, reachable=True))


def test_valkey_is_killed(installation, crowd, load, open_queue, run):
    page = open_queue(installation.people[-1], installation.web[0].url)
    more(load, 5)
    load.slowest = 0.0
    installation.valkey.kill()
    more(load, AFTER)
    assert load.slowest < 2
    assert not load.answers.keys() - {"200", "201", "409"}
    installation.valkey.start()
    recovered = time.monotonic()
    more(load, AFTER)
    print(compare("Valkey", installation, load, crowd, page, recovered=recovered, reachable=True))


def test_postgresql_is_killed(installation, crowd, load, open_queue, run):
    page = open_queue(installation.people[-1], installation.web[0].url)
    more(load, 5)
    installation.postgres.kill()
    words = page.locator("[data-connection-words]")
    expect(words).to_have_text("The database does not answer at the moment; trying again", timeout=20_000)
    began = time.monotonic()
    answer = httpx.get(f"{installation.web[1].url}/login/", timeout=20)
    assert answer.status_code in {200, 503}
    answer = httpx.get(
        f"{installation.web[1].url}/queue/",
        headers={"Cookie": f"sessionid={installation.people[0].cookie}"},
        timeout=20,
    )
    assert (answer.status_code, "The database does not answer" in answer.text) == (503, True)
    assert time.monotonic() - began < 12
    installation.postgres.start()
    recovered = time.monotonic()
    expect(words).to_contain_text("Live", timeout=15_000)  # by itself, without a reload
    more(load, AFTER)
    print(compare("PostgreSQL", installation, load, crowd, page, recovered=recovered, reachable=False))
    last = list(load.escalated)[-1]
    wait_until(lambda: assessed(installation, last), 30, "the worker has found it again too")


def assessed(installation: Installation, handoff: str) -> bool:
    query = "SELECT state FROM escalations_assessment WHERE handoff_id = %s"
    return installation.rows(query, handoff) == [("ready",)]
