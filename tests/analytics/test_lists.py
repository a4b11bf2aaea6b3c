"""Every figure opens the rows that it counts, and their CSV is the same list."""

import csv
import io
import itertools
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from analytics import facts, lists, metrics
from analytics.breakdowns import load, people
from analytics.figures import DURATIONS, RATES
from analytics.lists import Selection
from analytics.models import HandoffFact
from escalations.actions import handoffs
from escalations.actions.refusals import AlreadyPickedUp
from tests.factories import HandoffFactory, SessionFactory
from tests.oracle.comparison import period_of
from tests.oracle.histories import histories
from tests.oracle.history import write

pytestmark = pytest.mark.django_db
PAGE = "/analytics/escalations/"
names = (f"l{number}" for number in itertools.count())


@pytest.fixture
def busy(ann, ben, olga):
    """Something of everything."""
    for number in range(3):
        HandoffFactory(by=ann, picker=ben, resolved=True, session=SessionFactory(by=ann, title=f"solved {number}"))
    HandoffFactory(by=ann, taken_back=True)
    HandoffFactory(by=ann, picker=ben, released=True)
    held = HandoffFactory(by=ann, picker=ben)
    with pytest.raises(AlreadyPickedUp):
        handoffs.pick_up(held, by=olga)
    HandoffFactory(by=ben)
    return ann.account


def rows_of(response) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode())))


def test_each_part_of_each_figure_opens_exactly_what_it_counts(db):
    @settings(
        max_examples=12, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(histories())
    def run(history):
        account, period, as_of = write(history, next(names)), period_of(history), history.as_of
        facts.catch_up(account)

        def count(**chosen) -> int:
            return lists.rows(account, period, Selection(**chosen), as_of=as_of).count()

        rates = metrics.rates(account, period, as_of=as_of)
        durations = metrics.durations(account, period, as_of=as_of)
        for figure in RATES:
            told = rates[figure.name]
            assert count(figure=figure.name, part="numerator") == told.numerator, figure.name
            assert count(figure=figure.name, part="denominator") == told.denominator, figure.name
            for reason, n in told.excluded.items():
                assert count(figure=figure.name, part=reason) == n, (figure.name, reason)
        for duration in DURATIONS:
            assert count(figure=duration.name) == durations[duration.name].n
        for (weekday, hour), n in load(account, period).items():
            assert count(weekday=weekday, hour=hour) == n
        for work in people(account, period):
            assert count(person=work.person) == work.escalated
            told = (work.pickups, work.acted, work.idle_releases, work.resolved)
            for part, n in zip(lists.PICKUPS, told, strict=True):
                assert count(figure="pickups", part=part, person=work.person) == n

    run()


def test_the_list_the_page_and_the_csv_agree(busy, olga, as_user):
    browser = as_user(olga)
    report = browser.get(PAGE).context
    for name, (measured, _) in report["rates"].items():
        for part in ("numerator", "denominator"):
            query = f"figure={name}&part={part}"
            listed = browser.get(f"{PAGE}handoffs/?{query}").context["rows"].paginator.count
            exported = rows_of(browser.get(f"{PAGE}handoffs.csv?{query}"))
            assert listed == getattr(measured, part) == len(exported) - 1, (name, part)


def test_the_api_and_the_page_agree(busy, olga, as_user):
    browser = as_user(olga)
    told = browser.get("/api/analytics/escalations").json()
    report = browser.get(PAGE).context["report"]
    for name, measured in report.figures.rates.items():
        if name in told["figures"]:
            assert told["figures"][name]["numerator"] == measured.numerator
            assert told["figures"][name]["denominator"] == measured.denominator
    assert [row["escalations"] for row in told["trend"]] == [row.escalations for row in report.trend]


def test_the_tables_csv_is_the_table(busy, olga, as_user):
    browser = as_user(olga)
    response = browser.get(f"{PAGE}table.csv?period=7d")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"].startswith('attachment; filename="escalations-2')
    header, *rows = rows_of(response)
    trend = browser.get(f"{PAGE}?period=7d").context["report"].trend
    assert header[3:6] == ["escalations", "picked up", "acted"]
    assert [row[3:6] for row in rows] == [
        [str(line.escalations), str(line.denominator), str(line.numerator)] for line in trend
    ]
    assert [row[2] for row in rows] == [""] * 6 + ["yes"]


def test_the_buckets_sum_to_the_total(busy, olga, as_user):
    for period in ("7d", "30d", "90d"):
        report = as_user(olga).get(f"{PAGE}?period={period}").context["report"]
        conversion = report.figures.rates["conversion_rate"]
        assert sum(row.numerator for row in report.trend) == conversion.numerator
        assert sum(row.denominator for row in report.trend) == conversion.denominator
        assert sum(row.escalations for row in report.trend) == report.figures.rates["escalations"].numerator
        assert sum(report.load.values()) == report.figures.rates["escalations"].numerator


def test_a_list_links_to_the_context_screens(busy, olga, as_user):
    page = as_user(olga).get(f"{PAGE}handoffs/?figure=conversion_rate&part=numerator").content.decode()
    for fact in HandoffFact.objects.filter(first_action_at__isnull=False):
        assert f'href="/handoffs/{fact.handoff_id}/"' in page


def test_a_list_is_sorted_by_what_is_asked_and_says_so(busy, olga, as_user):
    browser = as_user(olga)
    for sort in ("escalated", "-escalated", "pickup", "-pickup", "action", "resolution"):
        response = browser.get(f"{PAGE}handoffs/?sort={sort}")
        field = lists.SORTS[HandoffFact][sort.removeprefix("-")]
        values = [getattr(row, field) for row in response.context["rows"]]
        known = [value for value in values if value is not None]
        assert known == sorted(known, reverse=sort.startswith("-"))
        assert values[: len(known)] == known
        assert f'aria-sort="{"descending" if sort.startswith("-") else "ascending"}"' in response.content.decode()
    assert browser.get(f"{PAGE}handoffs/?sort=nonsense").context["sort"] == "-escalated"


def test_a_long_list_has_pages(busy, ann, olga, as_user):
    for _ in range(50):
        HandoffFactory(by=ann)
    browser = as_user(olga)
    first, second = (browser.get(f"{PAGE}handoffs/?page={page}").context["rows"] for page in (1, 2))
    assert (len(first), len(second)) == (50, 7)
    assert not {row.pk for row in first} & {row.pk for row in second}
    assert len(browser.get(f"{PAGE}handoffs/?page=nonsense").context["rows"]) == 50
    assert len(rows_of(browser.get(f"{PAGE}handoffs.csv"))) == 58


def test_portions_lose_and_double_nothing_even_at_the_same_moment(busy, olga):
    facts.catch_up(busy)
    moment = datetime.fromisoformat("2026-11-20T10:00:00+00:00")
    HandoffFact.objects.update(escalated_at=moment)
    found = HandoffFact.objects.select_related("handoff")
    for size in (1, 2, 3, 100):
        keys = [row["pk"] for portion in lists.in_portions(found, size, ["state"]) for row in portion]
        assert len(keys) == len(set(keys)) == HandoffFact.objects.count()


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1", "@x", "\t=1", "  =1", "=cmd|' /C calc'!A0"])
def test_formulas_are_neutralised(evil, ann, olga, as_user):
    HandoffFactory(by=ann, session=SessionFactory(by=ann, title=evil, client_name=evil, ticket_ref=evil))
    _, row = rows_of(as_user(olga).get(f"{PAGE}handoffs.csv"))
    assert all(cell.startswith("'") for cell in row[1:4])
    assert row[1] == f"'{evil}"


def test_the_attempts_that_were_refused_are_listed_with_who_had_it(busy, olga, as_user):
    _, row = rows_of(as_user(olga).get(f"{PAGE}handoffs.csv?figure=refused_pickups"))
    assert row[-2:] == ["Olga Owner", "Ben Bauer"]


def test_an_old_escalation_is_outside(busy, olga, as_user):
    facts.catch_up(busy)
    old = HandoffFact.objects.order_by("escalated_at").first()
    HandoffFact.objects.filter(pk=old.pk).update(escalated_at=old.escalated_at - timedelta(days=8))
    browser = as_user(olga)
    assert browser.get(f"{PAGE}handoffs/?period=7d").context["rows"].paginator.count == 6
    assert browser.get(f"{PAGE}handoffs/?period=30d").context["rows"].paginator.count == 7
