"""Hand-offs by phone: measured, kept, taken out, and stood beside how long it takes here."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from analytics import facts, metrics, periods, phone
from analytics.models import HandoffFact, PhoneHandOff
from escalations.actions import sessions
from escalations.actions.refusals import Conflict, NotAllowed
from resolutionflow.trail.models import Entry
from tests.factories import HandoffFactory

pytestmark = pytest.mark.django_db
PAGE, ADD = "/analytics/escalations/", "/analytics/phone/"


@pytest.fixture
def olgas(as_user, olga):
    return as_user(olga)


def measured(by, *seconds):
    return [phone.add(by.account, by=by, seconds=each) for each in seconds]


def text(response) -> str:
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def section(response) -> str:
    return text(response).partition('id="phone"')[2]


def baseline(account, asked="30d"):
    facts.catch_up(account)
    return phone.baseline(account, periods.parse({"period": asked}, tz=account.tz, now=metrics.now()))


def acted_on(ann, ben, *waits):
    """Escalations whose picker did something so many seconds after the escalation, until facts are derived anew."""
    made = [HandoffFactory(by=ann, picker=ben) for _ in waits]
    for handoff in made:
        sessions.post(handoff.session, by=ben, body="On it.")
    facts.catch_up(ann.account)
    for handoff, wait in zip(made, waits, strict=True):
        at = HandoffFact.objects.get(handoff=handoff).escalated_at + timedelta(seconds=wait)
        HandoffFact.objects.filter(handoff=handoff).update(first_action_at=at)


def test_below_five_samples_the_page_says_not_measured(olgas, olga, ann, ben):
    acted_on(ann, ben, 60, 90, 120)
    for n in range(5):
        assert f"Not measured: {n} of 5 samples." in section(olgas.get(PAGE))
        assert "escalation → first action" not in section(olgas.get(PAGE))
        measured(olga, 100)
    assert "Not measured" not in section(olgas.get(PAGE))


def test_from_five_on_both_medians_stand_side_by_side_with_their_n(olga, ann, ben, harbor):
    measured(olga, 600, 290, 280, 100, 300)
    acted_on(ann, ben, 30, 50, 3000, 40)
    told = phone.baseline(harbor, periods.parse({}, tz=harbor.tz, now=metrics.now()))
    assert (told.by_phone, told.n, told.here, told.here_n) == (290, 5, 45, 4)


def test_each_figure_says_its_formula_and_nothing_is_claimed_to_be_saved(olgas, olga, ann, ben):
    measured(olga, *[290] * 6)
    acted_on(ann, ben, 60, 60, 60)
    told = section(olgas.get(PAGE))
    for words in ("median of all samples", "n = 6", "median of escalation → first action of the picker", "4<small>min"):
        assert words in told
    assert "saved" not in text(olgas.get(PAGE)).lower()
    assert "faster" not in told


def test_what_is_counted_here_opens_exactly_those(olgas, olga, ann, ben):
    measured(olga, *[290] * 5)
    for _ in range(3):
        HandoffFactory(by=ann, picker=ben, resolved=True)
    HandoffFactory(by=ann, picker=ben)
    told = section(olgas.get(PAGE))
    link = "/analytics/escalations/handoffs/?period=30d&amp;figure=time_to_first_action&amp;part=numerator"
    assert f'<a href="{link}">3</a>' in told
    opened = olgas.get(link.replace("&amp;", "&"))
    assert '<b class="num" data-count>3</b>' in text(opened)


def test_too_few_here_have_no_median(olga, ann, ben, harbor):
    measured(olga, *[290] * 5)
    HandoffFactory.create_batch(2, by=ann, picker=ben, resolved=True)
    assert (baseline(harbor).here, baseline(harbor).here_n) == (None, 2)


def test_samples_and_escalations_of_another_account_are_not_in_it(olga, zoe, ann, ben, harbor, summit):
    measured(olga, *[290] * 5)
    HandoffFactory(by=ann, picker=ben, resolved=True)
    assert (baseline(summit).n, baseline(summit).here_n) == (0, 0)
    assert (baseline(harbor).n, baseline(harbor).here_n) == (5, 1)


def test_a_new_period_brings_the_figures_of_that_period(olgas, olga, ann, ben):
    measured(olga, *[290] * 5)
    answer = olgas.get(f"{PAGE}?period=7d", headers={"HX-Request": "true"})
    assert '<div id="baseline" hx-swap-oob="true">' in text(answer)
    assert 'id="phone"' not in text(answer)


# Adding and removing


def test_a_sample_is_kept_with_who_measured_it(olgas, olga, harbor):
    answer = olgas.post(ADD, {"minutes": "4", "seconds": "50", "note": "VPN, called Ben"})
    assert answer.url == f"{PAGE}?period=30d#phone"
    sample = PhoneHandOff.objects.get()
    assert (sample.seconds, sample.recorded_by, sample.account) == (290, olga, harbor)
    shown = section(olgas.get(PAGE))
    assert "4 min 50 s" in shown
    assert "VPN, called Ben" in shown


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({}, "A sample lasts between 1 second and 4 hours."),
        ({"minutes": "0", "seconds": "0"}, "A sample lasts between 1 second and 4 hours."),
        ({"minutes": "240", "seconds": "1"}, "A sample lasts between 1 second and 4 hours."),
        ({"minutes": "241"}, "Minutes: a whole number from 0 to 240"),
        ({"seconds": "60"}, "Seconds: a whole number from 0 to 59"),
        ({"seconds": ""}, "Seconds: a whole number"),
        ({"minutes": "-1"}, "Minutes: a whole number"),
        ({"minutes": "four"}, "Minutes: a whole number"),
        ({"minutes": "9" * 400}, "Minutes: a whole number"),
        ({"minutes": "1", "note": "x" * 201}, "Note: "),
        ({"minutes": "1", "note": "\x00"}, "Note: "),
    ],
)
def test_bad_input_gets_words_and_keeps_what_was_typed(olgas, typed, words):
    answer = olgas.post(ADD, {"minutes": "0", "seconds": "0", "note": "Ben's VPN"} | typed)
    assert answer.status_code == 422
    assert words in text(answer)
    assert "Ben&#x27;s VPN" in text(answer) or "note" in typed
    assert not PhoneHandOff.objects.exists()


@pytest.mark.parametrize("seconds", [1, 14_400])
def test_the_shortest_and_the_longest_are_taken(olgas, seconds):
    minutes, rest = divmod(seconds, 60)
    assert olgas.post(ADD, {"minutes": minutes, "seconds": rest}).status_code == 302
    assert PhoneHandOff.objects.get().seconds == seconds


@pytest.mark.parametrize("seconds", [0, 14_401])
def test_the_database_takes_no_other(olga, seconds):
    with pytest.raises(IntegrityError), transaction.atomic():
        measured(olga, seconds)


def test_the_links_of_a_page_with_an_error_lead_on(olgas):
    assert olgas.get(f"{ADD}?period=7d").url == f"{PAGE}?period=7d"


def test_a_secret_in_a_note_is_not_kept(olgas):
    olgas.post(ADD, {"minutes": "1", "seconds": "0", "note": "password: Quokka-77!"})
    assert "Quokka" not in PhoneHandOff.objects.get().note


def test_removing_asks_first(olgas, olga):
    (sample,) = measured(olga, 290)
    address = f"{ADD}{sample.pk}/remove/"
    assert "Remove the sample of 4 min 50 s?" in text(olgas.get(address))
    assert PhoneHandOff.objects.exists()
    assert olgas.post(address).url == f"{PAGE}?period=30d#phone"
    assert not PhoneHandOff.objects.exists()
    assert olgas.post(address).status_code == 404


def test_both_stand_in_the_trail_without_the_note(olgas, olga, harbor):
    olgas.post(ADD, {"minutes": "1", "seconds": "0", "note": "Brightwater"})
    olgas.post(f"{ADD}{PhoneHandOff.objects.get().pk}/remove/")
    entries = Entry.objects.for_account(harbor).filter(kind__startswith="phone_").order_by("seq")
    assert [entry.kind for entry in entries] == ["phone_handoff_added", "phone_handoff_removed"]
    assert {entry.actor_name for entry in entries} == {"Olga Owner"}
    assert "Brightwater" not in str([(entry.about, entry.details) for entry in entries])


def test_there_is_an_end_to_them(olga, monkeypatch):
    monkeypatch.setattr(phone, "MOST", 2)
    measured(olga, 1, 2)
    with pytest.raises(Conflict, match="There are 2 samples"):
        measured(olga, 3)


def test_only_owners_and_admins_measure(as_user, ann, vic, adam, zoe, olga):
    (sample,) = measured(olga, 290)
    remove = f"{ADD}{sample.pk}/remove/"
    told = {
        person: as_user(person).post(ADD, {"minutes": "1", "seconds": "0"}).status_code
        for person in (ann, vic, adam, zoe)
    }
    assert told == {ann: 403, vic: 403, adam: 302, zoe: 403}
    gone = {person: as_user(person).post(remove).status_code for person in (ann, vic, zoe, adam)}
    assert gone == {ann: 403, vic: 403, zoe: 404, adam: 302}
    with pytest.raises(NotAllowed):
        measured(ann, 290)
    with pytest.raises(NotAllowed):
        phone.remove(sample, by=vic)
