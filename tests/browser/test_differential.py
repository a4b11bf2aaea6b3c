"""An old page in Chromium plus the frames that the server sent equals a fresh page, for every verb.

Where frames alone are to be enough the old page may not fetch anything: it shows what `live.js` made of them.
"""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from playwright.sync_api import Page, Request, expect

from escalations.actions import leases
from escalations.models import AISession, Assessment, Handoff
from resolutionflow.accounts.models import User
from tests.factories import HandoffFactory, SessionFactory
from tests.serving import Server, post

# What may differ between two pages that show the same: ages, tokens, marks of HTMX, clock and drafts, the connection.
SHOWN = """selector => {
  const root = document.querySelector(selector).cloneNode(true);
  for (const each of [root, ...root.querySelectorAll("*")]) {
    for (const name of ["data-arriving", "data-deadline", "nonce",
      "data-live-cursor", "data-live-base", "data-cursor", "data-base", "data-sendings"]) each.removeAttribute(name);
    for (const name of [...each.classList]) if (name.startsWith("htmx-")) each.classList.remove(name);
    if (!each.classList.length) each.removeAttribute("class");
  }
  if (root.dataset.live) root.dataset.live = root.dataset.live.split("?")[0]; // whether it looks is asked when it opens
  if (root.dataset.mayPost === "") root.removeAttribute("data-may-post");
  for (const missing of root.querySelectorAll("[data-region=missing]")) missing.remove(); // as of the last fetch
  for (const time of root.querySelectorAll("time")) time.textContent = "";
  for (const token of root.querySelectorAll("[name=csrfmiddlewaretoken]")) token.remove();
  for (const connection of root.querySelectorAll("[data-connection]")) connection.remove();
  return root.outerHTML.replace(/\\s+/g, " ").replaceAll("> <", "><");
}"""
WITHIN = 6.0  # s, so that no heartbeat is waited for


class Scene:
    """ann escalates, ben picks up, olga takes over: by requests to the server, from which the frames come."""

    def __init__(self, server: Server, ann: User, ben: User, olga: User) -> None:
        self.server, self.ann, self.ben, self.olga = server, ann, ben, olga
        self.session: AISession = SessionFactory(by=ann)
        SessionFactory(by=ben, resolved=True)  # what FlowPilot and the assessment find
        for title in ("established first", "established second"):
            HandoffFactory(by=ann, session=SessionFactory(by=ann, problem="", title=title))
        self.everything_is_assessed()
        self.flowpilot_has_answered(1)

    @property
    def handoff(self) -> Handoff:
        return self.session.handoffs.get()

    def send(self, user: User, path: str, **data: str) -> None:
        answer = post(self.server, user, path, **data)
        assert answer.status_code == 302, answer.text

    def everything_is_assessed(self) -> None:
        wait_for(lambda: not Assessment.objects.exclude(state="ready").exists())

    def flowpilot_has_answered(self, times: int) -> None:
        wait_for(lambda: self.session.messages.filter(kind="copilot").count() == times)

    def escalate(self) -> None:
        self.send(self.ann, f"/sessions/{self.session.pk}/escalate/", reason="Stuck.", priority="high")
        self.everything_is_assessed()

    def pick_up(self) -> None:
        self.send(self.ben, f"/handoffs/{self.handoff.pk}/pick-up/")

    def release(self) -> None:
        self.send(self.ben, f"/handoffs/{self.handoff.pk}/release/", reason="Not mine.")

    def take_back(self) -> None:
        self.send(self.ann, f"/handoffs/{self.handoff.pk}/take-back/")

    def undo(self) -> None:
        self.send(self.ben, f"/handoffs/{self.handoff.pk}/undo/")

    def offer(self) -> None:
        self.send(self.ben, f"/handoffs/{self.handoff.pk}/hand-to/", to=str(self.olga.pk))

    def accept(self) -> None:
        self.send(self.olga, f"/handoffs/{self.handoff.pk}/accept/")

    def lease_ends(self) -> None:
        """Where nobody looks; ben has long enough to be just in time."""
        self.everything_is_assessed()
        Handoff.objects.filter(pk=self.handoff.pk).update(lease_ends_at=Now())
        leases.see_to(self.handoff.pk)
        Handoff.objects.filter(pk=self.handoff.pk).update(returned_at=Now() + timedelta(minutes=1))

    def go_on(self) -> None:
        """Ben's message was under way when the lease ended: he has it again."""
        self.send(self.ben, f"/sessions/{self.session.pk}/messages/", body="It says 0x8004011d.")
        self.flowpilot_has_answered(2)

    def resolve(self) -> None:
        self.session.refresh_from_db()
        self.send(self.session.holder, f"/sessions/{self.session.pk}/resolve/", resolution="Deleted the token.")

    def post(self) -> None:
        self.session.refresh_from_db()
        self.send(self.session.holder, f"/sessions/{self.session.pk}/messages/", body="It says 0x8004011d.")
        self.flowpilot_has_answered(2)

    def record_step(self) -> None:
        self.session.refresh_from_db()
        told = {"description": "Restarted it", "outcome": "failed"}
        self.send(self.session.holder, f"/sessions/{self.session.pk}/steps/", **told)

    def record_answer(self) -> None:
        """With one press, from FlowPilot's answer, which then shows it."""
        answer = self.session.messages.get(kind="copilot")
        self.send(self.ann, f"/sessions/{self.session.pk}/steps/", of_message=f"{answer.pk}:failed")

    def merge_steps(self) -> None:
        one, other = self.session.steps.all()
        self.send(self.ann, f"/sessions/{self.session.pk}/steps/{one.pk}/merge/{other.pk}/")

    def assess_again(self) -> None:
        """The assessment is in doubt once more, and comes."""
        Assessment.objects.filter(handoff=self.handoff).update(state="failed", data=None, reason="It broke.")

    def assessed(self) -> None:
        self.send(self.ben, f"/handoffs/{self.handoff.pk}/assess/")
        self.everything_is_assessed()


# The verb, and what came before the pages were opened.
VERBS = {
    "escalate": ("escalate", []),
    "pick_up": ("pick_up", ["escalate"]),
    "release": ("release", ["escalate", "pick_up"]),
    "undo": ("undo", ["escalate", "pick_up"]),
    "accept": ("accept", ["escalate", "pick_up", "offer"]),
    "go_on": ("go_on", ["escalate", "pick_up", "lease_ends"]),
    "take_back": ("take_back", ["escalate"]),
    "resolve": ("resolve", ["escalate", "pick_up"]),
    "resolve_while_it_waits": ("resolve", ["escalate"]),
    "assessed": ("assessed", ["escalate", "assess_again"]),
    "assessed_after_the_pickup": ("assessed", ["escalate", "pick_up", "assess_again"]),
    "post": ("post", []),
    "post_after_the_pickup": ("post", ["escalate", "pick_up"]),
    "record_step": ("record_step", []),
    "record_answer": ("record_answer", []),
    "record_step_again": ("record_step", ["record_step"]),
    "merge_steps": ("merge_steps", ["record_step", "record_step"]),
    "record_step_after_the_pickup": ("record_step", ["escalate", "pick_up"]),
}
VERBS_OF_HANDOFFS = ["escalate", "pick_up", "release", "undo", "accept", "go_on", "take_back"]
VERBS_OF_HANDOFFS += ["resolve_while_it_waits", "assessed"]


@pytest.fixture
def scene(server, ann, ben, olga):
    return Scene(server, ann, ben, olga)


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def equals(old: Page, selector: str, address: str, fresh_selector: str | None = None) -> None:
    """The part of the old page soon looks like the same part of a page that is opened now."""
    fresh = old.context.new_page()
    until = time.monotonic() + WITHIN
    while True:
        fresh.goto(address)
        shown = old.evaluate(SHOWN, selector)
        wanted = fresh.evaluate(SHOWN, fresh_selector or selector)
        if shown == wanted:
            break
        if time.monotonic() > until:
            assert shown == wanted
    fresh.close()


def open_live(open_as: Callable[..., Page], user: User, path: str) -> tuple[Page, list[str]]:
    """A page that is live, and the addresses that it fetches from now on. The bell above it asks for itself."""
    page = open_as(user, path)
    live = page.locator("[data-connection]")
    if live.count():
        expect(live).to_have_attribute("data-connection", "live")
    fetched: list[str] = []

    def note(request: Request) -> None:
        if request.resource_type == "fetch" and "/notifications/state/" not in request.url:
            fetched.append(request.url)

    page.on("request", note)
    return page, fetched


@pytest.mark.parametrize("verb", [*VERBS_OF_HANDOFFS, "resolve", "assessed_after_the_pickup", "post"])
def test_on_the_queue(verb, scene, open_as):
    name, before = VERBS[verb]
    for step in before:
        getattr(scene, step)()
    page, fetched = open_live(open_as, scene.ben, "/queue/")
    base = page.locator("[data-live]").get_attribute("data-live-base")
    unchanged = page.evaluate(SHOWN, "#cards")
    getattr(scene, name)()
    equals(page, "#cards", f"{scene.server.url}/queue/cards/?base={base}")
    equals(page, "h1", f"{scene.server.url}/queue/")
    equals(page, "[data-today-counts]", f"{scene.server.url}/queue/")
    assert fetched == []
    on_the_queue = verb in {*VERBS_OF_HANDOFFS, "resolve"}  # which the day's counts show
    assert (page.evaluate(SHOWN, "#cards") != unchanged) == on_the_queue


@pytest.mark.parametrize("verb", VERBS)
def test_on_the_session(verb, scene, open_as):
    name, before = VERBS[verb]
    for step in before:
        getattr(scene, step)()
    path = f"/sessions/{scene.session.pk}/"
    pages = [open_live(open_as, user, path) for user in (scene.ann, scene.ben)]
    unchanged = [page.evaluate(SHOWN, "main") for page, _ in pages]
    getattr(scene, name)()
    for whose, (page, fetched) in zip(("ann", "ben"), pages, strict=True):
        equals(page, "main", scene.server.url + path)
        if name in {"post", "record_step", "record_answer"}:
            ends_a_lease = (
                whose == "ben" and "pick_up" in before
            )  # the first action, which only its picker's page shows
            assert len(fetched) <= ends_a_lease
    assert [page.evaluate(SHOWN, "main") for page, _ in pages] != unchanged


@pytest.mark.parametrize("verb", [verb for verb, (_, before) in VERBS.items() if "escalate" in before])
def test_on_the_context_screen(verb, scene, open_as):
    name, before = VERBS[verb]
    for step in before:
        getattr(scene, step)()
    path = f"/handoffs/{scene.handoff.pk}/"
    pages = [open_live(open_as, user, path) for user in (scene.ann, scene.ben)]
    unchanged = pages[0][0].evaluate(SHOWN, "main")
    getattr(scene, name)()
    for page, _ in pages:
        equals(page, "main", scene.server.url + path)
        assert page.evaluate(SHOWN, "main") != unchanged
