"""Cards are rendered once per change, are the same for everyone, and stand in the page's order."""

from datetime import timedelta

import pytest
from django.utils import timezone

from escalations.actions import assessments, handoffs
from escalations.live import cards
from escalations.models import Assessment
from escalations.models.feed import cursor_of
from resolutionflow.accounts import people
from resolutionflow.accounts.models import Account
from tests.factories import HandoffFactory, SessionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def rendered(monkeypatch):
    """The handoffs whose cards were rendered, in order."""
    made, render = [], cards.render_to_string

    def counting(template, context):
        made.append((context["handoff"].pk, context["assessment_state"].value))
        return render(template, context)

    monkeypatch.setattr(cards, "render_to_string", counting)
    return made


def order(account, base):
    """Of the listed cards, the handoffs."""
    return [card.split('data-handoff="')[1].split('"')[0] for card in cards.of_account(account, base=base)]


def ids(*rows):
    return [str(row.pk) for row in rows]


def test_a_card_is_rendered_once_for_all_lists(ann, harbor, rendered):
    handoff = HandoffFactory(by=ann)
    lists = [cards.of_account(harbor, base=base) for base in (0, 1, 1)] + [[cards.of_handoff(handoff.pk)]]
    assert len({str(listed[0]) for listed in lists}) == 1
    assert rendered == [(handoff.pk, "pending")]


def test_a_change_renders_that_card_anew_and_no_other(ann, ben, harbor, rendered):
    changed, same = HandoffFactory(by=ann), HandoffFactory(by=ann)
    before = cards.of_account(harbor, base=9)
    handoffs.pick_up(changed, by=ben)
    handoffs.release(changed, by=ben)
    after = cards.of_account(harbor, base=9)
    assert [pk for pk, _ in rendered] == [changed.pk, same.pk, changed.pk]
    assert before[0] != after[0]
    assert before[1] == after[1]


def test_an_assessment_that_nobody_made_in_time_reads_so_without_a_new_version(ann, harbor, rendered):
    handoff = HandoffFactory(by=ann)
    assert "Assessment in progress" in cards.of_handoff(handoff.pk)
    Assessment.objects.update(deadline=timezone.now() - timedelta(seconds=1))
    assert "Assessment unavailable" in cards.of_handoff(handoff.pk)
    assert rendered == [(handoff.pk, "pending"), (handoff.pk, "timed_out")]
    assessments.store(handoff, data={}, made_by="playbook")
    assert "Assessment ready" in cards.of_handoff(handoff.pk)


def test_two_states_of_a_card_never_look_like_the_same_version(ann):
    """The page tells by `data-version` whether the card that it has is the one that it gets."""
    handoff = HandoffFactory(by=ann)
    pending = cards.of_handoff(handoff.pk)
    Assessment.objects.update(deadline=timezone.now() - timedelta(seconds=1))
    unavailable = cards.of_handoff(handoff.pk)
    assert 'data-version="1.pending.' in pending
    assert 'data-version="1.timed_out.' in unavailable


@pytest.mark.parametrize("how", [{"taken_back": True}, {"picker": True}, {"picker": True, "resolved": True}])
def test_what_does_not_wait_has_no_card(how, ann, ben, harbor):
    handoff = HandoffFactory(by=ann, **{**how, **({"picker": ben} if how.get("picker") else {})})
    assert cards.of_handoff(handoff.pk) == ""
    assert cards.of_account(harbor, base=0) == []


def test_a_card_has_nobody_in_it(ann, ben):
    session = SessionFactory(by=ann)
    handoff = handoffs.escalate(session, by=ann, reason="Stuck.")
    card = cards.of_handoff(handoff.pk)
    for word in ("csrf", "token=", "nonce", " ago", ben.name, str(ben.pk)):
        assert word not in card
    assert f'data-from="{ann.pk}"' in card
    assert card.count("formaction=") == 2  # both buttons: the page decides which of them it shows


def test_a_cards_times_are_in_its_accounts_zone_whoever_asks_first(ann, harbor):
    harbor.time_zone = "Asia/Kolkata"
    harbor.save()
    handoff = HandoffFactory(by=ann)
    with timezone.override("America/New_York"):
        assert "+05:30" in cards.of_handoff(handoff.pk)


def test_established_cards_stand_oldest_first_and_arrivals_above_them_newest_first(ann, harbor):
    established = HandoffFactory.create_batch(3, by=ann)
    base = cursor_of(harbor)
    arrived = HandoffFactory.create_batch(2, by=ann)
    assert order(harbor, base) == ids(*reversed(arrived), *established)
    assert order(harbor, cursor_of(harbor)) == ids(*established, *arrived)
    assert order(harbor, 0) == ids(*reversed(arrived), *reversed(established))


def test_a_released_card_comes_on_top_as_it_does_on_the_page(ann, ben, harbor):
    oldest, other = HandoffFactory.create_batch(2, by=ann)
    base = cursor_of(harbor)
    handoffs.pick_up(oldest, by=ben)
    newest = HandoffFactory(by=ann)
    handoffs.release(oldest, by=ben)
    assert order(harbor, base) == ids(oldest, newest, other)


def test_an_assessment_moves_no_card(ann, harbor):
    first, second = HandoffFactory.create_batch(2, by=ann)
    base = cursor_of(harbor)
    assessments.store(second, data={}, made_by="playbook")
    assert order(harbor, base) == ids(first, second)


def test_a_list_of_cached_cards_is_one_query(ann, harbor, django_assert_num_queries):
    HandoffFactory.create_batch(4, by=ann)
    cards.of_account(harbor, base=2)
    with django_assert_num_queries(1):
        assert len(cards.of_account(harbor, base=2)) == 4


@pytest.mark.parametrize(
    ("setting", "shown"),
    [
        ({"ticket_url_template": "https://psa.example/{number}"}, 'href="https://psa.example/48213"'),
        ({"time_zone": "Asia/Kathmandu"}, "+05:45"),
    ],
)
def test_a_changed_setting_of_the_account_shows_on_its_cards_at_once(ann, harbor, setting, shown):
    handoff = HandoffFactory(by=ann)
    at = cursor_of(harbor)
    (before,) = cards.of_account(harbor, base=0, at=at)
    assert shown not in before
    Account.objects.filter(pk=harbor.pk).update(**setting)
    harbor.refresh_from_db()
    (after,) = cards.of_account(harbor, base=0, at=at)
    assert shown in after
    assert cards.of_handoff(handoff.pk) == after
    assert version_of(before) != version_of(after)


def version_of(card):
    return card.split('data-version="')[1].split('"')[0]


def test_a_setting_that_is_set_back_brings_the_first_card_again(ann, harbor, rendered):
    HandoffFactory(by=ann)
    at = cursor_of(harbor)
    first = cards.of_account(harbor, base=0, at=at)
    for template in ("https://psa.example/{number}", ""):
        Account.objects.filter(pk=harbor.pk).update(ticket_url_template=template)
        harbor.refresh_from_db()
        shown = cards.of_account(harbor, base=0, at=at)
    assert shown == first
    assert len(rendered) == 2


def test_who_is_called_otherwise_now_is_on_the_cards_that_come_next(ann, harbor):
    handoff = HandoffFactory(by=ann)
    assert "from Ann Abel" in cards.of_handoff(handoff.pk)
    people.rename(ann, name="Ann Abelard")
    assert "from Ann Abelard" in cards.of_handoff(handoff.pk)
