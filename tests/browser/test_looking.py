"""Who is looking, in three browsers: a number on the card that moves nothing, names on the context screen."""

from playwright.sync_api import expect

from tests.browser.test_queue import is_live
from tests.factories import HandoffFactory, SessionFactory, UserFactory
from tests.serving import post

BOXES = """() => [...document.querySelectorAll('.card, .card h2, .card .button')]
    .map((element) => JSON.stringify(element.getBoundingClientRect()))"""


def test_colleagues_see_how_many_look_and_who_until_they_leave(open_as, server, ann, ben):
    erin = UserFactory(name="Erin Ek", email="erin@harbor.example", account=ann.account)
    handoff = HandoffFactory(by=ann)
    HandoffFactory(by=ann, session=SessionFactory(by=ann, title="another"))
    context = f"/handoffs/{handoff.pk}/"
    anns = open_as(ann, "/queue/")
    is_live(anns)
    number = anns.locator(f"#handoff-{handoff.pk} .looking")
    expect(number).to_be_hidden()
    before = anns.evaluate(BOXES)

    bens, erins = open_as(ben, context), open_as(erin, context)
    expect(number).to_have_text("2 looking")
    assert anns.evaluate(BOXES) == before, "nothing moved"
    expect(bens.get_by_text("Erin Ek is looking at it, too")).to_be_visible()
    expect(erins.get_by_text("Ben Bauer is looking at it, too")).to_be_visible()
    expect(anns.locator(".card .looking:visible")).to_have_count(1)

    anns.goto(server.url + f"/sessions/{handoff.session_id}/")  # where the escalator waits
    expect(anns.get_by_text("Ben Bauer and Erin Ek are looking at it")).to_be_visible()

    erins.goto(server.url + "/queue/")
    expect(erins.locator(f"#handoff-{handoff.pk} .looking")).to_have_text("1 looking")
    expect(bens.locator("[data-lookers]")).to_have_text("")

    anns.goto(server.url + "/queue/")
    expect(number).to_have_text("1 looking")
    bens.close()
    expect(number).to_be_hidden()


def test_a_card_that_comes_anew_keeps_its_number_and_a_screen_that_is_picked_up_loses_its_names(
    open_as, server, ann, ben, olga
):
    handoff = HandoffFactory(by=ann)
    anns, bens = open_as(ann, "/queue/"), open_as(ben, f"/handoffs/{handoff.pk}/")
    olgas = open_as(olga, f"/handoffs/{handoff.pk}/")
    number = anns.locator(f"#handoff-{handoff.pk} .looking")
    expect(number).to_have_text("2 looking")
    anns.evaluate("() => { document.querySelector('.card').dataset.version = 'older' }")
    anns.evaluate("() => document.dispatchEvent(new Event('deadline'))")  # upon which the list is fetched
    anns.wait_for_function("() => document.querySelector('.card').dataset.version !== 'older'")
    assert number.text_content() == "2 looking"

    expect(olgas.get_by_text("Ben Bauer is looking at it, too")).to_be_visible()
    post(server, ben, f"/handoffs/{handoff.pk}/pick-up/")
    expect(olgas.locator("[data-lookers]")).to_have_text("")
    expect(bens.locator("[data-lookers]")).to_have_text("")
