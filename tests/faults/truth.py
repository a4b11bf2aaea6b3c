"""What the database says, against what people were answered and what their pages show."""

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
from playwright.sync_api import Page

from tests.faults.installation import Installation, wait_until
from tests.faults.load import Load
from tests.faults.readers import CARD, Crowd

NEVER_STALER = 15.0  # seconds, as promised
MARGIN = 2.0  # for two busy cores

TAKEN_TWICE = (
    "SELECT handoff_id FROM feed_event WHERE kind = 'handoff_picked_up' GROUP BY handoff_id HAVING count(*) > 1"
)


@dataclass
class Seen:
    """One row of the table in docs/faults.md."""

    what: str
    acknowledged: int
    unanswered: int
    slowest_answer: float
    worst_page: float  # seconds, from the acknowledgement or the recovery, until the last page had it
    of_hundred_pages: float  # the same for 99 of 100
    all_right_after: float  # seconds from the recovery until every page showed the truth
    pages_right: int

    def __str__(self) -> str:
        return " | ".join(f"{value:.1f}" if isinstance(value, float) else str(value) for value in asdict(self).values())

    def keep(self) -> None:
        """Into the file of FAULTS_REPORT, a JSON object a line."""
        if path := os.environ.get("FAULTS_REPORT"):
            with Path(path).open("a") as file:
                file.write(json.dumps(asdict(self)) + "\n")


def report(what: str, load: Load, *, pages_right: int) -> None:
    """A row of pages of which some are never right, so that no time can be told."""
    never = float("inf")
    seen = Seen(what, load.events, unanswered(load), load.slowest, never, never, never, pages_right)
    print(seen)
    seen.keep()


def compare(
    what: str,
    installation: Installation,
    load: Load,
    crowd: Crowd,
    page: Page | None,
    *,
    recovered: float,
    reachable: bool,
    within: float = NEVER_STALER + MARGIN,
) -> Seen:
    """Stop the load, and hold everything against the database. Raises AssertionError on any difference.

    `reachable`: pages had a server all the time, so they owe the truth from each acknowledgement on, not only from
    `recovered` on. `within`: seconds that no page may be behind for longer.
    """
    load.finish()
    assert load.unforeseen == []
    ended = time.monotonic()
    nothing_acknowledged_is_lost(installation, load)
    by_then = max(NEVER_STALER + MARGIN - (time.monotonic() - ended), 1)
    wait_until(lambda: all_show_the_truth(installation, crowd, page), by_then, "every page shows the truth")
    all_right_after = time.monotonic() - max(recovered, ended)
    assert crowd.died() == []
    lags = sorted(
        reader.lag(cursor, at if reachable else max(at, recovered))
        for at, cursor in load.escalated.values()
        for reader in crowd.readers
    )
    assert lags[-1] <= within, f"a page was stale for {lags[-1]:.1f} s"
    installation.audit()
    late = lags[len(lags) * 99 // 100]
    right = len(crowd.readers)
    seen = Seen(what, load.events, unanswered(load), load.slowest, lags[-1], late, all_right_after, right)
    seen.keep()
    return seen


def unanswered(load: Load) -> int:
    return sum(count for answer, count in load.answers.items() if answer not in {"200", "201", "409"})


def nothing_acknowledged_is_lost(installation: Installation, load: Load) -> None:
    found = dict(installation.rows("SELECT id::text, coalesce(picked_up_by_id::text, '') FROM escalations_handoff"))
    assert [handoff for handoff in load.escalated if handoff not in found] == []
    assert [claim for claim in load.claims if found[claim[0]] != claim[1]] == []
    assert installation.rows(TAKEN_TWICE) == []


def all_show_the_truth(installation: Installation, crowd: Crowd, page: Page | None) -> bool:
    if page:
        base, shown = page.evaluate(
            "() => [document.querySelector('[data-live]').dataset.liveBase,"
            " [...document.querySelectorAll('#cards > li')].map(card => card.dataset.handoff)]"
        )
        if shown != listed(installation, int(base)):
            return False
    return right_pages(installation, crowd) == len(crowd.readers)


def right_pages(installation: Installation, crowd: Crowd) -> int:
    """How many of the pages show what the server would list for them, in its order."""
    truth = {base: listed(installation, base) for base in {reader.base for reader in crowd.readers}}
    return sum(reader.cards == truth[reader.base] for reader in crowd.readers)


def listed(installation: Installation, base: int) -> list[str]:
    """The list as the second web process has it."""
    headers = {"Cookie": f"sessionid={installation.people[-1].cookie}"}
    return CARD.findall(
        httpx.get(f"{installation.web[1].url}/queue/cards/?base={base}", headers=headers, timeout=10).text
    )
