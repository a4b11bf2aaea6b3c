"""The handoff-context screen and its buttons, as a browser uses them."""

import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from escalations import snapshot
from escalations.actions import assessments, handoffs, sessions
from escalations.models import Assessment, Feedback, FeedEvent, Handoff
from tests.factories import HandoffFactory, SessionFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
NOWHERE = "00000000-0000-4000-8000-000000000000"
POSTS = ["pick-up/", "release/", "take-back/", "assess/", "feedback/"]


def address(handoff, rest=""):
    return f"/handoffs/{handoff.pk}/{rest}"


def state_of(handoff):
    return Handoff.objects.get(pk=handoff.pk).state


@pytest.fixture
def handoff(ann):
    return HandoffFactory(by=ann)


# The screen


def test_the_screen_shows_four_sections_in_their_order(as_user, handoff, ben):
    page = as_user(ben).get(address(handoff)).content.decode()
    headings = ["Problem summary", "What's been tried", "AI assessment", "Start here"]
    places = [page.index(f">{heading}</h2>") for heading in headings]
    assert places == sorted(places)


def test_the_screen_shows_what_was_frozen_and_names_what_came_after(as_user, ann, ben):
    session = SessionFactory(by=ann, problem="Outlook loops.")
    sessions.post(session, by=ann, body="Before.")
    sessions.record_step(session, by=ann, description="Cleared the token", outcome="failed", note="Twice")
    sessions.record_step(session, by=ann, description="Reinstall Office", outcome="not_run")
    handoff = handoffs.escalate(session, by=ann, reason="Please help.")
    sessions.post(session, by=ann, body="Afterwards.")
    page = as_user(ben).get(address(handoff)).content.decode()
    for told in ("Outlook loops.", "Please help.", "Cleared the token", "Twice", "1 step<", "Not run yet"):
        assert told in page
    assert 'id="since-heading"' in page
    assert ">1 message<" in page
    afterwards = session.messages.get(body="Afterwards.")
    assert f'<span>Ann Abel:</span> <a href="/sessions/{session.pk}/#message-{afterwards.pk}">Afterwards.</a>' in page
    assert "Before." not in page


def test_nothing_is_said_to_be_new_when_nothing_is(as_user, handoff, ben):
    assert 'id="since-heading"' not in as_user(ben).get(address(handoff)).content.decode()
    handoffs.pick_up(handoff, by=ben)
    assert 'id="since-heading"' in as_user(ben).get(address(handoff)).content.decode()


def test_steps_are_told_apart_by_their_outcome(as_user, ann, ben):
    session = SessionFactory(by=ann)
    for outcome in ("not_run", "inconclusive", "failed", "worked"):
        sessions.record_step(session, by=ann, description=f"Step that {outcome}", outcome=outcome)
    page = as_user(ben).get(address(handoffs.escalate(session, by=ann, reason="x"))).content.decode()
    assert "3 steps<" in page
    places = [page.index(f"Step that {outcome}") for outcome in ("worked", "failed", "inconclusive", "not_run")]
    assert places == sorted(places)


def ready(handoff):
    step = {"text": "Delete the token", "sources": [{"kind": "session", "id": NOWHERE, "title": "Old case"}]}
    data = {
        "summary_prose": "The sign-in loops.",
        "what_we_know": ["Since Friday."],
        "likely_cause": "A stale token.",
        "suggested_steps": [step],
        "confidence": "medium",
        "sources": step["sources"],
    }
    assessments.store(handoff, data=data, made_by="playbook")


def test_an_assessment_shows_as_what_it_is(as_user, handoff, ben, settings, ann):
    browser = as_user(ben)
    assert "Assessment in progress" in browser.get(address(handoff)).content.decode()
    assessments.give_up(handoff, state="timed_out", reason="It took longer than 5 seconds.", attempt=0)
    page = browser.get(address(handoff)).content.decode()
    assert "Assessment unavailable" in page
    assert "It took longer than 5 seconds." in page
    assert "Try again" in page
    ready(handoff)
    page = browser.get(address(handoff)).content.decode()
    for told in ("The sign-in loops.", "Since Friday.", "A stale token.", "Medium confidence", "Old case"):
        assert told in page
    assert "Try again" not in page
    settings.ASSESSMENT_MODEL = "none"
    page = browser.get(address(HandoffFactory(by=ann))).content.decode()
    assert "AI is switched off" in page
    assert "Try again" not in page


def test_what_nobody_assessed_in_time_is_unavailable_without_a_worker(as_user, handoff, ben):
    Assessment.objects.update(deadline=timezone.now() - timedelta(seconds=1))
    page = as_user(ben).get(address(handoff)).content.decode()
    assert "Assessment unavailable" in page
    assert "Try again" in page
    assert "Assessment in progress" not in page


def test_each_sees_what_they_can_do(as_user, handoff, ann, ben, vic, olga):
    def offers(who):
        page = as_user(who).get(address(handoff)).content.decode()
        words = [
            ">Pick Up</button>",
            ">Take back</button>",
            ">Put it back into the queue</button>",
            ">Read the session<",
        ]
        return [word in page for word in words]

    assert offers(ben) == [True, False, False, False]
    assert offers(ann) == [False, True, False, False]
    assert offers(vic) == [False, False, False, True]
    handoffs.pick_up(handoff, by=ben)
    assert offers(ben) == [False, False, True, False]
    assert offers(ann) == offers(olga) == offers(vic) == [False, False, False, True]


def test_markup_in_what_people_and_models_write_is_text(as_user, ann, ben):
    evil = "<script>alert(1)</script>"
    session = SessionFactory(by=ann, title=evil, client_name=evil, ticket_ref=evil, problem=evil)
    sessions.record_step(session, by=ann, description=evil, outcome="failed", note=evil)
    handoff = handoffs.escalate(session, by=ann, reason=evil)
    sources = [{"kind": "runbook", "id": "x", "title": evil}]
    data = {
        "summary_prose": evil,
        "what_we_know": [evil],
        "likely_cause": evil,
        "suggested_steps": [{"text": evil, "sources": sources, "warning": evil}],
        "confidence": "low",
        "sources": sources,
    }
    assessments.store(handoff, data=data, made_by="playbook")
    sessions.post(session, by=ann, body=evil)
    for path in (address(handoff), f"/sessions/{session.pk}/", "/queue/", "/sessions/"):
        page = as_user(ann).get(path).content.decode()
        assert evil not in page
        assert "&lt;script&gt;" in page


def test_the_screen_is_not_kept_by_caches(as_user, handoff, ben):
    assert "no-store" in as_user(ben).get(address(handoff)).headers["Cache-Control"]


def test_each_statement_shows_what_it_rests_on(as_user, ann, ben):
    session = SessionFactory(by=ann)
    message = sessions.post(session, by=ann, body="It loops.")
    handoff = handoffs.escalate(session, by=ann, reason="x")
    said = {"kind": "message", "id": str(message.pk), "title": "message 1"}
    case = {"kind": "session", "id": NOWHERE, "title": "Old case"}
    page = {"kind": "runbook", "id": "sign-in", "title": "Sign-in"}
    data = {
        "summary_prose": "It loops.",
        "what_we_know": ["Since Friday."],
        "likely_cause": "A token.",
        "suggested_steps": [
            {"text": "Delete the token", "sources": [case, page], "warning": "Removes it."},
            {"text": "Hope", "sources": []},
        ],
        "confidence": "low",
        "sources": [case],
        "grounds": {
            "summary_prose": {"sources": [said], "unsupported": False},
            "likely_cause": {"sources": [], "unsupported": True},
            "what_we_know": [{"sources": [said], "unsupported": False}],
        },
    }
    assessments.store(handoff, data=data, made_by="playbook")
    shown = as_user(ben).get(address(handoff)).content.decode()
    assert shown.count(f'href="/sessions/{session.pk}/#message-{message.pk}">Message 1</a>') == 2
    assert shown.count(f'href="/sessions/{NOWHERE}/#resolution">Session “Old case”</a>') == 2
    assert 'href="/runbooks/sign-in/#runbook">Runbook “Sign-in”</a>' in shown
    assert shown.count(">Unsupported</span>") == 2  # the cause, and the step to hope
    assert "“Unsupported” means" in shown
    assert re.search(r"Delete the token</span>\s*<span class=\"warning\">.*Removes it\.", shown)


def test_a_frozen_step_leads_to_the_message_that_it_comes_from(as_user, ann, ben):
    session = SessionFactory(by=ann)
    message = sessions.post(session, by=ann, body="Rebooted")
    sessions.record_step(session, by=ann, description="Rebooted", outcome="failed", source_message=message)
    page = as_user(ben).get(address(handoffs.escalate(session, by=ann, reason="x"))).content.decode()
    assert f'<a href="/sessions/{session.pk}/#message-{message.pk}">message 1</a>' in page


def test_the_screen_proves_that_what_is_frozen_is_unchanged(as_user, handoff, ben):
    page = as_user(ben).get(address(handoff)).content.decode()
    assert 'data-proof="holds"' in page
    assert snapshot.digest(handoff.snapshot) in page


# Feedback


def test_the_picker_says_whether_it_helped_and_why(as_user, ann, ben):
    handoff = HandoffFactory(by=ann, picker=ben)
    browser = as_user(ben)
    assert "Was this helpful?" not in browser.get(address(handoff)).content.decode()
    ready(handoff)
    page = browser.get(address(handoff)).content.decode()
    assert "Was this helpful?" in page
    assert 'aria-pressed="true"' not in page
    answer = browser.post(address(handoff, "feedback/"), {"helpful": "yes"})
    assert (answer.status_code, answer["Location"]) == (302, address(handoff) + "#feedback")
    fragment = browser.post(
        address(handoff, "feedback/"), {"helpful": "no", "why": "Wrong <b>product</b>"}, headers=HTMX
    ).content.decode()
    assert re.findall(r'value="(\w+)" aria-pressed="true"', fragment) == ["no"]
    assert "Wrong &lt;b&gt;product" in fragment
    assert list(Feedback.objects.values_list("by", "helpful", "why")) == [(ben.pk, False, "Wrong <b>product</b>")]


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({}, "Helpful: This field is required."),
        ({"helpful": "maybe"}, "Helpful: Select a valid choice"),
        ({"helpful": "yes", "why": "x" * 501}, "Why: Ensure this value has at most 500"),
        ({"helpful": "yes", "why": "a\x00b"}, "Why: Null characters"),
    ],
)
def test_a_vote_that_cannot_be_kept_is_named(told, words, headers, as_user, ann, ben):
    handoff = HandoffFactory(by=ann, picker=ben)
    ready(handoff)
    browser = as_user(ben)
    browser.raise_request_exception = False
    answer = browser.post(address(handoff, "feedback/"), told, headers=headers)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Feedback.objects.exists()


def test_who_never_had_it_is_not_asked_and_not_heard(as_user, ann, ben, olga):
    handoff = HandoffFactory(by=ann, picker=ben)
    ready(handoff)
    for who in (ann, olga):
        browser = as_user(who)
        assert "Was this helpful?" not in browser.get(address(handoff)).content.decode()
        answer = browser.post(address(handoff, "feedback/"), {"helpful": "yes"})
        assert answer.status_code == 403
        assert "Only who picked it up can say" in answer.content.decode()
    assert not Feedback.objects.exists()


# Runbooks


def test_a_runbook_can_be_read(as_user, ben, vic):
    for who in (ben, vic):
        page = as_user(who).get("/runbooks/vpn/").content.decode()
        assert "VPN and remote access" in page
        assert 'id="runbook"' in page


@pytest.mark.parametrize("key", ["nothing", "%00", "x" * 3000, "a’b", NOWHERE])
def test_a_runbook_that_is_none_is_not_found(key, as_user, ben):
    browser = as_user(ben)
    browser.raise_request_exception = False
    assert browser.get(f"/runbooks/{key}/").status_code == 404


# Who gets in


def test_posts_are_posts_and_the_screen_is_a_get(as_user, handoff, ben):
    browser = as_user(ben)
    assert [browser.get(address(handoff, rest)).status_code for rest in POSTS] == [405] * 5
    assert browser.post(address(handoff)).status_code == 405
    assert state_of(handoff) == "waiting"


@pytest.mark.parametrize("rest", ["", *POSTS])
def test_another_accounts_handoff_looks_like_none(rest, as_user, handoff, ben, zoe):
    def ask(who, path):
        browser = as_user(who)
        return (browser.post(path) if rest else browser.get(path)).status_code

    assert ask(zoe, address(handoff, rest)) == ask(ben, f"/handoffs/{NOWHERE}/{rest}") == 404
    assert ask(ben, address(handoff, rest)) != 404


@pytest.mark.parametrize("key", ["x", "1", "%00", "..", quote("’"), NOWHERE[:-1], "9" * 5000])
def test_what_is_no_id_is_not_found(key, as_user, ben):
    browser = as_user(ben)
    browser.raise_request_exception = False
    assert browser.get(f"/handoffs/{key}/").status_code == 404
    assert browser.post(f"/handoffs/{key}/pick-up/").status_code == 404


def test_who_is_signed_out_goes_to_the_login_and_comes_back(client, handoff):
    answer = client.get(address(handoff))
    assert (answer.status_code, answer["Location"]) == (302, f"/login/?next={address(handoff)}")
    fragment = client.post(address(handoff, "pick-up/"), headers=HTMX)
    assert (fragment.status_code, fragment["HX-Redirect"]) == (204, "/login/")


@pytest.mark.parametrize("rest", POSTS)
def test_who_is_signed_out_changes_nothing_and_lands_on_a_page_after_signing_in(rest, client, handoff):
    answer = client.post(address(handoff, rest))
    assert (answer.status_code, answer["Location"]) == (302, "/login/")  # an address for POST cannot be come back to
    assert state_of(handoff) == "waiting"


@pytest.mark.parametrize("rest", POSTS)
def test_a_viewer_changes_nothing(rest, as_user, handoff, vic):
    assessments.give_up(handoff, state="failed", reason="x", attempt=0)
    events = FeedEvent.objects.count()
    answer = as_user(vic).post(address(handoff, rest), {"helpful": "yes"})
    assert answer.status_code == 403
    assert "your role is viewer" in answer.content.decode()
    assert (state_of(handoff), FeedEvent.objects.count()) == ("waiting", events)


def test_without_a_csrf_token_nothing_happens(handoff, ben, settings):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ben, backend="django.contrib.auth.backends.ModelBackend")
    answer = browser.post(address(handoff, "pick-up/"))
    assert answer.status_code == 403
    assert "open for too long" in answer.content.decode()
    assert state_of(handoff) == "waiting"
    browser.get(address(handoff))
    token = browser.cookies[settings.CSRF_COOKIE_NAME].value
    assert browser.post(address(handoff, "pick-up/"), headers={"X-CSRFToken": token}).status_code == 302


# Pick up


def test_picking_up_leads_to_the_context(as_user, handoff, ben):
    answer = as_user(ben).post(address(handoff, "pick-up/"))
    assert (answer.status_code, answer["Location"]) == (302, address(handoff))
    assert Handoff.objects.get().picked_up_by == ben


def test_picking_up_with_htmx_leaves_the_page(as_user, handoff, ben):
    answer = as_user(ben).post(address(handoff, "pick-up/"), headers=HTMX)
    assert (answer.status_code, answer["HX-Redirect"]) == (204, address(handoff))


def test_picking_up_twice_is_once(as_user, handoff, ben):
    browser = as_user(ben)
    assert [browser.post(address(handoff, "pick-up/")).status_code for _ in range(2)] == [302, 302]
    assert FeedEvent.objects.filter(kind="handoff_picked_up").count() == 1


def test_ones_own_escalation_cannot_be_picked_up(as_user, handoff, ann):
    answer = as_user(ann).post(address(handoff, "pick-up/"))
    assert answer.status_code == 403
    assert "a colleague has to pick it up" in answer.content.decode()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_the_loser_learns_who_won_and_is_offered_the_next_oldest(headers, as_user, ann, ben, olga):
    lost = HandoffFactory(by=ann)
    own = HandoffFactory(by=olga)  # older, but nothing for her
    oldest, _newer = HandoffFactory(by=ann), HandoffFactory(by=ben)
    handoffs.pick_up(lost, by=ben)
    answer = as_user(olga).post(address(lost, "pick-up/"), headers=headers)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Ben Bauer has it since 0 s." in page
    assert address(oldest, "pick-up/") in page
    assert address(own) not in page
    assert ("<html" in page) == (not headers)


def test_the_loser_is_told_when_nothing_else_waits(as_user, handoff, ben, olga):
    handoffs.pick_up(handoff, by=ben)
    assert "Nothing else is waiting for you." in as_user(olga).post(address(handoff, "pick-up/")).content.decode()


def test_the_loser_to_a_take_back_is_told_that(as_user, ann, ben):
    answer = as_user(ben).post(address(HandoffFactory(by=ann, taken_back=True), "pick-up/"))
    assert answer.status_code == 409
    assert "It is taken back already." in answer.content.decode()


# Release


def test_releasing_leads_to_the_queue(as_user, ann, ben):
    handoff = HandoffFactory(by=ann, picker=ben)
    answer = as_user(ben).post(address(handoff, "release/"), {"reason": "My shift ends."})
    assert (answer.status_code, answer["Location"]) == (302, "/queue/")
    assert FeedEvent.objects.get(kind="handoff_released").data == {"reason": "My shift ends."}
    handoffs.pick_up(handoff, by=ben)
    fragment = as_user(ben).post(address(handoff, "release/"), headers=HTMX)
    assert (fragment.status_code, fragment["HX-Redirect"]) == (204, "/queue/")


def test_only_the_picker_releases(as_user, ann, ben, olga):
    handoff = HandoffFactory(by=ann, picker=ben)
    answer = as_user(olga).post(address(handoff, "release/"))
    assert answer.status_code == 403
    assert "Ben Bauer has it; only they can put it back." in answer.content.decode()
    assert state_of(handoff) == "picked_up"


def test_what_waits_already_is_not_released(as_user, handoff, ben):
    answer = as_user(ben).post(address(handoff, "release/"), headers=HTMX)
    assert (answer.status_code, answer["HX-Retarget"]) == (409, "#notice")
    assert "there is nothing to put back" in answer.content.decode()


@pytest.mark.parametrize(("reason", "words"), [("x" * 2001, "2000"), ("a\x00b", "Null characters")])
def test_a_reason_that_cannot_be_kept_is_not_dropped_silently(reason, words, as_user, ann, ben):
    handoff = HandoffFactory(by=ann, picker=ben)
    browser = as_user(ben)
    browser.raise_request_exception = False
    answer = browser.post(address(handoff, "release/"), {"reason": reason})
    assert answer.status_code == 422
    assert "Reason: " in answer.content.decode()
    assert words in answer.content.decode()
    assert state_of(handoff) == "picked_up"


# Take back


def test_taking_back_leads_to_the_session(as_user, handoff, ann):
    answer = as_user(ann).post(address(handoff, "take-back/"))
    assert (answer.status_code, answer["Location"]) == (302, f"/sessions/{handoff.session_id}/")
    assert state_of(handoff) == "taken_back"


def test_only_the_escalator_takes_back(as_user, handoff, ben):
    answer = as_user(ben).post(address(handoff, "take-back/"))
    assert answer.status_code == 403
    assert "Ann Abel escalated it" in answer.content.decode()


def test_taking_back_too_late_names_the_picker(as_user, handoff, ann, ben):
    handoffs.pick_up(handoff, by=ben)
    answer = as_user(ann).post(address(handoff, "take-back/"), headers=HTMX)
    assert (answer.status_code, answer["HX-Retarget"]) == (409, "#notice")
    assert "Ben Bauer has it already." in answer.content.decode()


# Try again


def test_trying_again_starts_the_assessment_anew(as_user, handoff, ben):
    assessments.give_up(handoff, state="failed", reason="x", attempt=0)
    answer = as_user(ben).post(address(handoff, "assess/"))
    assert (answer.status_code, answer["Location"]) == (302, address(handoff) + "#assessment")
    assert Assessment.objects.get().state == "pending"


def test_there_is_nothing_to_try_again_while_it_is_on_its_way(as_user, handoff, ben):
    answer = as_user(ben).post(address(handoff, "assess/"))
    assert answer.status_code == 409
    assert "There is nothing to try again" in answer.content.decode()
