"""One installation for all faults; what a test kills it starts again."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.faults.installation import Installation, Person


@pytest.fixture(scope="package")
def installation() -> Iterator[Installation]:
    installation = Installation()
    try:
        yield installation.start(people=8)
    finally:
        installation.stop()


@pytest.fixture
def open_queue(browser: Browser) -> Iterator[Callable[[Person, str], Page]]:
    """`open_queue(person, url)` is a live queue page in a real Chromium. No script of it may fail."""
    contexts, errors = [], []

    def open_page(person: Person, url: str) -> Page:
        context = browser.new_context()
        contexts.append(context)
        context.add_cookies([{"name": "sessionid", "value": person.cookie, "url": url}])
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{url}/queue/")
        page.wait_for_selector("[data-connection=live]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []
