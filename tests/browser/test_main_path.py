"""The main job, as three people live it: ann escalates, ben picks up and resolves, zoe of another team sees nothing."""

import json
import re
from pathlib import Path

from playwright.sync_api import expect

from escalations.models import AISession, FeedEvent
from tests.factories import SessionFactory

CASES = Path(__file__).parent.parent.parent / "resolutionflow" / "demo"


def case(name: str, title: str) -> dict:
    """The demonstration's case with this in its title."""
    cases = map(json.loads, (CASES / name).read_text().splitlines())
    return next(case for case in cases if title in case["title"])


def test_from_the_first_message_to_the_resolution(open_as, server, ann, ben, zoe):
    known = case("harbor-b.jsonl", "Site-to-site IPsec between head office and yard")
    SessionFactory(by=ben, resolved=True, **{key: known[key] for key in ("title", "problem", "resolution")})
    stuck = case("open.jsonl", "Branch link to head office dies")
    bens, zoes = open_as(ben, "/queue/"), open_as(zoe, "/queue/")
    expect(bens.get_by_role("heading", level=1)).to_have_text("No escalations awaiting pickup")
    for page in (bens, zoes):
        expect(page.locator("[data-connection]")).to_have_attribute("data-connection", "live")

    # ann works the session
    anns = open_as(ann, "/sessions/")
    anns.get_by_label("Title").fill(stuck["title"])
    anns.get_by_label("Client").fill(stuck["client_name"])
    anns.get_by_label("Problem").fill(stuck["problem"])
    anns.get_by_role("button", name="Start", exact=True).click()
    log = anns.get_by_role("log")
    expect(log.locator("[data-kind=copilot]")).to_have_count(1)
    anns.get_by_label("Message").fill(stuck["messages"][0]["body"])
    anns.keyboard.press("Enter")
    expect(log.locator("[data-kind=engineer]")).to_have_count(1)
    expect(log.locator("[data-kind=copilot]")).to_have_count(2)
    expect(anns.get_by_label("Message")).to_have_value("")
    for step in stuck["steps"]:
        anns.get_by_label("Step", exact=True).fill(step["description"])
        anns.get_by_label("Outcome").select_option(step["outcome"])
        anns.get_by_role("button", name="Record a step").click()
        expect(anns.locator("#steps")).to_contain_text(step["description"])

    # and escalates
    anns.get_by_role("button", name="Escalate", exact=True).click()
    anns.get_by_label("Reason").fill(stuck["escalation"]["reason"])
    anns.get_by_label("Priority").select_option("urgent")
    anns.get_by_role("button", name="Escalate now").click()
    expect(anns.get_by_text("Escalated, waiting")).to_be_visible()

    # it arrives at ben's without a reload, and nothing at zoe's
    card = bens.locator("#cards > li")
    expect(card).to_have_count(1)
    expect(card).to_contain_text(stuck["title"])
    expect(card).to_contain_text(stuck["client_name"])
    expect(card).to_contain_text(stuck["escalation"]["reason"][:60])
    expect(bens.get_by_role("heading", level=1)).to_have_text("1 escalation awaiting pickup")
    expect(card.locator("[data-assessment=ready]")).to_be_visible()
    expect(zoes.get_by_role("heading", level=1)).to_have_text("No escalations awaiting pickup")

    # ben picks it up
    card.get_by_role("button", name="Pick Up").click()
    bens.wait_for_url(re.compile("/handoffs/"))
    sections = bens.get_by_role("heading", level=2).all_text_contents()
    assert sections == ["Problem summary", "What's been tried", "AI assessment", "Start here"]
    expect(bens.locator("main")).to_contain_text(stuck["problem"])
    for step in stuck["steps"]:
        expect(bens.locator("main")).to_contain_text(step["description"])
    expect(bens.locator(".assessment")).to_contain_text(known["title"])
    handoff_address = bens.url

    # the screen dissolves into the session, with its chips
    bens.get_by_role("link", name="Continue the session").click()
    bens.wait_for_url(re.compile("/sessions/"))
    chip = bens.get_by_role("group", name="Suggested steps").get_by_role("button").first
    chip.click()
    expect(bens.get_by_label("Message")).to_be_focused()
    suggested = bens.get_by_label("Message").input_value()
    assert suggested
    bens.keyboard.press("Enter")
    expect(bens.get_by_role("log")).to_contain_text(suggested)
    expect(chip).to_have_attribute("data-used", "")

    # ann sees who has it, and what he writes
    expect(anns.locator("[data-region=head]")).to_contain_text("Ben Bauer has it")
    expect(log).to_contain_text(suggested)
    expect(anns.get_by_label("Message")).to_have_count(0)

    # back works
    bens.go_back()
    assert bens.url == handoff_address
    bens.go_forward()

    bens.get_by_role("button", name="Resolve").click()
    bens.get_by_label("What fixed it").fill("The firewall dropped ESP; NAT traversal is on now.")
    bens.get_by_role("button", name="Mark as resolved").click()
    expect(bens.locator("[data-region=head]")).to_contain_text("Resolved")
    expect(anns.locator("[data-region=head]")).to_contain_text("Resolved")

    # zoe saw nothing of it, and cannot
    assert zoes.locator("#cards > li").count() == 0
    assert zoes.goto(handoff_address).status == 404
    session = AISession.objects.get(title=stuck["title"])
    assert session.state == AISession.State.RESOLVED
    assert session.messages.filter(step_use="sent_unchanged").count() == 1
    kinds = FeedEvent.objects.filter(session=session).order_by("seq").values_list("kind", flat=True)
    assert list(kinds) == ["handoff_created", "handoff_assessed", "handoff_picked_up", "handoff_resolved"]
