"""`make tour`: takes the pictures of docs/tour.md anew, from a demonstration of its own that it throws away again.

Each page wide, at 360 px and dark, as the person who uses it most sees it.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.chromium import SWITCHES, chromium

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "img" / "tour"
PORT = 8765
URL = f"http://127.0.0.1:{PORT}"
WAYS: dict[str, dict[str, object]] = {
    "wide": {"viewport": {"width": 1280, "height": 860}},
    "360": {"viewport": {"width": 360, "height": 740}},
    "dark": {"viewport": {"width": 1280, "height": 860}, "color_scheme": "dark"},
}
PATIENCE = 30_000  # ms
QUALITY = 62  # of a JPEG: small enough for a repository, good enough to judge by


@dataclass(frozen=True)
class Stop:
    """One page of the tour: `where` is its address, or what leads there from the queue."""

    name: str
    words: str
    person: str | None
    where: str | Callable[[Page], None]

    @property
    def file(self) -> str:
        return re.sub(r"[^a-z]+", "-", self.name.lower()).strip("-")


def first_card(page: Page) -> None:
    page.goto(f"{URL}/queue/")
    page.locator(".card h2 a").last.click()


def own_pickup(page: Page) -> None:
    """A session that somebody handed over to this person, with its suggested steps."""
    page.goto(f"{URL}/queue/")
    page.locator(".desk a").first.click()
    expect(page.get_by_role("log")).to_be_visible()


def dialog_of(name: str) -> Callable[[Page], None]:
    def go(page: Page) -> None:
        own_session(page)
        page.goto(f"{page.url.split('?')[0]}?open={name}")

    return go


def own_session(page: Page) -> None:
    page.goto(f"{URL}/sessions/")
    page.locator(".rows a").first.click()
    expect(page.get_by_role("log")).to_be_visible()


def keys(page: Page) -> None:
    page.goto(f"{URL}/queue/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


STOPS = [
    Stop("Signing in", "The demonstration lists its people; elsewhere nobody is named.", None, "/login/"),
    Stop("The queue", "What is wrong, for whom, since when, why, and one button.", "ben", "/queue/"),
    Stop(
        "The context screen",
        "Four sections, frozen at the escalation; what came since has its strip.",
        "ben",
        first_card,
    ),
    Stop("The session", "Chat, ledger of tried steps, suggested steps under the composer.", "ben", own_pickup),
    Stop("Escalating", "What is still missing is said softly and blocks nothing.", "ann", dialog_of("escalate")),
    Stop("Resolving", "What fixed it becomes what the team knows.", "ann", dialog_of("resolve")),
    Stop("Sessions", "One's own and the account's; start one.", "ann", "/sessions/"),
    Stop("The search", "Any word, code or ticket of any session, with where it stands.", "ann", "/sessions/?q=outlook"),
    Stop("Notifications", "What colleagues escalated, and what became of it.", "ben", "/notifications/"),
    Stop("Your notifications", "Which ways, from which priority, and quiet hours.", "ben", "/account/notifications/"),
    Stop(
        "Analytics",
        "Measured figures, each with its formula and its n; every number opens.",
        "olga",
        "/analytics/escalations/",
    ),
    Stop("The escalations of a figure", "Exactly those that it counts.", "olga", "/analytics/escalations/handoffs/"),
    Stop("Repeated causes", "What is solved again and again, and for whom.", "olga", "/analytics/causes/"),
    Stop("Settings", "For everybody in the account, in sections.", "olga", "/settings/"),
    Stop("Channels", "Who else is told: chats, pagers, mailboxes, programs.", "olga", "/settings/channels/"),
    Stop(
        "Adding a channel", "Its address is checked before anything is sent.", "olga", "/settings/channels/add/webhook/"
    ),
    Stop("Keys", "From arrival to the first message without a mouse.", "ben", keys),
    Stop("Help", "How an escalation goes, keys, roles, what is live.", "ben", "/help/"),
    Stop("A rehearsal", "Escalations by the clock, and a rival who races for them.", "ben", "/rehearsal/"),
    Stop("Your account", "Password, second step, where you are signed in.", "ann", "/account/"),
    Stop("API tokens", "Shown once, kept as a hash.", "ann", "/account/tokens/"),
    Stop("People", "Invite, change roles, switch off and on.", "olga", "/people/"),
    Stop("The administration", "The account's own rows, to read.", "adam", "/admin/"),
    Stop("The audit trail", "Who did what, in a chain of hashes.", "adam", "/admin/trail/entry/"),
]


@contextmanager
def demonstration() -> Iterator[None]:
    """The product with demo people, in a process of its own, over data that is removed afterwards."""
    home = Path(tempfile.mkdtemp(prefix="resolutionflow-tour-", dir="/var/tmp" if os.geteuid() == 0 else None))
    env = {**os.environ, "DEBUG": "true", "PORT": str(PORT), "RESOLUTIONFLOW_DATA_DIR": str(home)}
    subprocess.run([sys.executable, "manage.py", "demo"], cwd=ROOT, env=env, check=True)
    server = subprocess.Popen([sys.executable, "manage.py", "serve"], cwd=ROOT, env=env)
    try:
        wait_until_ready()
        yield
    finally:
        server.terminate()
        server.wait(timeout=30)
        shutil.rmtree(home, ignore_errors=True)


def wait_until_ready() -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            if httpx.get(f"{URL}/readyz", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise SystemExit("The demonstration did not come up.")


def sign_in(page: Page, person: str) -> None:
    page.goto(f"{URL}/login/")
    page.get_by_label("E-mail address").fill(f"{person}@harbor.example")
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/queue/")


def prepare(browser: Browser) -> None:
    """Ben has picked one up, so that his desk has something on it."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    sign_in(page, "ben")
    page.locator(".card:not([hidden]) .pick-up:visible").last.click()
    page.wait_for_url("**/handoffs/**")
    page.close()


def photograph(browser: Browser) -> None:
    for person in dict.fromkeys(stop.person for stop in STOPS):
        for way, looks in WAYS.items():
            context = browser.new_context(**looks, reduced_motion="reduce")
            page = context.new_page()
            page.set_default_timeout(PATIENCE)
            if person:
                sign_in(page, person)
            for stop in STOPS:
                if stop.person == person:
                    go(page, stop)
                    page.screenshot(path=PICTURES / f"{stop.file}-{way}.jpg", type="jpeg", quality=QUALITY)
            context.close()
        print(f"{person or 'signed out'}: done", flush=True)


def go(page: Page, stop: Stop) -> None:
    if callable(stop.where):
        stop.where(page)
    else:
        answer = page.goto(URL + stop.where)
        assert answer, stop.where
        assert answer.status == 200, f"{stop.where} answers {answer.status}"
    if page.locator("[data-connection]").count():
        page.wait_for_selector("[data-connection=live]")
    else:
        page.wait_for_load_state("networkidle")


def write_down() -> None:
    lines = ["# A tour", "", "Every page as its people see it. `make tour` takes the pictures anew.", ""]
    for stop in STOPS:
        pictures = " | ".join(f"![{stop.name}, {way}](img/tour/{stop.file}-{way}.jpg)" for way in WAYS)
        lines += [
            f"## {stop.name}",
            "",
            stop.words,
            "",
            "| wide | 360 px | dark |",
            "|---|---|---|",
            f"| {pictures} |",
            "",
        ]
    (ROOT / "docs" / "tour.md").write_text("\n".join(lines))


def main() -> None:
    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir(parents=True)
    with demonstration(), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=SWITCHES)
        prepare(browser)
        photograph(browser)
        browser.close()
    write_down()


if __name__ == "__main__":
    main()
