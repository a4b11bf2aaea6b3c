"""The account's settings: who changes them, what is refused in words, and what the trail says of it."""

import re

import pytest

from escalations.models import AISession
from resolutionflow.trail.models import Entry
from tests.factories import HandoffFactory, SessionFactory

pytestmark = pytest.mark.django_db

TEMPLATE = "https://psa.example/tickets?id={ticket}"


def save(browser, section, **fields):
    return browser.post("/settings/", {"section": section, **fields})


def told(account):
    entries = Entry.objects.filter(account=account, kind="settings_changed").order_by("seq")
    return [(entry.actor_name, entry.details["fields"]) for entry in entries]


def test_an_owner_changes_name_and_time_zone_and_the_trail_says_so(as_user, olga, harbor):
    browser = as_user(olga)
    answer = save(browser, "general", name="Harbour IT", time_zone="America/New_York")
    assert answer["Location"] == "/settings/?saved=general#general"
    harbor.refresh_from_db()
    assert (harbor.name, harbor.time_zone) == ("Harbour IT", "America/New_York")
    assert told(harbor) == [("Olga Owner", "name, time_zone")]
    assert "Name and time: saved." in browser.get("/settings/?saved=general").text


def test_saving_what_is_so_already_leaves_no_entry(as_user, olga, harbor):
    save(as_user(olga), "general", name=harbor.name, time_zone=harbor.time_zone)
    assert told(harbor) == []


@pytest.mark.parametrize("fields", [{"name": "", "time_zone": "UTC"}, {"name": "Harbor IT", "time_zone": "Berlin"}])
def test_what_is_wrong_is_said_at_its_field_and_kept(as_user, adam, harbor, fields):
    answer = save(as_user(adam), "general", **fields)
    assert answer.status_code == 422
    assert re.search(r'class="error" id="id_(name|time_zone)_error"', answer.text)
    assert f'value="{fields["time_zone"]}"' in answer.text
    harbor.refresh_from_db()
    assert (harbor.name, harbor.time_zone) == ("Harbor IT", "Europe/Berlin")
    assert "Settings of Harbor IT" in answer.text


@pytest.mark.parametrize("person", ["ann", "vic"])
def test_engineers_and_viewers_get_403(as_user, request, harbor, person):
    browser = as_user(request.getfixturevalue(person))
    assert browser.get("/settings/").status_code == 403
    assert save(browser, "general", name="Mine", time_zone="UTC").status_code == 403
    harbor.refresh_from_db()
    assert harbor.name == "Harbor IT"
    assert 'href="/settings/"' not in browser.get("/queue/").text


def test_an_owner_of_another_account_changes_their_own_alone(as_user, olga, zoe, harbor, summit):
    zoe.role = "owner"
    zoe.save()
    save(as_user(zoe), "general", name="Summit", time_zone="UTC")
    harbor.refresh_from_db()
    summit.refresh_from_db()
    assert (harbor.name, summit.name) == ("Harbor IT", "Summit")


def test_a_section_that_is_none_is_404_and_a_wrong_choice_is_422(as_user, olga):
    assert save(as_user(olga), "nothing").status_code == 404
    assert save(as_user(olga), "ai", ai="everything").status_code == 422


def test_ai_is_switched_off_for_the_account(as_user, olga, harbor):
    save(as_user(olga), "ai", ai="none")
    harbor.refresh_from_db()
    assert harbor.ai == "none"
    assert told(harbor) == [("Olga Owner", "ai")]


def test_how_much_a_day_may_cost_is_shown_and_not_theirs_to_set(as_user, olga, harbor, settings):
    settings.MODEL_CALLS_PER_DAY = 77
    browser = as_user(olga)
    save(browser, "ai", ai="playbook", model_calls_per_day="1000000")
    harbor.refresh_from_db()
    assert harbor.model_calls_per_day is None
    assert "0 of 77" in browser.get("/settings/").text


# Fewer days


@pytest.fixture
def old(ann, db) -> AISession:
    session = SessionFactory(by=ann, resolved=True)
    AISession.objects.filter(pk=session.pk).update(created_at="2020-01-01T00:00Z", resolved_at="2020-01-02T00:00Z")
    return session


def test_keeping_for_fewer_days_asks_first_and_says_how_many_go(as_user, olga, harbor, old):
    browser = as_user(olga)
    answer = save(browser, "keeping", keep_days="30")
    assert answer.status_code == 422
    assert "1 closed session is older than that." in answer.text
    assert 'name="confirmed" value="30"' in answer.text
    harbor.refresh_from_db()
    assert harbor.keep_days is None
    save(browser, "keeping", keep_days="30", confirmed="30")
    harbor.refresh_from_db()
    assert harbor.keep_days == 30
    assert told(harbor) == [("Olga Owner", "keep_days")]


def test_what_was_confirmed_for_other_days_is_asked_again(as_user, olga, harbor):
    assert save(as_user(olga), "keeping", keep_days="7", confirmed="30").status_code == 422
    harbor.refresh_from_db()
    assert harbor.keep_days is None


@pytest.mark.parametrize("days", ["31", ""])
def test_keeping_for_longer_or_for_ever_asks_nothing(as_user, olga, harbor, days):
    harbor.keep_days = 30
    harbor.save()
    assert save(as_user(olga), "keeping", keep_days=days).status_code == 302
    harbor.refresh_from_db()
    assert str(harbor.keep_days or "") == days


@pytest.mark.parametrize("days", ["0", "-1", "36501", "many", "9" * 40])
def test_days_that_are_none_are_refused(as_user, olga, harbor, days):
    answer = save(as_user(olga), "keeping", keep_days=days, confirmed=days)
    assert answer.status_code == 422
    assert "Days to keep closed sessions:" in answer.text


# Tickets


def test_a_references_address_is_set_and_shown_with_an_example(as_user, olga, harbor):
    browser = as_user(olga)
    save(browser, "tickets", ticket_url_template=f"  {TEMPLATE}  ")
    harbor.refresh_from_db()
    assert harbor.ticket_url_template == TEMPLATE
    assert 'href="https://psa.example/tickets?id=%2348213"' in browser.get("/settings/").text


def test_an_address_that_is_not_https_is_refused_and_kept_in_the_field(as_user, olga, harbor):
    answer = save(as_user(olga), "tickets", ticket_url_template="javascript:alert({ticket})")
    assert answer.status_code == 422
    assert "must begin with https://" in answer.text
    assert 'value="javascript:alert({ticket})"' in answer.text
    assert 'href="javascript' not in answer.text
    harbor.refresh_from_db()
    assert harbor.ticket_url_template == ""


@pytest.fixture
def linked(harbor):
    harbor.ticket_url_template = TEMPLATE
    harbor.save()
    return harbor


def test_references_are_links_wherever_they_are_shown(as_user, olga, ann, linked):
    handoff = HandoffFactory(by=ann)
    link = '<a class="ticket" href="https://psa.example/tickets?id=%2348213" target="_blank" rel="noopener noreferrer">'
    browser = as_user(olga)
    session, context = f"/sessions/{handoff.session_id}/", f"/handoffs/{handoff.pk}/"
    figures = "/analytics/escalations/handoffs/?figure=escalations&part=numerator"
    found = {page: browser.get(page).text.count(link) for page in ("/queue/", "/sessions/", session, context, figures)}
    assert found == {"/queue/": 1, "/sessions/": 1, session: 1, context: 2, figures: 1}


def test_a_reference_is_plain_text_where_nothing_is_set_or_it_leads_nowhere(as_user, olga, ann, linked):
    HandoffFactory(by=ann, session=SessionFactory(by=ann, ticket_ref=".."))
    assert 'class="ticket"' not in as_user(olga).get("/queue/").text
    linked.ticket_url_template = ""
    linked.save()
    HandoffFactory(by=ann, session=SessionFactory(by=ann, ticket_ref="<b>#1</b>"))
    page = as_user(olga).get("/queue/").text
    assert "&lt;b&gt;#1&lt;/b&gt;" in page
    assert 'class="ticket"' not in page
