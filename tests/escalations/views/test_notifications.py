"""The bell's doors: what is unread, what has become of it, and that it is read."""

import re
from uuid import UUID

import pytest

from escalations.actions import handoffs, leases, offers, preferences
from escalations.models import NotificationPreference
from escalations.models.feed import cursor_of
from resolutionflow.accounts.models import User
from tests.factories import HandoffFactory, SessionFactory
from tests.frozen import Clock

pytestmark = pytest.mark.django_db

SIGN_IN = 3  # session, person, account


def state(browser) -> dict:
    return browser.get("/notifications/state/").json()


def titles(answer) -> list[str]:
    return re.findall(r'<a href="/handoffs/[^>]*>(?:<span[^>]*>Unread: </span>)?([^<]*)</a>', answer.content.decode())


def from_(by, title="No Wi-Fi", **more):
    return HandoffFactory(by=by, session=SessionFactory(by=by, title=title, ticket_ref="#7"), **more)


@pytest.fixture
def bens(as_user, ben):
    """Ben's browser, after a first look at the bell."""
    browser = as_user(ben)
    state(browser)
    return browser


def test_a_colleagues_escalation_is_unread_once_and_ones_own_is_not(bens, ann, ben):
    from_(ann)
    from_(ben)
    told = state(bens)
    assert (told["unread"], told["cursor"]) == (1, cursor_of(ann.account))
    answer = bens.get("/notifications/panel/")
    assert titles(answer) == ["Escalation from Ann · #7: No Wi-Fi"]
    assert state(bens)["unread"] == 1, "looking alone reads nothing"


def test_what_happens_to_it_afterwards_is_no_second_notification(bens, ann, ben, olga):
    handoff = from_(ann, picker=olga)
    assert state(bens)["unread"] == 1
    assert "Picked up by Olga Owner" in bens.get("/notifications/").content.decode()
    handoffs.release(handoff, by=olga)
    handoffs.pick_up(handoff, by=ben)
    assert state(bens)["unread"] == 1
    assert "Picked up by you" in bens.get("/notifications/").content.decode()


def test_the_first_look_begins_with_nothing_unread(as_user, ann, ben):
    from_(ann)
    assert state(as_user(ben))["unread"] == 0
    from_(ann)
    assert state(as_user(ben))["unread"] == 1


def test_reading_goes_up_to_what_was_seen_and_never_back(bens, ann):
    from_(ann, "first")
    seen = state(bens)["cursor"]
    from_(ann, "second")
    answer = bens.post("/notifications/read/", {"up_to": seen}, headers={"X-Requested-With": "fetch"})
    assert answer.json()["unread"] == 1, "what came since stays"
    assert bens.post("/notifications/read/", {"up_to": 10**18}).status_code == 302
    assert state(bens)["unread"] == 0
    bens.post("/notifications/read/", {"up_to": seen})
    assert state(bens)["unread"] == 0
    from_(ann, "third")
    assert state(bens)["unread"] == 1, "nobody reads ahead of the feed"


@pytest.mark.parametrize("up_to", ["", "-1", "x", str(2**64), "\0", "1.5"])
def test_a_position_that_is_none_reads_nothing(bens, ann, up_to):
    from_(ann)
    assert bens.post("/notifications/read/", {"up_to": up_to}).status_code == 422
    assert state(bens)["unread"] == 1


def test_what_is_not_urgent_enough_for_the_bell_is_neither_counted_nor_listed(bens, ann, ben):
    NotificationPreference.objects.filter(user=ben).update(bell="high")
    for priority in ("low", "normal", "high", "urgent"):
        from_(ann, priority, priority=priority)
    assert state(bens)["unread"] == 2
    assert [each.rpartition(" ")[2] for each in titles(bens.get("/notifications/"))] == ["urgent", "high"]
    NotificationPreference.objects.filter(user=ben).update(bell="")
    assert state(bens)["unread"] == 0
    assert "Your bell is switched off" in bens.get("/notifications/panel/").content.decode()


def test_each_marks_their_own(bens, as_user, ann, olga):
    olgas = as_user(olga)
    state(olgas)
    from_(ann)
    bens.post("/notifications/read/", {"up_to": 10**9})
    assert (state(bens)["unread"], state(olgas)["unread"]) == (0, 1)


def test_another_account_is_not_heard_of(bens, zoe):
    from_(zoe, "Theirs")
    assert state(bens)["unread"] == 0
    assert titles(bens.get("/notifications/")) == []


def test_who_goes_to_another_account_begins_anew_there(bens, as_user, ann, ben, zoe):
    for _ in range(3):
        from_(ann)
    bens.post("/notifications/read/", {"up_to": 10**9})
    User.objects.filter(pk=ben.pk).update(account=zoe.account)
    from_(zoe, "before")
    assert state(bens)["unread"] == 0
    from_(zoe, "after")
    assert state(bens)["unread"] == 1, "although that feed is behind the one that was read"


def test_viewers_have_no_bell(as_user, vic):
    browser = as_user(vic)
    assert "data-bell" not in browser.get("/queue/").content.decode()
    for path in ("/notifications/", "/notifications/panel/", "/notifications/state/", "/account/notifications/"):
        assert browser.get(path).status_code == 403
    assert browser.post("/notifications/read/", {"up_to": 1}).status_code == 403
    assert not NotificationPreference.objects.exists()


def test_the_panel_says_when_it_shows_only_some_of_what_is_unread(bens, ann):
    for number in range(11):
        from_(ann, f"number {number}")
    shown = bens.get("/notifications/panel/").content.decode()
    assert (shown.count("<li"), 'data-are-all="no"' in shown, "Mark all as read" in shown) == (10, True, True)
    assert "All 11 unread ones" in shown
    bens.post("/notifications/read/", {"up_to": 1})
    from_(ann)
    preferences.read(preferences.of(*who(bens)), who(bens)[1], up_to=cursor_of(who(bens)[1]))
    shown = bens.get("/notifications/panel/").content.decode()
    assert ('data-are-all="yes"' in shown, "Mark all as read" in shown) == (True, False)


def who(browser):
    user = User.objects.select_related("account").get(pk=browser.session["_auth_user_id"])
    return user, user.account


def test_the_page_goes_back_as_far_as_there_are_any(bens, ann):
    for number in range(27):
        from_(ann, f"number {number}")
    first, second = bens.get("/notifications/"), bens.get("/notifications/?page=2")
    assert (len(titles(first)), len(titles(second))) == (25, 2)
    assert "Page 1 of 2" in first.content.decode()
    assert titles(second)[-1].endswith("number 0")


def test_the_count_is_one_small_question_and_the_queue_page_asks_none(bens, ann, django_assert_num_queries):
    for _ in range(3):
        from_(ann)
    with django_assert_num_queries(SIGN_IN + 3):  # the preference, the cursor with the count, offers
        state(bens)
    with django_assert_num_queries(SIGN_IN + 4):  # and the list
        bens.get("/notifications/panel/")


def held_by(picker, by, title="No Wi-Fi", **more):
    return from_(by, title, picker=picker, **more)


def read_all(browser) -> None:
    """As the panel does when it is opened."""
    shown = browser.get("/notifications/panel/").content.decode()
    told = {
        "up_to": re.search(r'data-cursor="(\d*)"', shown)[1],
        "offers": re.search(r'data-offers="([^"]*)"', shown)[1],
    }
    assert browser.post("/notifications/read/", told).status_code == 302


@pytest.fixture
def olgas(as_user, olga):
    browser = as_user(olga)
    state(browser)
    return browser


@pytest.fixture
def offered(bens, olgas, ann, ben, olga):
    """Ben offers olga what ann escalated; both have read what was there before."""
    held = held_by(ben, ann)
    for browser in (bens, olgas):
        read_all(browser)
    return offers.hand_to(held, by=ben, to=olga).handoff


def test_an_offer_is_unread_to_who_is_asked_and_to_nobody_else(offered, bens, olgas, as_user, adam, ann):
    others = [bens, as_user(adam), as_user(ann)]
    told = state(olgas)
    assert [state(browser)["unread"] for browser in (olgas, *others)] == [1, 0, 0, 0]
    assert titles(olgas.get("/notifications/panel/"))[0] == "Ben offers you · #7: No Wi-Fi"
    assert titles(olgas.get("/notifications/"))[0] == "Ben offers you · #7: No Wi-Fi"
    assert '<span class="waits">Waits for your answer</span>' in olgas.get("/notifications/").content.decode()
    (offer,) = told["offers"]
    assert (offer["handoff"], offer["priority"], offer["waits"]) == (str(offered.pk), "normal", True)
    for browser in others:
        assert "Ben offers you" not in browser.get("/notifications/").content.decode()
        assert state(browser)["offers"] == []
    read_all(olgas)
    told = state(olgas)
    assert (told["unread"], told["offers"]) == (0, [])
    assert titles(olgas.get("/notifications/"))[0] == "Ben offers you · #7: No Wi-Fi", "it stays on the list"


@pytest.mark.parametrize(
    ("answer", "words", "asked_sees", "asker_sees"),
    [
        (offers.accept, "Olga accepted", "Accepted by you", "Picked up by Olga Owner"),
        (offers.decline, "Olga declined", "Declined by you", "Picked up by you"),
    ],
)
def test_who_offered_learns_the_answer(offered, bens, olgas, olga, answer, words, asked_sees, asker_sees):
    read_all(olgas)
    assert state(bens)["unread"] == 0
    answer(offered, by=olga)
    told = state(bens)
    assert (told["unread"], told["offers"][0]["waits"], state(olgas)["unread"]) == (1, False, 0)
    shown = bens.get("/notifications/")
    assert titles(shown)[0] == f"{words} · #7: No Wi-Fi"
    assert asker_sees in shown.content.decode()
    assert asked_sees in olgas.get("/notifications/").content.decode()
    assert words not in olgas.get("/notifications/").content.decode()
    read_all(bens)
    assert state(bens)["unread"] == 0


def test_what_is_not_offered_any_more_says_so_and_its_asker_hears_nothing(offered, bens, olgas, ben):
    offers.withdraw(offered, by=ben)
    assert "Not offered any more" in olgas.get("/notifications/").content.decode()
    assert (state(bens)["unread"], state(olgas)["unread"]) == (0, 1)
    assert [offer["waits"] for offer in state(olgas)["offers"]] == [False]


def test_what_a_lease_returns_is_told_to_who_had_it(bens, olgas, monkeypatch, ann, ben, olga):
    clock = Clock(monkeypatch)
    held = held_by(ben, ann)
    for browser in (bens, olgas):
        read_all(browser)
    handoffs.release(held, by=ben)
    handoffs.pick_up(held, by=ben)
    handoffs.undo(held, by=ben)
    handoffs.pick_up(held, by=ben)
    assert state(bens)["unread"] == 0, "what one puts back oneself is no news"
    clock.go_on(minutes=10)
    leases.see_to(held.pk)
    assert (state(bens)["unread"], state(olgas)["unread"]) == (1, 0)
    shown = bens.get("/notifications/")
    assert titles(shown)[0] == "Returned from you · #7: No Wi-Fi"
    assert "Returned from you" not in olgas.get("/notifications/").content.decode()
    handoffs.pick_up(held, by=olga)
    assert "Picked up by Olga Owner" in bens.get("/notifications/").content.decode()
    read_all(bens)
    assert state(bens)["unread"] == 0


def test_an_offer_that_came_after_the_list_stays_unread(offered, bens, olgas, ann, ben, olga):
    known = state(olgas)
    offers.hand_to(held_by(ben, ann, "Later"), by=ben, to=olga)
    told = {"up_to": 10**9, "offers": known["offers"][0]["offer"]}
    assert olgas.post("/notifications/read/", told).status_code == 302
    told = state(olgas)
    assert (told["unread"], told["offers"][0]["title"]) == (1, "Ben offers you · #7: Later")


def test_nobody_reads_for_somebody_else(offered, bens, olgas, as_user, zoe):
    (offer,) = state(olgas)["offers"]
    for browser in (bens, as_user(zoe)):
        assert browser.post("/notifications/read/", {"up_to": 1, "offers": offer["offer"]}).status_code == 302
    assert state(olgas)["unread"] == 1
    olgas.post("/notifications/read/", {"up_to": 1, "offers": offer["offer"]})
    assert state(olgas)["unread"] == 0


@pytest.mark.parametrize("wrong", ["x", "1", "\0", f"{UUID(int=1)} x", " ".join([str(UUID(int=1))] * 201)])
def test_what_is_no_offer_reads_nothing(offered, olgas, wrong):
    assert olgas.post("/notifications/read/", {"up_to": 10**9, "offers": wrong}).status_code == 422
    assert state(olgas)["unread"] == 1


def test_an_offer_in_another_account_is_not_heard_of(offered, olgas, ann, olga, zoe, summit):
    assert state(olgas)["unread"] == 1
    User.objects.filter(pk=olga.pk).update(account=summit)
    told = state(olgas)
    assert (told["unread"], told["offers"], titles(olgas.get("/notifications/"))) == (0, [], [])


def test_an_offer_keeps_to_the_priority_that_the_bell_is_wanted_for(offered, olgas, ann, ben, olga):
    assert state(olgas)["unread"] == 1
    for least, count in (("high", 0), ("", 0), ("normal", 1)):
        NotificationPreference.objects.filter(user=olga).update(bell=least)
        told = state(olgas)
        assert (told["unread"], len(told["offers"])) == (count, 1), "what rings has bounds of its own"
        assert len([title for title in titles(olgas.get("/notifications/")) if "offers you" in title]) == count
    NotificationPreference.objects.filter(user=olga).update(bell="high")
    read_all(olgas)
    NotificationPreference.objects.filter(user=olga).update(bell="low")
    assert state(olgas)["unread"] == 1, "nobody has seen it"


def test_the_list_is_in_one_order_over_its_pages(bens, ann, ben, olga):
    for number in range(14):
        held = held_by(olga, ann, f"case {number}")
        offers.hand_to(held, by=olga, to=ben)
    first, second = (titles(bens.get(f"/notifications/?page={page}")) for page in (1, 2))
    assert (len(first), len(second)) == (25, 3)
    each = [line for n in reversed(range(14)) for line in (f"Olga offers you · #7: case {n}", _escalated(n))]
    assert first + second == each
    assert titles(bens.get("/notifications/panel/")) == each[:10]


def _escalated(number: int) -> str:
    return f"Escalation from Ann · #7: case {number}"


def test_offers_cost_no_question_more(offered, olgas, django_assert_num_queries):
    assert state(olgas)["unread"] == 1
    with django_assert_num_queries(SIGN_IN + 3):
        state(olgas)
    with django_assert_num_queries(SIGN_IN + 4):
        olgas.get("/notifications/panel/")
    with django_assert_num_queries(SIGN_IN + 5):
        olgas.get("/notifications/")


def test_beyond_a_hundred_nobody_counts(bens, ann, monkeypatch):
    monkeypatch.setattr("escalations.notifications.bell.MOST_COUNTED", 2)
    for _ in range(3):
        from_(ann)
    assert state(bens)["unread"] == 2


def test_the_card_has_the_same_title_as_the_notification(bens, ann):
    from_(ann, 'The "big" <one>')
    queue = bens.get("/queue/").content.decode()
    assert 'data-title="Escalation from Ann · #7: The &quot;big&quot; &lt;one&gt;"' in queue


def test_what_a_page_has_missed_is_what_still_waits(bens, ann, ben, olga):
    since = state(bens)["cursor"]
    first = from_(ann, "first", priority="high")
    from_(ann, "picked up", picker=olga)
    from_(ben, "own")
    last = from_(ann, "last")
    told = bens.get(f"/notifications/state/?since={since}").json()
    assert [(each["handoff"], each["priority"]) for each in told["missed"]] == [
        (str(first.pk), "high"),
        (str(last.pk), "normal"),
    ]
    assert told["missed"][1]["title"] == "Escalation from Ann · #7: last"
    assert bens.get(f"/notifications/state/?since={told['cursor']}").json()["missed"] == []
    for wrong in ("", "-1", "x", str(2**64)):
        assert "missed" not in bens.get(f"/notifications/state/?since={wrong}").json()
