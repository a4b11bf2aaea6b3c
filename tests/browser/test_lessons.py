"""ann learns on her open queue page what ben's resolution fixed."""

from playwright.sync_api import expect

from escalations.actions import steps
from escalations.models import Lesson
from tests.browser.test_queue import is_live
from tests.factories import HandoffFactory, SessionFactory
from tests.serving import post
from tests.weights import needs_weights

FIX = "The Outlook profile was broken by the move. Made a new Outlook profile."


def resolve(server, by, handoff):
    answer = post(server, by, f"/sessions/{handoff.session_id}/resolve/", resolution=FIX)
    assert answer.status_code == 302


@needs_weights
def test_ann_learns_on_her_open_queue_what_bens_resolution_fixed(open_as, server, ann, ben):
    session = SessionFactory(by=ann)
    steps.record_step(session, by=ann, description="Made a new Outlook profile", outcome="failed")
    handoff = HandoffFactory(by=ann, session=session)
    anns, bens = open_as(ann, "/queue/"), open_as(ben, "/queue/")
    is_live(anns)
    is_live(bens)
    asked = []
    bens.on("request", lambda request: asked.append(request.url))
    expect(anns.get_by_role("heading", name="Solved for you")).to_be_hidden()
    post(server, ben, f"/handoffs/{handoff.pk}/pick-up/")
    resolve(server, ben, handoff)

    list_ = anns.get_by_role("region", name="Solved for you")
    expect(list_).to_contain_text("Ben Bauer solved it")
    expect(list_).to_contain_text(FIX)
    expect(list_).to_contain_text("You were close: ‘Made a new Outlook profile’ (failed)")
    expect(anns.locator("[data-lessons-said]")).to_contain_text("Solved for you: Outlook asks")
    expect(bens.get_by_role("heading", name="Solved for you")).to_be_hidden()
    assert [url for url in asked if "lessons" in url] == []

    list_.get_by_role("button", name="Got it").click()
    expect(list_).to_be_hidden()
    expect(anns.get_by_role("main")).to_be_focused()
    assert Lesson.objects.get().got_at


def test_one_that_came_while_the_page_was_open_is_known_as_ones_own(open_as, server, ann, ben):
    session = SessionFactory(by=ann)
    anns = open_as(ann, "/queue/")
    is_live(anns)
    post(server, ann, f"/sessions/{session.pk}/escalate/", reason="Stuck.", priority="normal")
    card = anns.locator(".card")
    expect(card).to_have_count(1)
    handoff = session.handoffs.get()
    post(server, ben, f"/handoffs/{handoff.pk}/pick-up/")
    expect(card).to_have_count(0)
    resolve(server, ben, handoff)
    list_ = anns.get_by_role("region", name="Solved for you")
    expect(list_).to_contain_text(FIX)
    list_.get_by_role("link", name="Outlook asks").click()
    expect(anns.locator("#what-fixed-it")).to_be_focused()
    anns.get_by_role("button", name="Got it").click()
    expect(anns.get_by_role("button", name="Got it")).to_have_count(0)
    expect(anns.locator("#what-fixed-it")).to_contain_text(FIX)
