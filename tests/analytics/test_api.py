"""`GET /api/analytics/escalations`: who may, what it answers, and what it refuses."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.utils import timezone

from analytics.periods import DEFAULT
from tests.factories import AccountFactory, HandoffFactory, SessionFactory, UserFactory
from tests.programs import Program, refusal

pytestmark = pytest.mark.django_db

PATH = "/analytics/escalations"
NAMES = {
    *("escalations", "pickup_rate", "conversion_rate", "end_to_end_conversion", "time_to_pickup"),
    *("time_to_first_action", "time_to_resolution", "re_escalation_rate", "release_rate", "refused_pickups"),
    *("assessment_availability", "step_use"),
}
TIMES = {"time_to_pickup", "time_to_first_action", "time_to_resolution"}


def told(user, query="") -> dict:
    response = Program(user).get(PATH + query)
    assert response.status_code == 200, response.content
    return response.json()


@pytest.mark.parametrize("who", ["olga", "adam"])
def test_owners_and_admins_read(who, request):
    assert told(request.getfixturevalue(who))["tz"] == "Europe/Berlin"


@pytest.mark.parametrize("who", ["vic", "ann", "zoe"])
def test_nobody_else_does_whatever_they_ask(who, request):
    program = Program(request.getfixturevalue(who))
    for query in ("", "?period=never", "?nonsense=1"):
        refusal(program.get(PATH + query), 403)


def test_signed_out_is_nobody(db):
    refusal(Program().get(PATH), 401)


def test_every_figure_has_its_shape_and_its_definition(olga):
    answer = told(olga)
    assert set(answer) == {"as_of", "tz", "period", "figures", "trend", "previous"}
    for figures in (answer["figures"], answer["previous"]["figures"]):
        assert set(figures) == NAMES
        for name, figure in figures.items():
            assert figure["definition"].endswith(".")
            expected = {"p50", "p90", "p95", "avg", "n"} if name in TIMES else {"value", "numerator", "denominator"}
            assert expected | {"excluded", "definition"} <= set(figure)


def test_an_account_without_escalations_has_no_rates(olga):
    figures = told(olga)["figures"]
    assert figures["escalations"]["value"] == 0
    for name in NAMES - TIMES - {"escalations"}:
        assert (figures[name]["value"], figures[name]["denominator"]) == (None, 0)
    for name in TIMES:
        assert (figures[name]["p50"], figures[name]["n"]) == (None, 0)


def test_it_counts_what_happened(ann, ben, olga):
    for _ in range(3):
        HandoffFactory(by=ann, picker=ben, resolved=True)
    HandoffFactory(by=ann)
    figures = told(olga)["figures"]
    assert (figures["escalations"]["value"], figures["escalations"]["waiting"]) == (4, 1)
    assert figures["pickup_rate"]["value"] == 0.75
    assert (figures["conversion_rate"]["numerator"], figures["conversion_rate"]["denominator"]) == (3, 3)
    assert figures["conversion_rate"]["excluded"] == {"taken_back": 0, "waiting": 1}
    assert figures["time_to_pickup"]["n"] == 3
    assert 0 <= figures["time_to_pickup"]["p50"] < 60
    assert figures["time_to_pickup"]["p90"] is None
    assert figures["time_to_pickup"]["including_waiting"]["n_not_picked_up"] == 1


def test_another_teams_escalations_are_not_counted(ann, olga):
    HandoffFactory(by=UserFactory(account=AccountFactory()))
    assert told(olga)["figures"]["escalations"]["numerator"] == 0


def test_the_trend_has_a_bucket_for_each_day_and_the_last_is_partial(ann, olga):
    HandoffFactory(by=ann)
    trend = told(olga, "?period=7d")["trend"]
    assert len(trend) == 7
    assert [bucket["partial"] for bucket in trend] == [False] * 6 + [True]
    assert [bucket["escalations"] for bucket in trend] == [0] * 6 + [1]
    assert all(early["to"] == late["from"] for early, late in pairwise(trend))


def test_beyond_31_days_a_bucket_is_a_week(olga):
    trend = told(olga, "?period=90d")["trend"]
    assert 13 <= len(trend) <= 14


def test_thirty_days_are_what_nobody_has_to_ask_for(olga):
    assert DEFAULT == "30d"
    assert told(olga)["period"] == told(olga, "?period=30d")["period"]
    assert len(told(olga)["trend"]) == 30


def test_the_answers_own_period_asks_for_the_same_again(ann, olga):
    HandoffFactory(by=ann)
    first = told(olga, "?period=7d")
    again = told(olga, "?from={from}&to={to}".format(**first["period"]))
    assert again["period"] == first["period"]
    assert [bucket["escalations"] for bucket in again["trend"]] == [bucket["escalations"] for bucket in first["trend"]]


def test_the_last_day_counts(ann, olga):
    HandoffFactory(by=ann)
    today = timezone.now().astimezone(olga.account.tz).date()
    for last in (today, today + timedelta(days=1)):  # a caller east of the account may be a day ahead
        figures = told(olga, f"?from={today - timedelta(days=3)}&to={last}")
        assert figures["figures"]["escalations"]["value"] == 1
        assert len(figures["trend"]) == 4


@pytest.mark.parametrize(
    "query",
    [
        *("period=8d", "period=", "period=30", "period=-7d", "period=7d%00", "period=9999999999999d"),
        *("from=2026-01-01", "to=2026-01-01", "from=2026-02-01&to=2026-01-01", "from=2024-01-01&to=2026-01-01"),
        *("from=2099-01-01&to=2099-02-01", "from=2026-01-01&to=2099-01-01", "from=0001-01-01&to=0001-01-02"),
        *("from=9999-12-31&to=9999-12-31", "from=2026-02-30&to=2026-03-01", "from=yesterday&to=today"),
        *("from=2026-01-01T00:00&to=2026-01-02T00:00", "from=2026-1-1&to=2026-1-2", "period=7d&from=2026-01-01"),
        *("from=2026-01-01%00&to=2026-01-02", "from=٢٠٢٦-٠١-٠١&to=2026-01-02", "days=7", "period=7d&x=1"),
        *("from=1e9&to=1e10", "from=2026-01-01T00:00:00%2B99:00&to=2026-01-02", "from[]=1&to[]=2"),
    ],
)
def test_a_bad_period_is_refused_in_a_sentence(query, olga):
    if query == "period=":
        assert told(olga, "?period=")["figures"]  # an empty field of a form
        return
    said = refusal(Program(olga).get(f"{PATH}?{query}"), 422)
    assert said["errors"]


def test_366_days_are_taken_and_367_are_not(olga):
    today = timezone.now().astimezone(olga.account.tz).date()
    assert told(olga, f"?from={today - timedelta(days=365)}&to={today}")["trend"]
    refusal(Program(olga).get(f"{PATH}?from={today - timedelta(days=366)}&to={today}"), 422)


def test_it_is_in_the_openapi_document(client):
    document = client.get("/api/openapi.json").json()
    operation = document["paths"]["/api/analytics/escalations"]["get"]
    assert {parameter["name"] for parameter in operation["parameters"]} == {"period", "from", "to"}
    assert {"200", "401", "403", "422"} <= set(operation["responses"])


def test_a_refused_attempt_is_counted_against_the_pickups(ann, ben, adam, olga):
    handoff = HandoffFactory(by=ann, picker=ben)
    refusal(Program(adam).post(f"/handoffs/{handoff.pk}/pick-up"), 409)
    figure = told(olga)["figures"]["refused_pickups"]
    assert (figure["numerator"], figure["denominator"], figure["value"]) == (1, 1, 1.0)


def test_an_action_after_the_first_look_is_seen(ann, ben, olga):
    handoff = HandoffFactory(by=ann, picker=ben, session=SessionFactory(by=ann))
    assert told(olga)["figures"]["conversion_rate"]["numerator"] == 0
    assert told(olga)["figures"]["conversion_rate"]["n_immature"] == 1
    Program(ben).post(f"/sessions/{handoff.session_id}/messages", {"body": "On it."})
    assert told(olga)["figures"]["conversion_rate"]["numerator"] == 1
