"""Sessions as a browser uses them: start, post, record a step, escalate, resolve; and what they answer to garbage."""

import re
import uuid
from types import SimpleNamespace

import pytest
from django.test import Client

from escalations.actions import assessments, handoffs, sessions
from escalations.models import AISession, Handoff, Message, TriedStep
from escalations.views import session_page
from tests.factories import HandoffFactory, SessionFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
NOWHERE = "00000000-0000-4000-8000-000000000000"

# What each address takes, and where it leads.
GOOD = {
    "messages/": {"body": "It says 0x8004011d."},
    "steps/": {"description": "Rebooted", "outcome": "failed", "note": "Twice"},
    "escalate/": {"reason": "It still loops.", "priority": "high"},
    "resolve/": {"resolution": "Deleted the token."},
}


@pytest.fixture
def session(ann):
    return SessionFactory(by=ann, problem="")


def address(session, rest=""):
    return f"/sessions/{session.pk}/{rest}"


def rows():
    """Everything that a POST could have written."""
    return (
        list(AISession.objects.order_by("pk").values()),
        list(Message.objects.order_by("pk").values()),
        list(TriedStep.objects.order_by("pk").values()),
        list(Handoff.objects.order_by("pk").values()),
    )


def browser_of(user, as_user):
    """One in which an error of ours is a 500, as it is in a real one."""
    browser = as_user(user)
    browser.raise_request_exception = False
    return browser


# The list


def test_the_list_shows_my_sessions_and_the_accounts(as_user, ann, ben, zoe):
    SessionFactory(by=ann, title="Mine")
    SessionFactory(by=ben, title="Bens")
    SessionFactory(by=zoe, title="Elsewhere")
    page = as_user(ann).get("/sessions/").content.decode()
    assert page.count(">Mine</a>") == 2
    assert page.count(">Bens</a>") == 1
    assert "Elsewhere" not in page


def test_the_list_can_show_one_state(as_user, ann, ben):
    SessionFactory(by=ann, title="Active one")
    SessionFactory(by=ann, title="Resolved one", resolved=True)
    page = as_user(ben).get("/sessions/?state=resolved").content.decode()
    assert "Resolved one" in page
    assert "Active one" not in page


def test_the_list_has_pages(as_user, ann, ben):
    SessionFactory.create_batch(26, by=ann, problem="")
    browser = as_user(ben)
    assert "Page 1 of 2" in browser.get("/sessions/").content.decode()
    second = browser.get("/sessions/?page=2").content.decode()
    assert second.count('<li><a href="/sessions/') == 1


@pytest.mark.parametrize(
    "query", ["page=x", "page=-1", "page=0", "page=%00", "page=" + "9" * 5000, "page=1.5", "page="]
)
@pytest.mark.parametrize("state", ["", "&state=%00", "&state=nonsense"])
def test_a_page_or_state_that_is_none_shows_one_that_is(query, state, as_user, session, ann):
    answer = browser_of(ann, as_user).get(f"/sessions/?{query}{state}")
    assert answer.status_code == 200
    assert session.title in answer.content.decode()


# Start


def test_starting_leads_to_the_session(as_user, ann):
    told = {"title": "No Wi-Fi", "client_name": "Brightwater", "ticket_ref": "#1", "problem": "Since 9."}
    answer = as_user(ann).post("/sessions/", told)
    session = AISession.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, address(session))
    assert {name: getattr(session, name) for name in told} == told
    assert session.holder == ann


def test_a_title_is_enough(as_user, ann):
    assert as_user(ann).post("/sessions/", {"title": "No Wi-Fi"}).status_code == 302


@pytest.mark.parametrize(
    ("field", "label", "value", "words"),
    [
        ("title", "Title", "", "required"),
        ("title", "Title", " \t\n", "required"),
        ("title", "Title", "x" * 201, "200 characters"),
        ("title", "Title", "a\x00b", "Null characters"),
        ("client_name", "Client", "x" * 121, "120 characters"),
        ("client_name", "Client", "a\x00b", "Null characters"),
        ("ticket_ref", "Ticket", "x" * 61, "60 characters"),
        ("ticket_ref", "Ticket", "a\x00b", "Null characters"),
        ("problem", "Problem", "x" * 10_001, "10000 characters"),
        ("problem", "Problem", "a\x00b", "Null characters"),
    ],
)
def test_starting_names_the_field_and_keeps_the_text(field, label, value, words, as_user, ann):
    told = {
        "title": "No Wi-Fi",
        "client_name": "Typed client",
        "ticket_ref": "Typed ticket",
        "problem": "Typed problem",
    }
    answer = browser_of(ann, as_user).post("/sessions/", told | {field: value})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert re.search(f'<p class="error"[^>]*>{label}: [^<]*{words}', page)
    for name, typed in told.items():
        assert name == field or typed in page
    assert not AISession.objects.exists()


def test_an_empty_form_is_wrong_too(as_user, ann):
    answer = as_user(ann).post("/sessions/", {})
    assert answer.status_code == 422
    assert "Title: This field is required." in answer.content.decode()


def test_a_viewer_starts_nothing(as_user, vic):
    browser = as_user(vic)
    assert "Start a session</h2>" not in browser.get("/sessions/").content.decode()
    assert browser.post("/sessions/", {"title": "No Wi-Fi"}).status_code == 403
    assert not AISession.objects.exists()


# The page


def test_the_page_shows_the_conversation_the_steps_and_who_has_it(as_user, ann, ben):
    session = SessionFactory(by=ann, problem="Outlook loops.")
    sessions.post(session, by=ann, body="It says 0x8004011d.")
    sessions.record_step(session, by=ann, description="Rebooted", outcome="failed", note="Twice")
    page = as_user(ben).get(address(session)).content.decode()
    for told in ("Outlook loops.", "It says 0x8004011d.", "Rebooted", "Twice", "Ann Abel has it since", 'role="log"'):
        assert told in page
    assert "Ann Abel has this session. You can read it." in page


def test_only_the_holder_gets_the_forms(as_user, session, ann, ben, vic, olga):
    def has_forms(who):
        page = as_user(who).get(address(session)).content.decode()
        return [mark in page for mark in ('id="composer"', 'id="step-form"', "escalate-dialog", "resolve-dialog")]

    assert has_forms(ann) == [True] * 4
    assert has_forms(ben) == has_forms(vic) == has_forms(olga) == [False] * 4


def test_a_resolved_session_is_read_only(as_user, ann):
    page = as_user(ann).get(address(SessionFactory(by=ann, resolved=True))).content.decode()
    assert "This session is resolved. You can read it." in page
    assert 'id="composer"' not in page
    assert "Deleted the cached token." in page


def test_the_page_hints_at_what_the_next_engineer_will_ask_for(as_user, ann):
    page = as_user(ann).get(address(SessionFactory(by=ann, title="Broken", problem=""))).content.decode()
    for what in ("the exact error text", "who is affected", "the last change", "at least one step that was tried"):
        assert what in page
    assert "You can escalate without it." in page


def test_a_form_opens_by_a_plain_link_too(as_user, session, ann):
    browser = as_user(ann)
    assert re.search(
        r'id="escalate-dialog"[^>]* open', browser.get(address(session, "?open=escalate")).content.decode()
    )
    assert not re.search(r'id="escalate-dialog"[^>]* open', browser.get(address(session)).content.decode())


# Suggested steps


@pytest.fixture
def assessed(ann, ben):
    """Picked up by ben, with two suggested steps."""
    handoff = HandoffFactory(by=ann, picker=ben)
    source = [{"kind": "runbook", "id": "x", "title": "Tokens"}]
    data = {
        "suggested_steps": [
            {"text": "Delete the token", "sources": source, "warning": "Careful."},
            {"text": "Read the log", "sources": source},
        ]
    }
    assessments.store(handoff, data=data, made_by="playbook")
    return handoff


def test_the_holder_gets_the_suggested_steps_as_chips(as_user, assessed, ann, ben):
    page = as_user(ben).get(address(assessed.session)).content.decode()
    assert 'aria-label="Suggested steps"' in page
    assert re.findall(r'data-step-index="(\d)" data-text="([^"]+)"( data-used)?', page) == [
        ("0", "Delete the token", ""),
        ("1", "Read the log", ""),
    ]
    assert "Careful." in page
    assert 'aria-label="Suggested steps"' not in as_user(ann).get(address(assessed.session)).content.decode()


@pytest.mark.parametrize(("body", "use"), [("Delete the token", "sent_unchanged"), ("Deleted it", "sent_edited")])
def test_a_sent_message_remembers_its_step_and_the_chip_is_marked(body, use, as_user, assessed, ben):
    browser = as_user(ben)
    told = {"body": body, "step_handoff": assessed.pk, "step_index": 0}
    assert browser.post(address(assessed.session, "messages/"), told).status_code == 302
    message = Message.objects.get(body=body)
    assert (message.step_handoff, message.step_index, message.step_use) == (assessed, 0, use)
    page = browser.get(address(assessed.session)).content.decode()
    assert re.findall(r'data-step-index="(\d)"[^>]*data-used', page) == ["0"]


def test_a_step_that_is_none_of_this_sessions_is_not_remembered(as_user, assessed, ann, ben):
    other = HandoffFactory(by=ann)
    for told in (
        {"step_handoff": assessed.pk, "step_index": 2},
        {"step_handoff": other.pk, "step_index": 0},
        {"step_index": 1},
    ):
        as_user(ben).post(address(assessed.session, "messages/"), {"body": "Hello"} | told)
        assert Message.objects.filter(body="Hello").latest("number").step_use == ""


def test_a_suggested_step_is_recorded_with_one_press(as_user, assessed, ben):
    answer = as_user(ben).post(address(assessed.session, "steps/"), {"of_step": f"{assessed.pk}:1:failed"})
    step = TriedStep.objects.get()
    assert answer["Location"] == address(assessed.session) + f"#step-{step.pk}"
    assert (step.description, step.outcome) == ("Read the log", "failed")
    assert (step.step_handoff, step.step_index) == (assessed, 1)
    page = as_user(ben).get(address(assessed.session)).content.decode()
    assert re.findall(r'data-step-index="(\d)"[^>]*data-used data-outcome="(\w+)"', page) == [("1", "failed")]


@pytest.mark.parametrize(
    "of_step",
    [
        *("", "::", "x:0:failed", "{handoff}:2:failed", "{handoff}:-1:failed", "{handoff}:²:failed", "{handoff}:0:eh"),
        *("{other}:0:failed", "{handoff}:0", "{handoff}:" + "9" * 5000 + ":failed", "{handoff}:0:failed\x00"),
    ],
)
def test_a_press_on_no_suggested_step_records_nothing(of_step, as_user, assessed, ann, ben):
    other = HandoffFactory(by=ann)
    told = of_step.replace("{handoff}", str(assessed.pk)).replace("{other}", str(other.pk))
    answer = browser_of(ben, as_user).post(address(assessed.session, "steps/"), {"of_step": told})
    assert answer.status_code == 404
    assert not TriedStep.objects.exists()


def test_how_a_sent_step_went_is_asked_until_it_is_told(as_user, assessed, ben):
    browser = as_user(ben)
    browser.post(
        address(assessed.session, "messages/"),
        {"body": "Delete the token", "step_handoff": assessed.pk, "step_index": 0},
    )
    message = Message.objects.get(body="Delete the token")
    assert browser.get(address(assessed.session)).content.decode().count("Did it work?</span>") == 1
    told = {"of_message": f"{message.pk}:worked"}
    assert browser.post(address(assessed.session, "steps/"), told).status_code == 302
    page = browser.get(address(assessed.session)).content.decode()
    assert "Did it work?" not in page
    assert f'Recorded as tried: <a href="#step-{TriedStep.objects.get().pk}">Worked</a>' in page
    answer = browser.post(address(assessed.session, "steps/"), told, headers=HTMX)
    assert answer.status_code == 409
    assert "How it went is recorded already: worked." in answer.content.decode()


def test_chips_are_put_away_for_this_session_and_this_person_and_come_back(as_user, assessed, ann, ben):
    browser = as_user(ben)
    here = address(assessed.session)
    assert browser.post(here + "suggestions/", {"shown": "no"})["Location"] == here
    page = browser.get(here).content.decode()
    assert 'aria-label="Suggested steps"' not in page
    assert "Show 2 suggested steps" in page
    assert 'aria-label="Suggested steps"' in as_user(ben).get(here).content.decode()  # signed in elsewhere
    fragment = browser.post(here + "suggestions/", {"shown": "yes"}, headers=HTMX).content.decode()
    assert 'aria-label="Suggested steps"' in fragment
    assert 'aria-label="Suggested steps"' in browser.get(here).content.decode()


def test_that_is_not_remembered_for_ever(as_user, ann):
    browser = as_user(ann)
    for number in range(110):
        session_page.show_suggestions(
            SimpleNamespace(session=browser.session), SimpleNamespace(pk=number), shown=number == 0
        )
    stored = browser.session
    for number in range(110):
        session_page.show_suggestions(SimpleNamespace(session=stored), SimpleNamespace(pk=number), shown=False)
    assert stored[session_page.DISMISSED] == [str(number) for number in range(10, 110)]


def test_a_chip_fills_the_composer_without_scripts_too(as_user, assessed, ben):
    page = as_user(ben).get(address(assessed.session, "?step=1")).content.decode()
    assert re.search(r"<textarea[^>]*>Read the log</textarea>", page)
    assert f'name="step_handoff" value="{assessed.pk}"' in page
    assert 'name="step_index" value="1"' in page
    for garbage in ("2", "%00", "9" * 4000):
        answer = browser_of(ben, as_user).get(address(assessed.session, f"?step={garbage}"))
        assert re.search(r"<textarea[^>]*></textarea>", answer.content.decode())


def test_chips_are_announced_while_they_may_still_come(as_user, ann, ben):
    handoff = HandoffFactory(by=ann, picker=ben)
    browser = as_user(ben)
    assert "Suggested steps appear here" in browser.get(address(handoff.session)).content.decode()
    assessments.store(handoff, data={"suggested_steps": []}, made_by="playbook")
    assert "Suggested steps appear here" not in browser.get(address(handoff.session)).content.decode()


def test_each_suggested_step_says_what_it_rests_on(as_user, assessed, ben):
    page = as_user(ben).get(address(assessed.session)).content.decode()
    panel = page[page.index("Why these steps") :]
    assert panel.count('href="/runbooks/x/#runbook"') == 2
    assert "Careful." in panel


# Duplicates


@pytest.fixture
def twice(session, ann):
    return [
        sessions.record_step(session, by=ann, description="Restarted the spooler", outcome=how)
        for how in ("failed", "worked")
    ]


def test_a_step_that_stands_there_twice_is_offered_to_be_merged(as_user, session, twice, ann):
    browser, (first, second) = as_user(ann), twice
    merge = address(session, f"steps/{first.pk}/merge/{second.pk}/")
    assert merge in browser.get(address(session)).content.decode()
    answer = browser.post(merge)
    assert answer["Location"] == address(session) + f"#step-{second.pk}"
    page = browser.get(address(session)).content.decode()
    assert f'id="step-{first.pk}"' not in page
    assert "Before: failed, Ann" in page
    assert "/merge/" not in page


def test_merging_with_htmx_brings_the_ledger_with_the_focus_on_what_stands(as_user, session, twice, ann):
    first, second = twice
    answer = as_user(ann).post(address(session, f"steps/{second.pk}/merge/{first.pk}/"), headers=HTMX)
    assert re.findall(r'<li id="step-([^"]+)".*?(autofocus)?>', answer.content.decode()) == [
        (str(second.pk), "autofocus")
    ]
    assert as_user(ann).post(address(session, f"steps/{first.pk}/merge/{second.pk}/")).status_code == 409


def test_both_can_be_kept(as_user, session, twice, ann):
    browser = as_user(ann)
    assert browser.post(address(session, f"steps/{twice[1].pk}/keep-apart/")).status_code == 302
    page = browser.get(address(session)).content.decode()
    assert "/merge/" not in page
    assert page.count('<li id="step-') == 2


@pytest.mark.parametrize("rest", ["steps/{0}/merge/{1}/", "steps/{1}/keep-apart/", "suggestions/"])
def test_who_may_decide_about_the_ledger(rest, as_user, session, twice, ann, ben, vic, zoe, client):
    path = address(session, rest.format(*(step.pk for step in twice)))
    before = rows()
    assert as_user(ann).get(path).status_code == 405
    assert as_user(zoe).post(path).status_code == 404
    assert client.post(path)["Location"] == "/login/"
    if rest != "suggestions/":
        assert [as_user(who).post(path).status_code for who in (ben, vic)] == [403, 403]
        nowhere = path.replace(str(twice[1].pk), NOWHERE)
        assert as_user(ann).post(nowhere).status_code == 404
    assert rows() == before


# What a press does


@pytest.mark.parametrize(("rest", "told"), GOOD.items())
def test_every_form_leads_back_to_the_session(rest, told, as_user, session, ann):
    answer = as_user(ann).post(address(session, rest), told)
    assert answer.status_code == 302
    assert answer["Location"].split("#")[0] == address(session)


def test_a_message_and_a_step_come_back_as_fragments(as_user, session, ann):
    browser = as_user(ann)
    message = browser.post(address(session, "messages/"), GOOD["messages/"], headers=HTMX)
    assert message.status_code == 200
    assert message.content.decode().startswith(f'<li class="message" id="message-{Message.objects.get().pk}"')
    step = browser.post(address(session, "steps/"), GOOD["steps/"], headers=HTMX)
    assert step.content.decode().startswith(f'<li id="step-{TriedStep.objects.get().pk}"')


def test_an_escalation_is_in_the_queue(as_user, session, ann):
    as_user(ann).post(address(session, "escalate/"), GOOD["escalate/"])
    handoff = Handoff.objects.get()
    assert (handoff.reason, handoff.priority, handoff.created_by) == ("It still loops.", "high", ann)


def test_escalating_twice_is_a_conflict(as_user, session, ann):
    browser = as_user(ann)
    answers = [browser.post(address(session, "escalate/"), GOOD["escalate/"]) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 409]
    assert "This session is escalated already." in answers[1].content.decode()
    assert Handoff.objects.count() == 1


@pytest.mark.parametrize(("rest", "told"), GOOD.items())
def test_a_resolved_session_takes_nothing_more(rest, told, as_user, ann):
    session = SessionFactory(by=ann, resolved=True)
    before = rows()
    answer = as_user(ann).post(address(session, rest), told, headers=HTMX)
    assert (answer.status_code, answer["HX-Retarget"]) == (409, "#notice")
    assert "This session is resolved" in answer.content.decode()
    assert rows() == before


# A step of a message


@pytest.fixture
def suggestion(session):
    body = "Delete the token\n\nThat is what worked in “Old case”."
    return sessions.answer(session, to=None, body=body, sources=[{"kind": "runbook", "id": "x", "title": "Tokens"}])


@pytest.mark.parametrize("outcome", TriedStep.Outcome.values)
def test_one_press_records_what_flowpilot_suggested(outcome, as_user, session, suggestion, ann):
    answer = as_user(ann).post(address(session, "steps/"), {"of_message": f"{suggestion.pk}:{outcome}"})
    assert answer.status_code == 302
    step = TriedStep.objects.get()
    assert (step.description, step.outcome, step.source_message) == ("Delete the token", outcome, suggestion)


@pytest.mark.parametrize(
    "of_message",
    [
        "",
        ":",
        "x",
        "x:failed",
        f"{NOWHERE}:failed",
        "{message}",
        "{message}:",
        "{message}:eh",
        "\x00:failed",
        "9" * 5000,
        "{message}:failed:x",
        "{message}\x00:failed",
        "{message}:fail\x00ed",
        "{other}:failed",
    ],
)
def test_a_press_on_no_message_records_nothing(of_message, as_user, session, suggestion, ann):
    other = sessions.post(SessionFactory(by=ann), by=ann, body="Elsewhere")
    told = of_message.replace("{message}", str(suggestion.pk)).replace("{other}", str(other.pk))
    assert browser_of(ann, as_user).post(address(session, "steps/"), {"of_message": told}).status_code == 404
    assert not TriedStep.objects.exists()


# Who may


@pytest.mark.parametrize(("rest", "told"), GOOD.items())
def test_a_get_is_refused(rest, told, as_user, session, ann):
    browser = as_user(ann)
    assert browser.get(address(session, rest), told).status_code == 405
    assert browser.post(address(session, rest), told).status_code == 302


def test_the_page_takes_no_post(as_user, session, ann):
    assert as_user(ann).post(address(session)).status_code == 405
    assert as_user(ann).put("/sessions/").status_code == 405


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize(("rest", "told"), GOOD.items())
def test_only_the_holder_may_and_others_are_told_who_it_is(rest, told, headers, as_user, session, ann, ben, vic):
    before = rows()
    answer = as_user(ben).post(address(session, rest), told, headers=headers)
    assert answer.status_code == 403
    assert "Ann Abel has this session since" in answer.content.decode()
    answer = as_user(vic).post(address(session, rest), told, headers=headers)
    assert answer.status_code == 403
    assert "your role is viewer" in answer.content.decode()
    assert rows() == before
    assert as_user(ann).post(address(session, rest), told).status_code == 302


def test_a_former_holder_reads_and_sees_who_has_it(as_user, ann, ben):
    handoff = HandoffFactory(by=ann, picker=ben)
    browser = as_user(ann)
    assert "Ben Bauer has this session. You can read it." in browser.get(address(handoff.session)).content.decode()
    answer = browser.post(address(handoff.session, "messages/"), GOOD["messages/"])
    assert answer.status_code == 403
    assert "Ben Bauer has this session since" in answer.content.decode()
    assert as_user(ben).post(address(handoff.session, "messages/"), GOOD["messages/"]).status_code == 302


@pytest.mark.parametrize("rest", ["", *GOOD])
def test_another_accounts_session_looks_like_none(rest, as_user, session, ann, zoe):
    def ask(who, path):
        browser = as_user(who)
        return browser.post(path, GOOD[rest]) if rest else browser.get(path)

    before = rows()
    strangers, nowhere = ask(zoe, address(session, rest)), ask(ann, f"/sessions/{NOWHERE}/{rest}")
    assert strangers.status_code == nowhere.status_code == 404
    assert session.title not in strangers.content.decode()
    assert rows() == before
    assert ask(ann, address(session, rest)).status_code in {200, 302}


@pytest.mark.parametrize("rest", ["", *GOOD])
def test_who_is_signed_out_goes_to_the_login(rest, client, session):
    answer = client.post(address(session, rest), GOOD[rest]) if rest else client.get(address(session))
    assert answer["Location"] == ("/login/" if rest else f"/login/?next={address(session)}")
    fragment = client.post(address(session, rest), headers=HTMX)
    assert (fragment.status_code, fragment["HX-Redirect"]) == (204, "/login/")


def test_who_left_is_signed_out(as_user, session, ann):
    browser = as_user(ann)
    assert browser.get(address(session)).status_code == 200
    ann.is_active = False
    ann.save()
    assert browser.get(address(session)).status_code == 302


def test_without_a_csrf_token_nothing_is_written(session, ann):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ann, backend="django.contrib.auth.backends.ModelBackend")
    before = rows()
    assert browser.post(address(session, "messages/"), GOOD["messages/"]).status_code == 403
    assert rows() == before


# Garbage

BAD = [
    ("messages/", "body", "Message", "", "required"),
    ("messages/", "body", "Message", " \n ", "required"),
    ("messages/", "body", "Message", "x" * 10_001, "10000 characters"),
    ("messages/", "body", "Message", "a\x00b", "Null characters"),
    ("messages/", "step_handoff", "Suggested step", "garbage", "valid UUID"),
    ("messages/", "step_handoff", "Suggested step", "\x00", "valid UUID"),
    ("messages/", "step_index", "Suggested step", "garbage", "whole number"),
    ("messages/", "step_index", "Suggested step", "-1", "greater than or equal to 0"),
    ("messages/", "step_index", "Suggested step", "9" * 30, "less than or equal to 99"),
    ("messages/", "step_index", "Suggested step", "9" * 5000, "whole number"),
    ("messages/", "step_index", "Suggested step", "\x00", "whole number"),
    ("steps/", "description", "Step", "", "required"),
    ("steps/", "description", "Step", "  ", "required"),
    ("steps/", "description", "Step", "x" * 1001, "1000 characters"),
    ("steps/", "description", "Step", "a\x00b", "Null characters"),
    ("steps/", "outcome", "Outcome", "", "required"),
    ("steps/", "outcome", "Outcome", "maybe", "not one of the available choices"),
    ("steps/", "outcome", "Outcome", "fail\x00ed", "not one of the available choices"),
    ("steps/", "note", "Note", "x" * 1001, "1000 characters"),
    ("steps/", "note", "Note", "a\x00b", "Null characters"),
    ("escalate/", "reason", "Reason", "", "required"),
    ("escalate/", "reason", "Reason", "\r\n", "required"),
    ("escalate/", "reason", "Reason", "x" * 2001, "2000 characters"),
    ("escalate/", "reason", "Reason", "a\x00b", "Null characters"),
    ("escalate/", "priority", "Priority", "panic", "not one of the available choices"),
    ("escalate/", "priority", "Priority", "", "required"),
    ("resolve/", "resolution", "What fixed it", "", "required"),
    ("resolve/", "resolution", "What fixed it", " ", "required"),
    ("resolve/", "resolution", "What fixed it", "x" * 5001, "5000 characters"),
    ("resolve/", "resolution", "What fixed it", "a\x00b", "Null characters"),
]


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
@pytest.mark.parametrize(
    ("rest", "field", "label", "value", "words"),
    BAD,
    ids=[f"{rest}{field}-{words}" for rest, field, _, _, words in BAD],
)
def test_what_cannot_be_kept_is_named_and_the_rest_of_the_text_stays(
    rest, field, label, value, words, headers, as_user, session, ann
):
    before = rows()
    answer = browser_of(ann, as_user).post(address(session, rest), GOOD[rest] | {field: value}, headers=headers)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert re.search(f'<p class="error"[^>]*>{label}: [^<]*{words}', page)
    for name, typed in GOOD[rest].items():
        assert name == field or typed in page
    assert rows() == before
    if len(value) > 1000 and field in GOOD[rest]:
        assert value in page


@pytest.mark.parametrize("rest", GOOD)
def test_an_empty_post_is_wrong(rest, as_user, session, ann):
    assert browser_of(ann, as_user).post(address(session, rest), {}).status_code == 422


@pytest.mark.parametrize("rest", GOOD)
@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x", "nonsense"])
def test_a_body_of_another_kind_is_wrong(rest, kind, as_user, session, ann):
    answer = browser_of(ann, as_user).post(address(session, rest), b'{"body": "\xff"}', content_type=kind)
    assert answer.status_code in {400, 422}


def test_text_that_is_no_utf8_is_taken_as_far_as_it_is(as_user, session, ann):
    answer = browser_of(ann, as_user).post(
        address(session, "messages/"), b"body=%ff%fe%ed%a0%80x", content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 302
    assert Message.objects.get().body.endswith("x")


@pytest.mark.parametrize(
    "text", ["\u202ereversed", "👩‍👩‍👧", "e\u0301" * 50, "\ufeffx", "\ud7ff\U0010ffff", "'; DROP TABLE --"]
)
def test_any_text_can_be_said(text, as_user, session, ann):
    as_user(ann).post(address(session, "messages/"), {"body": text})
    assert Message.objects.get().body == text


@pytest.mark.parametrize("key", ["x", "1", "%00", uuid.UUID(int=0).hex])
def test_what_is_no_id_is_not_found(key, as_user, ann):
    browser = browser_of(ann, as_user)
    assert browser.get(f"/sessions/{key}/").status_code == 404
    assert browser.post(f"/sessions/{key}/messages/", GOOD["messages/"]).status_code == 404


def test_a_page_of_a_long_session_asks_the_database_little(as_user, ann, ben, django_assert_max_num_queries):
    session = SessionFactory(by=ann)
    for number in range(5):
        sessions.post(session, by=ann, body=f"Line {number}")
        sessions.record_step(session, by=ann, description=f"Step {number}", outcome="failed")
    handoffs.escalate(session, by=ann, reason="Stuck.")
    browser = as_user(ben)
    browser.get(address(session))
    with django_assert_max_num_queries(12):
        browser.get(address(session))
