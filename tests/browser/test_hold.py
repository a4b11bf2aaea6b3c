"""A pick-up under way, in browsers: its warning, its undo, and an offer to a colleague."""

from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import expect

from escalations.models import Handoff
from tests.browser.test_queue import is_live
from tests.factories import HandoffFactory, SessionFactory


def test_the_warning_comes_by_itself_keeps_what_is_typed_and_goes_with_the_first_message(open_as, ann, ben):
    held = HandoffFactory(by=ann, session=SessionFactory(by=ann, problem=""), picker=ben)
    began = timezone.now() - timedelta(seconds=477)  # it warns in three seconds
    lease = {"picked_up_at": began, "lease_ends_at": began + timedelta(minutes=10)}
    Handoff.objects.filter(pk=held.pk).update(created_at=began, **lease)
    page = open_as(ben, f"/sessions/{held.session_id}/")
    is_live(page)
    warning = page.locator("[data-lease]")
    page.get_by_label("Message").fill("I am on")
    expect(warning).to_contain_text("or this goes back to the queue")
    expect(warning.locator("time")).to_have_text("2 minutes")
    expect(page.locator("[role=status][data-region=hold-said]")).to_contain_text("goes back to the queue")
    expect(page.get_by_label("Message")).to_be_focused()
    expect(page.get_by_label("Message")).to_have_value("I am on")
    page.keyboard.type(" it.")
    page.keyboard.press("Enter")
    expect(warning).to_have_count(0)
    assert Handoff.objects.get().lease_ends_at is None


def test_u_undoes_the_pick_up_and_the_card_is_back_everywhere(open_as, ann, ben, olga):
    HandoffFactory(by=ann)
    bens, olgas = open_as(ben, "/queue/"), open_as(olga, "/queue/")
    is_live(olgas)
    bens.keyboard.press("j")
    bens.keyboard.press("p")
    expect(bens.get_by_role("button", name="Undo the pick-up")).to_be_visible()
    expect(olgas.locator(".card")).to_have_count(0)
    bens.keyboard.press("u")
    expect(bens.get_by_role("heading", level=1)).to_have_text("1 escalation awaiting pickup")
    expect(olgas.locator(".card")).to_have_count(1)
    assert Handoff.objects.get().state == "waiting"


def test_an_offer_appears_at_the_colleague_alone_and_moves_the_session_when_they_accept(open_as, ann, ben, olga, adam):
    held = HandoffFactory(by=ann, picker=ben)
    olgas, adams = open_as(olga, "/queue/"), open_as(adam, "/queue/")
    is_live(olgas)
    bens = open_as(ben, f"/sessions/{held.session_id}/")
    bens.get_by_role("button", name="Hand to…").click()
    bens.get_by_label("Colleague", exact=True).select_option(label=olga.name)
    bens.get_by_label("Why them").fill("You know their firewall.")
    bens.get_by_role("button", name="Offer it").click()
    expect(bens.get_by_text(f"You offer it to {olga.name}.")).to_be_visible()
    bens.goto(bens.url.replace(f"/handoffs/{held.pk}/", f"/sessions/{held.session_id}/"))
    is_live(bens)
    expect(olgas.get_by_text("Ben Bauer hands you this")).to_be_visible()
    expect(olgas.get_by_text("You know their firewall.")).to_be_visible()
    olgas.get_by_role("button", name="Accept").click()
    expect(olgas.get_by_role("heading", name="Start here")).to_be_visible()
    expect(bens.get_by_text(f"{olga.name} has it since")).to_be_visible()
    expect(bens.get_by_label("Message")).to_have_count(0)
    expect(adams.locator("[data-offer]")).to_have_count(0)
    assert Handoff.objects.get().picked_up_by == olga
