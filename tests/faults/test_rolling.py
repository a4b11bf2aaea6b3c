"""Web processes are replaced one after the other, under load, behind a proxy that follows their readiness.

Nothing is lost, every claim is answered, and every page is right within 15 s of each acknowledgement, all the time.
Once here; `make faults` does it ten times (FAULT_RUNS).
"""

import os
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.faults.balancer import Balancer
from tests.faults.installation import Installation, wait_until
from tests.faults.load import Load
from tests.faults.readers import Crowd
from tests.faults.truth import compare, unanswered

RUNS = int(os.environ.get("FAULT_RUNS") or 1)
pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.parametrize("run", range(RUNS))]

READERS = 6
BETWEEN = 10  # events
PAUSES = {"STOP_DRAIN_SECONDS": "1", "STOP_SPREAD_SECONDS": "1"}


@pytest.fixture
def balancer(installation: Installation) -> Iterator[Balancer]:
    for web in installation.web:
        if not PAUSES.items() <= web.env.items():  # as it came up it has none
            web.env |= PAUSES
            web.stop()
            web.start()
    with Balancer(installation.web) as balancer:
        yield balancer


def test_a_rolling_restart_is_noticed_by_nobody(installation, balancer, open_queue, run):
    people = installation.people[4:]
    places = [(balancer.url, people[n % len(people)].cookie) for n in range(READERS)]
    with Crowd(places) as crowd, Load(installation, waiting=8, urls=[balancer.url]) as load:
        wait_until(crowd.all_connected, 15, "all readers are connected")
        page = open_queue(people[-1], balancer.url)
        more(load)
        for web in installation.web:
            assert web.stop() == 0
            assert web.said().endswith("Stopped.\n")  # by itself, not because its time was up
            more(load)  # the other one alone
            web.start()
            wait_until(lambda port=web.port: balancer.ready[port], 10, "the balancer knows it again")
            more(load)
        print(compare("rolling", installation, load, crowd, page, recovered=time.monotonic(), reachable=True))
        assert unanswered(load) == 0, load.answers
        assert balancer.turned_away == 0
        expect(page.locator("[data-connection]")).to_have_attribute("data-connection", "live", timeout=15_000)


def more(load: Load) -> None:
    """Until so many more are acknowledged."""
    wanted = load.events + BETWEEN
    wait_until(lambda: load.events >= wanted or load.unforeseen, 40, f"{BETWEEN} more acknowledged events")
