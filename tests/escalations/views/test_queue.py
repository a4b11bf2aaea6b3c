"""The live queue: what stands on it, in which order, and its fragment."""

import re

import pytest

from escalations.actions import assessments, handoffs, sessions
from escalations.models import FeedEvent, Handoff
from escalations.models.feed import cursor_of
from tests.factories import HandoffFactory, SessionFactory

pytestmark = pytest.mark.django_db


def listed(answer):
    """The handoffs of the cards, from the top."""
    return re.findall(r'<li class="card" id="handoff-([0-9a-f-]+)"', answer.content.decode())


def ids(*rows):
    return [str(row.pk) for row in rows]


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "No escalations awaiting pickup"), (1, "1 escalation awaiting pickup"), (3, "3 escalations awaiting pickup")],
)
def test_the_heading_counts_in_words(count, words, as_user, ann, ben):
    HandoffFactory.create_batch(count, by=ann)
    page = as_user(ben).get("/queue/").content.decode()
    assert re.search(r"<h1[^>]*>\s*(.*?)\s*</h1>", page)[1] == words
    assert 'role="region" aria-live="polite"' in page


def test_a_card_tells_what_to_decide_by(as_user, ann, ben):
    session = SessionFactory(by=ann, title="No Wi-Fi", client_name="Brightwater", ticket_ref="#77")
    handoff = handoffs.escalate(session, by=ann, reason="Please help.", priority="urgent")
    page = as_user(ben).get("/queue/").content.decode()
    for told in ("No Wi-Fi", "Brightwater", "#77", "from Ann Abel", "Please help.", "Urgent", "Assessment in progress"):
        assert told in page
    assert f'<time datetime="{handoff.created_at:%Y-%m-%dT}' in page
    assert f'data-handoff="{handoff.pk}"' in page


def test_the_first_load_is_oldest_first_whatever_the_priority(as_user, ann, ben):
    cards = [HandoffFactory(by=ann, priority=priority) for priority in ("low", "urgent", "normal")]
    assert listed(as_user(ben).get("/queue/")) == ids(*cards)


def test_only_what_waits_is_listed(as_user, ann, ben, olga):
    HandoffFactory(by=ann, picker=ben)
    HandoffFactory(by=ann, taken_back=True)
    HandoffFactory(by=ann, picker=ben, resolved=True)
    released = HandoffFactory(by=ann, picker=ben, released=True)
    assert listed(as_user(olga).get("/queue/")) == ids(released)


def test_another_accounts_escalations_are_not_listed(as_user, ann, ben, zoe):
    handoff = HandoffFactory(by=ann)
    for path in ("/queue/", "/queue/cards/"):
        assert listed(as_user(zoe).get(path)) == []
        assert listed(as_user(ben).get(path)) == ids(handoff)


def test_who_may_press_what_is_decided_by_the_page_and_not_by_the_card(as_user, ann, ben, vic):
    HandoffFactory(by=ann)
    pages = {who: as_user(who).get("/queue/").content.decode() for who in (ann, ben, vic)}
    cards = {re.search(r'<li class="card".*?</li>', page, re.S)[0] for page in pages.values()}
    assert len(cards) == 1
    assert f'.card[data-from="{ann.pk}"] .pick-up {{ display: none }}' in pages[ann]
    assert f'.card[data-from="{ben.pk}"] .pick-up {{ display: none }}' in pages[ben]
    assert ".card :is(.pick-up, .take-back, .yours) { display: none }" in pages[vic]


def test_the_page_stands_where_the_feed_stands(as_user, ann, ben, harbor):
    HandoffFactory(by=ann, picker=ben, released=True)
    page = as_user(ben).get("/queue/").content.decode()
    assert cursor_of(harbor) == 3
    assert 'data-live="/ws/queue/" data-live-cursor="3" data-live-base="3"' in page


def test_an_event_between_the_cursor_and_the_list_is_fetched_again_and_not_lost(as_user, ann, ben, monkeypatch):
    """The page's cursor may be older than its list, never newer."""
    browser, late = as_user(ben), []

    def cursor_then_event(account):
        cursor = cursor_of(account)
        late.append(HandoffFactory(by=ann))
        return cursor

    monkeypatch.setattr("escalations.views.queue.cursor_of", cursor_then_event)
    answer = browser.get("/queue/")
    assert 'data-live-cursor="0"' in answer.content.decode()
    assert listed(answer) == ids(*late)


def test_my_desk_and_today_stand_beside_it(as_user, ann, ben):
    SessionFactory(by=ann, title="On my desk")
    HandoffFactory(by=ben, picker=ann)
    HandoffFactory(by=ben, picker=ann, resolved=True)
    page = as_user(ann).get("/queue/").content.decode()
    assert "On my desk</a>" in page
    assert re.findall(r"<dd>(\d+)</dd>", page) == ["2", "2", "1"]
    assert "On my desk</a>" not in as_user(ben).get("/queue/").content.decode()


# The fragment


def test_the_fragment_is_the_list_alone(as_user, ann, ben, harbor):
    HandoffFactory(by=ann)
    fragment = as_user(ben).get("/queue/cards/?base=0").content.decode()
    assert "<html" not in fragment
    assert f'data-cursor="{cursor_of(harbor)}" data-base="0"' in fragment


def test_a_resync_keeps_the_order_that_the_page_has(as_user, ann, ben, harbor):
    first, second, third = HandoffFactory.create_batch(3, by=ann)
    base = cursor_of(harbor)
    fourth, fifth = HandoffFactory.create_batch(2, by=ann)
    handoffs.pick_up(first, by=ben)
    handoffs.release(first, by=ben)  # an arrival: it slides in on top, although it is the oldest
    handoffs.take_back(second, by=ann)
    browser = as_user(ben)
    assert listed(browser.get(f"/queue/cards/?base={base}")) == ids(first, fifth, fourth, third)
    assert listed(browser.get("/queue/")) == ids(first, third, fourth, fifth)


def test_without_a_base_everything_has_arrived(as_user, ann, ben):
    first, second = HandoffFactory.create_batch(2, by=ann)
    assert listed(as_user(ben).get("/queue/cards/")) == ids(second, first)


@pytest.mark.parametrize(
    "base",
    ["x", "", "-1", "1.5", "1e3", " 1", "+1", "0x1", "%00", "١", "²", str(2**63), "9" * 30, "9" * 5000, "1;drop"],
)
def test_a_base_that_is_no_cursor_is_refused(base, as_user, ben):
    browser = as_user(ben)
    browser.raise_request_exception = False
    answer = browser.get("/queue/cards/", {"base": base})
    assert answer.status_code == 400
    assert "base must be a cursor" in answer.content.decode()


@pytest.mark.parametrize("base", ["0", "1", "000", str(2**63 - 1), "0" * 18 + "1"])
def test_a_base_that_is_a_cursor_is_taken(base, as_user, ann, ben):
    handoff = HandoffFactory(by=ann)
    assert listed(as_user(ben).get("/queue/cards/", {"base": base})) == ids(handoff)


# Who gets in


@pytest.mark.parametrize("path", ["/queue/", "/queue/cards/"])
def test_the_queue_is_read_only_private_and_not_kept_by_caches(path, as_user, client, ann, vic, adam, olga):
    assert as_user(ann).post(path).status_code == 405
    for who in (ann, vic, adam, olga):
        answer = as_user(who).get(path)
        assert answer.status_code == 200
        assert "no-store" in answer.headers["Cache-Control"]
    assert client.get(path)["Location"] == f"/login/?next={path}"
    fragment = client.get(path, headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment["HX-Redirect"]) == (204, "/login/")


def test_the_operator_has_no_queue(as_user, sam):
    answer = as_user(sam).get("/queue/")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_a_page_of_many_cards_asks_the_database_little(as_user, ann, ben, django_assert_max_num_queries):
    HandoffFactory.create_batch(3, by=ann)
    browser = as_user(ben)
    browser.get("/queue/")
    with django_assert_max_num_queries(8):
        browser.get("/queue/")
    assert Handoff.objects.count() == 3
    assert FeedEvent.objects.count() == 3


def test_a_card_shows_how_its_assessment_goes(as_user, ann, ben):
    handoff = HandoffFactory(by=ann)
    browser = as_user(ben)
    assert "Assessment in progress" in browser.get("/queue/").content.decode()
    assessments.give_up(handoff, state="timed_out", reason="x", attempt=0)
    assert "Assessment unavailable" in browser.get("/queue/").content.decode()
    assessments.store(handoff, data={}, made_by="playbook")
    assert "Assessment ready" in browser.get("/queue/").content.decode()
    sessions.resolve(handoff.session, by=ann, resolution="x")
    assert listed(browser.get("/queue/")) == []
