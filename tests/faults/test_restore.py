"""A backup that was taken under load and restored elsewhere: open pages follow it back, and everybody works on."""

import subprocess
from collections.abc import Iterator
from functools import partial

import httpx
import psycopg
import pytest
from playwright.sync_api import Page

from resolutionflow import postgres
from tests.faults.installation import Installation, wait_until
from tests.faults.load import Load
from tests.faults.readers import CARD, Crowd, Reader
from tests.faults.truth import MARGIN, NEVER_STALER

pytestmark = pytest.mark.xdist_group("faults")
READERS = 4


def program(name: str, *arguments: str) -> None:
    """One of PostgreSQL's own, as an operator calls it."""
    done = subprocess.run([postgres._binaries() / name, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def ask(url: str, query: str, *values: object) -> int:
    with psycopg.connect(url) as connection:
        return connection.execute(query, values).fetchone()[0]


def cursor(url: str) -> int:
    return ask(url, "SELECT max(seq) FROM feed_counter")


def move(installation: Installation, url: str) -> None:
    """The first web process and the commands, to another database."""
    web = installation.web[0]
    web.stop()
    web.env["DATABASE_URL"] = installation.env["DATABASE_URL"] = url
    installation._run("manage.py", "migrate")  # which makes the role that web and worker take on
    web.start()


@pytest.fixture
def elsewhere(installation: Installation) -> Iterator[str]:
    """The address of an empty database. In the end the installation is back on its own one."""
    own = installation.postgres.url
    with psycopg.connect(own, autocommit=True) as connection:
        connection.execute("CREATE DATABASE restored")
    yield own.replace("/resolutionflow?", "/restored?")
    move(installation, own)
    with psycopg.connect(own, autocommit=True) as connection:
        connection.execute("DROP DATABASE restored WITH (FORCE)")


def load_on_the_first_web(installation: Installation) -> Load:
    load = Load(installation, waiting=6, pace=0.03)
    load.urls = [installation.web[0].url]
    return load


def more(load: Load, events: int) -> None:
    wanted = load.events + events
    wait_until(lambda: load.events >= wanted or load.unforeseen, 40, f"{events} more acknowledged events")


def listed(url: str, cookie: str, base: int) -> list[str]:
    headers = {"Cookie": f"sessionid={cookie}"}
    return CARD.findall(httpx.get(f"{url}/queue/cards/?base={base}", headers=headers, timeout=10).text)


def shows_the_truth(reader: Reader) -> bool:
    return reader.cards == listed(reader.url, reader.cookie, reader.base)


def page_shows_the_truth(page: Page, url: str, cookie: str) -> bool:
    base, shown = page.evaluate(
        "() => [document.querySelector('[data-live]').dataset.liveBase,"
        " [...document.querySelectorAll('#cards > li')].map(card => card.dataset.handoff)]"
    )
    return shown == listed(url, cookie, int(base))


def test_pages_follow_a_restored_backup_and_people_work_on(installation, elsewhere, open_queue, tmp_path):
    own, web, dump = installation.postgres.url, installation.web[0], tmp_path / "resolutionflow.dump"
    people = installation.people[4:]
    with Crowd([(web.url, people[n % len(people)].cookie) for n in range(READERS)]) as crowd:
        wait_until(crowd.all_connected, 15, "all readers are connected")
        page = open_queue(people[0], web.url)
        with load_on_the_first_web(installation) as load:
            more(load, 15)
            program("pg_dump", "--format=custom", f"--file={dump}", own)
            more(load, 10)
        assert load.unforeseen == []
        program("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={elsewhere}", str(dump))
        restored = cursor(elsewhere)
        wait_until(lambda: all(reader.cursor > restored for reader in crowd.readers), 17, "pages are ahead of it")

        move(installation, elsewhere)
        wait_until(
            lambda: all(reader.cursor == restored for reader in crowd.readers), NEVER_STALER + MARGIN, "went back"
        )
        assert all(map(shows_the_truth, crowd.readers))
        in_chromium = partial(page_shows_the_truth, page, web.url, people[0].cookie)
        wait_until(in_chromium, NEVER_STALER + MARGIN, "a real page follows")

        with load_on_the_first_web(installation) as load:
            more(load, 6)
        assert load.unforeseen == []
        for handoff, person in load.claims:
            taken = "SELECT picked_up_by_id::text FROM escalations_handoff WHERE id = %s"
            assert ask(elsewhere, taken, handoff) == person
        wait_until(
            lambda: all(map(shows_the_truth, crowd.readers)), NEVER_STALER + MARGIN, "pages have what came since"
        )
        wait_until(in_chromium, NEVER_STALER + MARGIN, "and so does the real page")
        assert crowd.died() == []
    assert "no breach" in installation.audit()
    assert "no breach" in installation._run("manage.py", "audit_trail", "--verify")
