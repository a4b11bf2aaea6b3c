"""What a queue page asks the database once its cards are remembered, and that it remembers nothing too long."""

import pytest
from django.utils import timezone

from escalations.actions import handoffs
from escalations.live import cards
from tests.factories import HandoffFactory

SIGN_IN = 3  # session, person, account

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(ann) -> list:
    return [HandoffFactory(by=ann) for _ in range(5)]


@pytest.mark.parametrize(
    ("path", "questions"),
    [("/queue/", ["cursor", "offers", "desk", "solved"]), ("/queue/cards/?base=0", ["cursor"])],
)
def test_a_warm_page_asks_little_however_many_wait(path, questions, as_user, ben, waiting, django_assert_num_queries):
    browser = as_user(ben)
    browser.get(path)
    with django_assert_num_queries(SIGN_IN + len(questions)):
        answer = browser.get(path)
    assert answer.content.count(b'<li class="card"') == len(waiting)


def test_what_is_picked_up_is_gone_from_a_warm_page_and_counted_today(as_user, ben, waiting):
    browser = as_user(ben)
    assert browser.get("/queue/").context["today"] == {"escalated": 5, "picked_up": 0, "resolved": 0}
    handoffs.pick_up(waiting[2], by=ben)
    answer = browser.get("/queue/")
    assert answer.context["today"] == {"escalated": 5, "picked_up": 1, "resolved": 0}
    assert f'id="handoff-{waiting[2].pk}"' not in answer.content.decode()
    handoffs.undo(waiting[2], by=ben)
    assert browser.get("/queue/").context["today"]["picked_up"] == 0, "which counts as nothing"


def test_a_card_whose_assessment_is_overdue_is_rendered_anew(harbor, waiting, monkeypatch):
    (before,) = cards.of_account(harbor, base=10**6)[:1]
    later = timezone.now() + timezone.timedelta(hours=1)
    monkeypatch.setattr(cards.timezone, "now", lambda: later)
    (after,) = cards.of_account(harbor, base=10**6)[:1]
    assert before != after


def test_a_remembered_list_ends_with_the_first_assessment_that_is_overdue(harbor, waiting, monkeypatch):
    assert all("in progress" in card for card in cards.of_account(harbor, base=9, at=5))
    first = waiting[0].assessment.deadline
    monkeypatch.setattr(cards.timezone, "now", lambda: first + timezone.timedelta(microseconds=1))
    states = ["unavailable" in card for card in cards.of_account(harbor, base=9, at=5)]
    assert states == [True, False, False, False, False]


def test_a_cursor_that_comes_again_after_a_restored_backup_brings_no_old_list(harbor, ben, waiting):
    cards.of_account(harbor, base=9, at=5)
    handoffs.pick_up(waiting[0], by=ben)
    assert len(cards.of_account(harbor, base=9, at=5)) == 5  # so it is remembered
    assert len(cards.of_account(harbor, base=9, at=3)) == 4
    assert len(cards.of_account(harbor, base=9, at=5)) == 4


def test_one_accounts_list_is_never_given_to_another(harbor, summit, zoe, waiting):
    theirs = HandoffFactory(by=zoe)
    assert len(cards.of_account(harbor, base=9, at=1)) == 5
    assert [str(theirs.pk) in card for card in cards.of_account(summit, base=9, at=1)] == [True]


def test_arrivals_after_the_base_stand_on_top_newest_first(harbor, ann, waiting):
    base = waiting[2].queued_seq
    order = [str(handoff.pk) for handoff in (waiting[4], waiting[3], waiting[0], waiting[1], waiting[2])]
    listed = cards.of_account(harbor, base=base)
    assert [card.partition('data-handoff="')[2].partition('"')[0] for card in listed] == order
