"""Real Chromium against the real server. Every page of a test must end without an error in its console."""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from resolutionflow.accounts.models import User
from tests.serving import Server, cookie_of

PATIENCE = 15_000  # ms; a busy machine is slow, and nobody waits longer than it takes

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SWITCHES = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]

# What the browser itself logs when a test takes the server away or is answered with a refusal.
EXPECTED = ("Failed to load resource", "WebSocket connection to", "ERR_INTERNET_DISCONNECTED", "ERR_CONNECTION_REFUSED")


def chromium() -> str:
    """The browser to use: `CHROMIUM=/path`, else the first one installed."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        said = "no Chromium is installed (Debian: apt-get install chromium), or name one with CHROMIUM=/path"
        if os.environ.get("CI") == "true":
            pytest.fail(said)
        pytest.skip(said)
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for each file: as long as Playwright lives, nothing else can run an event loop in this thread."""
    path = chromium()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright keeps an event loop in this thread
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=SWITCHES)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


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
