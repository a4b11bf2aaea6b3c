"""Every connection is cut every two seconds or so while the feed is busy: every page ends up right, in the right order.

The short form is part of the ordinary suite; `make faults` runs the long one.
"""

import os
import sys
import time
from collections.abc import Iterator

import pytest

from tests.faults.installation import wait_until
from tests.faults.load import Load
from tests.faults.readers import Crowd, Reader
from tests.faults.truth import compare, report, right_pages
from tests.proxy import Proxy
from tests.serving import Server

LONG = int(os.environ.get("FAULT_RUNS") or 1) > 1
CLIENTS, EVENTS = (50, 1000) if LONG else (20, 200)
CUT_AFTER = (1.0, 3.0)  # seconds
STUCK = 30.0  # seconds: here fetches are cut as well, over and over where the machine is busy, so no 15 s are promised

pytestmark = pytest.mark.xdist_group("faults")


def test_cut_every_two_seconds_every_page_shows_every_card_in_order(installation, open_queue):
    people = installation.people[4:]
    with Proxy(installation.web[0].port, cut_after=CUT_AFTER) as proxy:
        page = open_queue(people[-1], proxy.url)
        with Crowd([(proxy.url, people[n % len(people)].cookie) for n in range(CLIENTS)]) as crowd:
            with Load(installation, waiting=20, pace=0.02, events=EVENTS) as load:
                wait_until(lambda: load.is_done() or load.unforeseen, 60 + EVENTS, f"{EVENTS} events")
            assert proxy.cuts > CLIENTS  # or it proves nothing
            what = f"{CLIENTS} pages, {proxy.cuts} cuts"
            ended = time.monotonic()
            print(compare(what, installation, load, crowd, page, recovered=ended, reachable=True, within=STUCK))


class Careless(Reader):
    """A page that believes its frames and never fetches again, as the usual recipe has it."""

    def resync(self) -> None:
        pass

    async def _poll(self) -> None:
        pass

    async def _receive(self, frame: dict) -> None:
        self.frames += 1
        if "html" in frame:
            self._apply(frame)


@pytest.fixture
def usual(installation) -> Iterator[Server]:
    """A web process whose consumers join the group each, beside the installation's own two."""
    server = Server(command=[sys.executable, "-m", "tests.faults.usual_pattern"], **installation.settings)
    yield server.start()
    server.stop()


def test_the_usual_pattern_under_the_same_cuts_ends_up_wrong(installation, usual):
    """What the comparison is worth: pages that are wrong are found out."""
    people = installation.people[4:]
    with Proxy(usual.port, cut_after=CUT_AFTER) as proxy:
        places = [(proxy.url, people[n % len(people)].cookie) for n in range(CLIENTS)]
        with Crowd(places, reader=Careless) as crowd, Load(installation, waiting=20, pace=0.02, events=EVENTS) as load:
            wait_until(lambda: load.is_done() or load.unforeseen, 60 + EVENTS, f"{EVENTS} events")
            load.finish()
            shown_before = -1
            while shown_before != (shown_before := sum(reader.frames for reader in crowd.readers)):
                time.sleep(2)  # for frames on their way: they would have to come
            right = right_pages(installation, crowd)
            assert shown_before > EVENTS  # or they were not even connected
            report(f"{CLIENTS} pages of the usual pattern, {proxy.cuts} cuts", load, pages_right=right)
            assert right < CLIENTS
