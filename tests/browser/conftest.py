"""Real Chromium against the real server. Every page of a test must end without an error in its console."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from resolutionflow.accounts.models import User
from tests.browser.watching import watch  # noqa: F401 a fixture
from tests.chromium import PATIENCE
from tests.serving import Server, cookie_of

# What the browser itself logs when a test takes the server away or is answered with a refusal.
EXPECTED = ("Failed to load resource", "WebSocket connection to", "ERR_INTERNET_DISCONNECTED", "ERR_CONNECTION_REFUSED")
# And of a cross-fade that it gives up, because the next page was slow or somebody was quick.
EXPECTED += ("Transition was aborted", "Transition was skipped")


@pytest.fixture
def open_as(browser: Browser, server: Server) -> Iterator[Callable[..., Page]]:
    """`open_as(ann, "/queue/")` is a page in a browser of ann's own; options go to the browser's context."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def note(text: str) -> None:
        if not any(expected in text for expected in EXPECTED):
            errors.append(text)

    def open_page(user: User | None, path: str, **options: object) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, **options})
        contexts.append(context)
        if user:
            context.add_cookies([{"name": "sessionid", "value": cookie_of(user), "url": server.url}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: note(str(error)))
        page.on("console", lambda message: note(message.text) if message.type == "error" else None)
        page.goto(server.url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []
