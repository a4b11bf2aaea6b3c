"""Every connection is cut every two seconds or so while the feed is busy: every page ends up right, in the right order.

The short form is part of the ordinary suite; `make faults` runs the long one.
"""

import os
import time

import pytest

from tests.faults.installation import wait_until
from tests.faults.load import Load
from tests.faults.readers import Crowd, Reader
from tests.faults.truth import all_show_the_truth, compare
from tests.proxy import Proxy

LONG = "FAULT_RUNS" in os.environ
CLIENTS, EVENTS = (50, 1000) if LONG else (20, 200)
CUT_AFTER = (1.0, 3.0)  # seconds
STUCK = 60.0  # seconds: here fetches are cut as well, over and over where the machine is busy, so no 15 s are promised

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

    async def _receive(self, frame: dict) -> None:
        if "html" in frame:
            self._apply(frame)


def test_pages_that_never_fetch_again_would_be_found_out(installation):
    people = installation.people[4:]
    with Proxy(installation.web[0].port, cut_after=CUT_AFTER) as proxy:
        places = [(proxy.url, person.cookie) for person in people]
        with Crowd(places, reader=Careless) as crowd, Load(installation, waiting=8, pace=0.05) as load:
            wait_until(lambda: proxy.cuts >= 20 and load.events >= 40, 60, "40 events and 20 cuts")
            load.finish()
            time.sleep(2)  # for frames on their way: they would have to come
            assert not all_show_the_truth(installation, crowd, None)
