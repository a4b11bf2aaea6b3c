"""A browser that hears of everything that a text might do which is more than a text, and what its pages show."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request

from resolutionflow.accounts.models import User
from tests.chromium import PATIENCE
from tests.serving import Server, cookie_of

LISTEN = """
window.canary = () => { window.heard(`ran on ${location.pathname}`); return "sung" };
document.addEventListener("securitypolicyviolation", (event) =>
  window.heard(`policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sample} on ${location.pathname}`));
"""
SHOWN = """() => {
  const fields = [...document.querySelectorAll("input, textarea")].map((field) => field.value);
  const texts = document.createTreeWalker(document, NodeFilter.SHOW_TEXT);
  const shown = [];
  for (let node = texts.nextNode(); node; node = texts.nextNode())
    if (!["SCRIPT", "STYLE"].includes(node.parentNode.nodeName)) shown.push(node.data);
  return shown.concat(fields);
}"""
# What a browser would follow, load or run, with a payload in it.
ALIVE = """() => [...document.querySelectorAll("*")].filter((element) =>
  /^(script|style|iframe|object|math)$/i.test(element.nodeName) && /canary|elsewhere/.test(element.outerHTML)
  || [...element.attributes].some(({ name, value }) => /^on/.test(name)
    || /^((data-)?hx-|style$|src|formaction$|xlink|ws-|sse-)/.test(name) && /canary|elsewhere/.test(value)
    || /^(href|action)$/.test(name) && /^(?!https?:|\\/|\\?|#|$)[^?]*(canary|elsewhere)|^\\/\\//.test(value))
).map((element) => element.outerHTML.slice(0, 200))"""


class Watched:
    """One context. `heard` must stay empty: canaries, dialogs, requests elsewhere, breaches of the policy."""

    def __init__(self, context: BrowserContext, server_url: str) -> None:
        self.context = context
        self.server_url = server_url
        self.heard: list[str] = []
        context.expose_function("heard", lambda what: self.heard.append(what))  # Playwright marks what it is given
        context.add_init_script(LISTEN)
        context.on("request", self._note_request)
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("dialog", self._note_dialog)
        self.page.on("pageerror", lambda error: self.heard.append(f"broke: {error}"))

    def _note_request(self, request: Request) -> None:
        if not request.url.startswith((self.server_url, "data:", "blob:", "about:")):
            self.heard.append(f"asked {request.url}")

    def _note_dialog(self, dialog) -> None:
        self.heard.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def open(self, path: str) -> Page:
        answer = self.page.goto(self.server_url + path)
        assert answer
        assert answer.status == 200, f"{path}: {answer.status}"
        return self.page

    def shown(self) -> str:
        """Every text on the page and in its fields, with single spaces."""
        return " ".join(" ".join(self.page.evaluate(SHOWN)).split())

    def shows(self, *texts: str) -> None:
        """The page holds each of the texts as it was written, none of them is more than text, and nothing was heard."""
        shown = self.shown()
        missing = [text for text in texts if " ".join(text.split()) not in shown]
        assert missing == [], f"{self.page.url}: {len(missing)} of {len(texts)} texts, such as {missing[:3]}"
        assert self.page.evaluate(ALIVE) == []
        assert self.heard == []


@pytest.fixture
def watch(browser: Browser, server: Server) -> Iterator[Callable[[User], Watched]]:
    """`watch(ann)` is a watched browser of ann's own."""
    watched: list[Watched] = []

    def open_as(user: User | None) -> Watched:
        context = browser.new_context(viewport={"width": 1280, "height": 860})
        if user:
            context.add_cookies([{"name": "sessionid", "value": cookie_of(user), "url": server.url}])
        watched.append(Watched(context, server.url))
        return watched[-1]

    yield open_as
    for one in watched:
        one.context.close()
