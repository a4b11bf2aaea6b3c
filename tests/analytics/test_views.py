"""The page of figures: who may see it, what it says, and what it does about bad periods."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from analytics.models import HandoffFact
from escalations.actions import handoffs
from tests.factories import HandoffFactory, SessionFactory

pytestmark = pytest.mark.django_db

PAGE = "/analytics/escalations/"
ADDRESSES = (
    *(PAGE, f"{PAGE}handoffs/", f"{PAGE}table.csv", f"{PAGE}handoffs.csv", f"{PAGE}waiting/"),
    f"{PAGE}handoffs/?figure=step_use&part=denominator",
)
BAD = ("period=8d", "from=2026-02-01&to=2026-01-01", "from=2020-01-01&to=2026-01-01", "from=x&to=y", "period=%00")


def text(response) -> str:
    return " ".join(response.content.decode().replace("\xa0", " ").split())


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("who", ["olga", "adam"])
def test_owners_and_admins_may_look(address, who, request, as_user):
    assert as_user(request.getfixturevalue(who)).get(address).status_code == 200


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("who", ["ann", "vic", "zoe"])
def test_engineers_and_viewers_may_not(address, who, request, as_user):
    for query in ("", "?period=never"):
        assert as_user(request.getfixturevalue(who)).get(address.split("?")[0] + query).status_code == 403


@pytest.mark.parametrize("address", ADDRESSES)
def test_who_is_signed_out_goes_to_the_login(address, client, db):
    response = client.get(address)
    assert (response.status_code, response.url.split("?")[0]) == (302, "/login/")


@pytest.mark.parametrize("address", ADDRESSES)
def test_nothing_is_posted_there(address, olga, as_user):
    assert as_user(olga).post(address).status_code == 405


def test_analytics_stands_in_the_menu_of_those_who_may(ann, olga, as_user):
    assert "Analytics" in text(as_user(olga).get("/queue/"))
    assert "Analytics" not in text(as_user(ann).get("/queue/"))
    assert as_user(olga).get("/analytics/").url == PAGE


def test_an_empty_account_gets_words_and_no_zeros(olga, as_user):
    page = text(as_user(olga).get(PAGE))
    assert "Nothing was escalated in these 30 days." in page
    assert "0 %" not in page
    assert "<table" not in page


def test_one_escalation_is_too_few_for_a_median(ann, ben, olga, as_user):
    HandoffFactory(by=ann, picker=ben, resolved=True)
    page = text(as_user(olga).get(PAGE))
    assert page.count("too few <small>(n=1)</small>") == 4
    assert "100 %" in page


def test_a_rate_of_nothing_is_a_dash(ann, olga, as_user):
    HandoffFactory(by=ann)
    page = text(as_user(olga).get(PAGE))
    assert '<h2 id="figure-conversion_rate">Conversion rate</h2> <p class="value num">–</p>' in page
    assert '<h2 id="figure-pickup_rate">Pickup rate</h2> <p class="value num">0 %</p>' in page


def test_figures_carry_their_formula_and_their_meaning(ann, olga, as_user):
    HandoffFactory(by=ann)
    page = text(as_user(olga).get(PAGE))
    assert "picked-up handoffs in which the picker acted ÷ picked-up handoffs" in page
    assert "Opening it, scrolling, or pressing a suggestion without sending it does not count." in page
    assert "minutes saved" not in page


def test_a_change_is_shown_only_from_ten_on(ann, olga, as_user):
    for _ in range(19):
        HandoffFactory(by=ann)
    browser = as_user(olga)
    assert 'class="change"' not in text(browser.get(PAGE))
    earlier = list(HandoffFact.objects.values_list("pk", flat=True)[:9])
    HandoffFact.objects.filter(pk__in=earlier).update(escalated_at=timezone.now() - timedelta(days=40))
    assert 'class="change"' not in text(browser.get(PAGE))
    HandoffFactory(by=ann)
    HandoffFact.objects.filter(pk=HandoffFact.objects.exclude(pk__in=earlier).first().pk).update(
        escalated_at=timezone.now() - timedelta(days=40)
    )
    assert '<span class="change" data-direction="same">±0</span>' in text(browser.get(PAGE))


@pytest.mark.parametrize("query", BAD)
def test_a_bad_period_is_told_in_words_beside_the_last_good_one(query, ann, olga, as_user):
    HandoffFactory(by=ann)
    browser = as_user(olga)
    browser.get(f"{PAGE}?period=7d")
    response = browser.get(f"{PAGE}?{query}")
    assert response.status_code == 422
    page = text(response)
    assert "Ask for 7, 30 or 90 days" in page
    assert 'href="?period=7d" hx-get="?period=7d" hx-target="#report" hx-swap="outerHTML"' in page
    assert response.context["period"].query == "period=7d"


def test_without_a_last_good_one_it_is_thirty_days(ann, olga, as_user):
    response = as_user(olga).get(f"{PAGE}?period=8d")
    assert (response.status_code, response.context["period"].query) == (422, "period=30d")


@pytest.mark.parametrize("query", BAD)
def test_lists_and_tables_refuse_a_bad_period_too(query, olga, as_user):
    for address in ADDRESSES[1:4]:
        assert as_user(olga).get(f"{address}?{query}").status_code == 422


def test_htmx_gets_the_figures_alone_and_a_bad_period_as_a_sentence(ann, olga, as_user):
    browser = as_user(olga)
    part = browser.get(f"{PAGE}?period=7d", headers={"HX-Request": "true"})
    assert part.content.lstrip().startswith(b'<div id="report"')
    bad = browser.get(f"{PAGE}?period=8d", headers={"HX-Request": "true"})
    assert (bad.status_code, bad.headers["HX-Retarget"], bad.headers["HX-Push-Url"]) == (422, "#period-error", "false")
    back = browser.get(PAGE, headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert back.content.lstrip().startswith(b'<div id="report"')


def test_the_waiting_are_counted_whenever_they_were_escalated(ann, ben, olga, as_user):
    HandoffFactory(by=ann)
    taken = HandoffFactory(by=ann)
    browser = as_user(olga)
    assert '<b class="num">2</b>' in text(browser.get(f"{PAGE}waiting/"))
    handoffs.pick_up(taken, by=ben)
    assert '<b class="num">1</b>' in text(browser.get(f"{PAGE}waiting/"))


def test_titles_are_escaped(ann, olga, as_user):
    HandoffFactory(by=ann, session=SessionFactory(by=ann, title="<b>bold</b>"))
    assert "<b>bold</b>" not in text(as_user(olga).get(f"{PAGE}handoffs/"))


def test_an_own_range_says_its_days(ann, olga, as_user):
    today = timezone.now().astimezone(olga.account.tz).date()
    first = today - timedelta(days=40)
    page = text(as_user(olga).get(f"{PAGE}?from={first}&to={today}"))
    assert f"{first.day} {first:%B %Y} to {today.day} {today:%B %Y}" in page


@pytest.mark.parametrize(
    "query",
    [
        *("figure=nonsense", "figure=conversion_rate&part=nonsense", "weekday=8&hour=1", "weekday=1", "hour=24"),
        *("person=nobody", "weekday=x&hour=y", "figure=pickups&part=numerator"),
    ],
)
def test_a_list_that_there_is_not_is_a_404(query, olga, as_user):
    assert as_user(olga).get(f"{PAGE}handoffs/?{query}").status_code == 404


def test_another_accounts_person_is_a_404(olga, zoe, as_user):
    assert as_user(olga).get(f"{PAGE}handoffs/?person={zoe.pk}").status_code == 404
    assert as_user(olga).get(f"{PAGE}handoffs.csv?person={zoe.pk}").status_code == 404


def test_addresses_are_named(db):
    assert reverse("analytics:escalations") == PAGE
