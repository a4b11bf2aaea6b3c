"""The truth, to be read: sessions, handoffs, assessments and the feed in the admin."""

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from escalations.actions import assessments, feedback, sessions
from escalations.admin.readable import readable
from escalations.models import AISession, Assessment, FeedEvent, Handoff, Message
from resolutionflow.accounts.models import User
from tests.factories import HandoffFactory, SessionFactory

pytestmark = pytest.mark.django_db

LISTS = ["aisession", "handoff", "feedevent", "assessment"]
DATA = {
    "summary_prose": "Cached <b>tokens</b> outlived the move.",
    "what_we_know": ["14 people are affected"],
    "likely_cause": "A stale token cache.",
    "suggested_steps": [{"text": "Delete the token cache", "sources": []}],
    "confidence": "medium",
    "sources": [],
}


def listing(name: str) -> str:
    return reverse(f"admin:escalations_{name}_changelist")


def page(row, view: str = "change") -> str:
    return reverse(f"admin:escalations_{row._meta.model_name}_{view}", args=[row.pk])


def rows_of(handoff: Handoff) -> list:
    return [handoff.session, handoff, FeedEvent.objects.filter(handoff=handoff).first(), handoff.assessment]


def ask(browser, action: str, *handoffs: Handoff):
    form = {"action": action, "_selected_action": [str(handoff.pk) for handoff in handoffs]}
    return browser.post(listing("handoff"), form, follow=True)


def kinds() -> list[str]:
    return list(FeedEvent.objects.order_by("seq").values_list("kind", flat=True))


@pytest.fixture
def ours(ann) -> Handoff:
    session = SessionFactory(by=ann, title="Outlook loops at Brightwater", ticket_ref="#1001")
    return HandoffFactory(by=ann, session=session)


@pytest.fixture
def theirs(zoe) -> Handoff:
    session = SessionFactory(by=zoe, title="Printer smokes at Zenith", client_name="Zenith Foods", ticket_ref="#2002")
    return HandoffFactory(by=zoe, session=session)


# Whose rows


@pytest.mark.parametrize("name", LISTS)
def test_lists_work_and_show_the_account_only(adam, sam, ours, theirs, as_user, name):
    seen_by_sam, seen_by_adam = (as_user(person).get(listing(name)) for person in (sam, adam))
    for title in ("Outlook loops", "Printer smokes"):
        assert title in seen_by_sam.text
    assert "Outlook loops" in seen_by_adam.text
    for word in ("Printer smokes", "Zenith", "Zoe", "Summit", str(theirs.account_id), str(theirs.pk)):
        assert word not in seen_by_adam.text


def test_pages_work(adam, sam, ours, as_user):
    for person in (adam, sam):
        for row in rows_of(ours):
            for view in ("change", "history"):
                answer = as_user(person).get(page(row, view))
                assert answer.status_code == 200, (person, row, view)
                assert "Outlook loops" in answer.text or view == "history"


@pytest.mark.parametrize("name", ["ann", "olga", "vic"])
def test_an_engineer_an_owner_and_a_viewer_are_refused(request, adam, ours, as_user, name):
    for address in [listing("handoff"), page(ours), page(ours.session)]:
        assert as_user(adam).get(address).status_code == 200
        assert as_user(request.getfixturevalue(name)).get(address, follow=True).status_code == 403


@pytest.mark.parametrize("view", ["change", "history", "delete"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_another_accounts_row_is_a_404(adam, sam, theirs, as_user, view, method):
    for row in rows_of(theirs):
        assert getattr(as_user(sam), method)(page(row, view)).status_code in {200, 403}
        assert getattr(as_user(adam), method)(page(row, view)).status_code == 404


@pytest.mark.parametrize("key", ["00000000-0000-4000-8000-000000000000", "nonsense", "1" * 40, "_00", "-1"])
def test_a_row_that_is_nowhere_is_a_404(adam, ours, as_user, key):
    for name in LISTS:
        assert as_user(adam).get(f"/admin/escalations/{name}/{key}/change/").status_code == 404


@pytest.mark.parametrize("name", LISTS)
def test_searching_finds_titles_clients_tickets_and_stays_within_the_account(adam, ours, theirs, as_user, name):
    for word in ("outlook loops", "brightwater", "#1001"):
        assert "Outlook loops" in as_user(adam).get(listing(name), {"q": word}).text
    assert "Outlook loops" not in as_user(adam).get(listing(name), {"q": "printer"}).text
    for word in ("printer", "zenith", "#2002", "zoe"):
        assert "Printer smokes" not in as_user(adam).get(listing(name), {"q": word}).text


def test_handoffs_are_found_by_who_has_them(adam, ann, ben, ours, as_user):
    HandoffFactory(by=ben, picker=ann, session=SessionFactory(by=ben, title="VPN drops"))
    assert "VPN drops" in as_user(adam).get(listing("handoff"), {"q": "ben bauer"}).text
    assert "Outlook loops" not in as_user(adam).get(listing("handoff"), {"q": "ben bauer"}).text


@pytest.mark.parametrize("name", LISTS)
def test_filters_offer_no_other_account(adam, sam, ours, theirs, as_user, name):
    assert f"__id__exact={theirs.account_id}" in as_user(sam).get(listing(name)).text
    assert "account" not in as_user(adam).get(listing(name)).context["cl"].get_query_string()
    assert str(theirs.account_id) not in as_user(adam).get(listing(name)).text


def test_sam_sees_one_account_by_filter(sam, ours, theirs, as_user):
    shown = as_user(sam).get(listing("handoff"), {"account__id__exact": str(theirs.account_id)}).text
    assert "Printer smokes" in shown
    assert "Outlook loops" not in shown


@pytest.mark.parametrize(
    "lookup",
    [
        "account__id__exact",
        "account__slug",
        "created_by__password__startswith",
        "session__holder__password__startswith",
        "session__account__name",
        "snapshot__session__title",
    ],
)
def test_an_address_cannot_be_used_to_guess(adam, ours, theirs, as_user, lookup):
    assert as_user(adam).get(listing("handoff"), {"state__exact": "waiting"}).status_code == 200
    assert as_user(adam).get(listing("handoff"), {lookup: str(theirs.account_id)}).status_code == 400


def test_no_input_breaks_a_list(adam, sam, ours, as_user):
    questions = [
        {"q": "\x00"},
        {"state__exact": "\x00"},
        {"assessment": "\x00"},
        {"created_at__gte": "nonsense"},
        {"created_at__gte": "9999-12-31 23:59:59-12:00"},
        {"created_at__gte": "0001-01-01 00:00:00+14:00"},
        {"p": "-1"},
        {"p": "9" * 30},
        {"o": "9" * 30},
        {"account__id__exact": "nonsense"},
        {"_facets": "True"},
    ]
    for person in (adam, sam):
        for question in questions:
            for name in LISTS:
                assert as_user(person).get(listing(name), question).status_code < 500, (person, name, question)
        form = {"action": "put_back", "_selected_action": "nonsense"}
        assert as_user(person).post(listing("handoff"), form).status_code == 400


# Filters


def test_handoffs_are_filtered_by_state_and_priority(adam, ann, ben, ours, as_user):
    HandoffFactory(by=ann, picker=ben, priority="urgent", session=SessionFactory(by=ann, title="VPN drops"))
    for question in ({"state__exact": "picked_up"}, {"priority__exact": "urgent"}):
        shown = as_user(adam).get(listing("handoff"), question).text
        assert "VPN drops" in shown
        assert "Outlook loops" not in shown


@pytest.mark.parametrize("name", ["handoff", "assessment"])
def test_an_assessment_past_its_deadline_is_found_as_timed_out(adam, ours, as_user, name):
    def found(state: str) -> bool:
        return "Outlook loops" in as_user(adam).get(listing(name), {"assessment": state}).text

    assert (found("pending"), found("timed_out"), found("ready")) == (True, False, False)
    Assessment.objects.update(deadline="2020-01-01T00:00Z")
    assert (found("pending"), found("timed_out"), found("ready")) == (False, True, False)
    assessments.store(ours, data=DATA, made_by="playbook")
    assert (found("pending"), found("timed_out"), found("ready")) == (False, False, True)


def test_the_feed_is_newest_first_and_filtered_by_kind(adam, ann, ben, as_user):
    HandoffFactory(by=ann, picker=ben, released=True)
    everything = as_user(adam).get(listing("feedevent")).context["cl"].result_list
    assert [event.seq for event in everything] == [3, 2, 1]
    released = as_user(adam).get(listing("feedevent"), {"kind__exact": "handoff_released"}).context["cl"].result_list
    assert [event.seq for event in released] == [3]


# What is shown


def test_an_assessment_shows_the_votes_of_its_pickers(adam, ann, ben, as_user):
    handoff = HandoffFactory(by=ann, picker=ben)
    assessments.store(handoff, data=DATA, made_by="playbook")
    feedback.judge(handoff, by=ben, helpful=False, why="Another <b>product</b>")
    seen = as_user(adam).get(page(handoff.assessment)).text
    assert "Another &lt;b&gt;product" in seen


def test_a_handoff_shows_its_snapshot_and_assessment_as_escaped_text(adam, ours, as_user):
    assessments.store(ours, data=DATA, made_by="playbook")
    shown = as_user(adam).get(page(ours)).text
    assert "Summary prose: Cached &lt;b&gt;tokens&lt;/b&gt; outlived the move." in shown
    assert "<b>tokens" not in shown
    assert "Client name: Brightwater Dental" in shown
    assert "Text: Delete the token cache" in shown


def test_a_handoff_leads_to_its_context_screen(adam, sam, ours, as_user):
    link = f'<a href="/handoffs/{ours.pk}/">'
    assert link in as_user(adam).get(page(ours)).text
    assert link not in as_user(sam).get(page(ours)).text  # who has no queue


def test_a_session_shows_its_messages_and_steps(adam, ann, as_user):
    session = SessionFactory(by=ann)
    sessions.post(session, by=ann, body="The <script>cache</script> was stale")
    sessions.record_step(session, by=ann, description="Cleared the cache", outcome="failed")
    shown = as_user(adam).get(page(session)).text
    assert "The &lt;script&gt;cache&lt;/script&gt; was stale" in shown
    assert "Cleared the cache" in shown


def test_readable_text_is_indented_wrapped_and_escaped():
    value = {"a_list": ["<x>", {"deep": "word " * 40, "text": "first"}], "none": None, "empty": [], "lines": "1\n2"}
    lines = readable(value).split("\n")
    assert lines[:4] == ["<pre>A list:", "  - &lt;x&gt;", "  - Text: first", "    Deep: " + ("word " * 20).strip()]
    assert lines[4] == "      " + ("word " * 20).strip()
    assert lines[5:] == ["None: –", "Empty: –", "Lines: 1", "  2</pre>"]
    assert readable(None) == readable({}) == "<pre>–</pre>"


def test_lists_ask_the_same_questions_however_long_they_are(adam, sam, ann, ben, as_user):
    for person in (adam, sam):
        for name in LISTS:
            counts = []
            as_user(person).get(listing(name))  # what is asked once per process
            for _ in range(2):
                for _ in range(3):
                    HandoffFactory(by=ann, picker=ben)
                with CaptureQueriesContext(connection) as queries:
                    assert as_user(person).get(listing(name)).status_code == 200
                counts.append(len(queries))
            assert counts[0] == counts[1], (person, name)


def test_a_sessions_page_asks_the_same_questions_however_long_it_is(adam, ann, as_user):
    session, counts = SessionFactory(by=ann), []
    as_user(adam).get(page(session))  # what is asked once per process
    for _ in range(2):
        for number in range(4):
            sessions.post(session, by=ann, body=f"Message {number}")
            sessions.record_step(session, by=ann, description=f"Step {number}", outcome="failed")
        with CaptureQueriesContext(connection) as queries:
            assert as_user(adam).get(page(session)).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_pages_keep_to_the_content_security_policy(adam, sam, ours, as_user):
    addresses = [listing(name) for name in LISTS] + [page(row) for row in rows_of(ours)]
    for person in (adam, sam):
        for address in addresses:
            shown = as_user(person).get(address)
            assert "script-src 'self'" in shown.headers["Content-Security-Policy"]
            for inline in ("<style", ' style="', " onclick=", "<script>"):
                assert inline not in shown.text, (address, inline)


# Nothing is edited


def test_no_form_adds_changes_or_deletes_anything(adam, sam, ours, as_user):
    before = [list(model.objects.order_by("pk").values()) for model in (AISession, Handoff, FeedEvent, Message)]
    for person in (adam, sam):
        for row in rows_of(ours):
            assert as_user(person).get(page(row)).status_code == 200
            name = row._meta.model_name
            forged = {"state": "resolved", "title": "forged", "kind": "handoff_resolved", "_save": "Save"}
            assert as_user(person).post(page(row), forged).status_code == 403
            assert as_user(person).post(page(row, "delete"), {"post": "yes"}).status_code == 403
            assert as_user(person).get(f"/admin/escalations/{name}/add/").status_code == 403
            assert as_user(person).post(f"/admin/escalations/{name}/add/", forged).status_code == 403
            bulk = {"_save": "Save", "form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-state": "resolved"}
            as_user(person).post(listing(name), bulk | {"form-0-id": str(row.pk)})
            as_user(person).post(listing(name), {"action": "delete_selected", "_selected_action": str(row.pk)})
    after = [list(model.objects.order_by("pk").values()) for model in (AISession, Handoff, FeedEvent, Message)]
    assert after == before


def test_pages_offer_no_save_and_lists_no_delete(adam, sam, ours, as_user):
    for person in (adam, sam):
        for row in rows_of(ours):
            shown = as_user(person).get(page(row)).text
            assert "Outlook loops" in shown
            assert 'name="_save"' not in shown
            assert "deletelink" not in shown
            assert "delete_selected" not in as_user(person).get(listing(row._meta.model_name)).text


# The two verbs


def test_adam_puts_a_handoff_back_into_the_queue(adam, ann, ben, as_user):
    handoff = HandoffFactory(by=ann, picker=ben)
    answer = ask(as_user(adam), "put_back", handoff)
    assert "put back into the queue." in answer.text
    handoff.refresh_from_db()
    assert (handoff.state, handoff.picked_up_by) == ("waiting", None)
    assert kinds() == ["handoff_created", "handoff_picked_up", "handoff_released"]
    event = FeedEvent.objects.latest("seq")
    assert (event.actor, event.data) == (adam, {"reason": "", "on_behalf_of": str(ben.pk)})
    assert handoff.session.messages.last().body == "Adam Admin put it back into the queue for Ben Bauer."
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.change_message) == (adam, str(handoff.pk), "Put back into the queue.")


def test_adam_takes_a_handoff_back(adam, ann, ours, as_user):
    answer = ask(as_user(adam), "take_back", ours)
    assert "taken back." in answer.text
    ours.refresh_from_db()
    assert ours.state == "taken_back"
    assert ours.session.holder == ann
    event = FeedEvent.objects.latest("seq")
    assert (event.actor, event.data) == (adam, {"on_behalf_of": str(ann.pk)})
    assert kinds() == ["handoff_created", "handoff_taken_back"]
    assert LogEntry.objects.get().user == adam


def test_sam_may_do_both(sam, ann, ben, ours, as_user):
    picked_up = HandoffFactory(by=ann, picker=ben)
    ask(as_user(sam), "take_back", ours)
    ask(as_user(sam), "put_back", picked_up)
    assert kinds()[-2:] == ["handoff_taken_back", "handoff_released"]


def test_a_refusal_is_said_and_the_others_are_done(adam, ann, ben, ours, as_user):
    picked_up = HandoffFactory(by=ann, picker=ben, session=SessionFactory(by=ann, title="VPN drops"))
    answer = ask(as_user(adam), "put_back", ours, picked_up)
    assert "Outlook loops at Brightwater: It is waiting, so there is nothing to put back." in answer.text
    assert "VPN drops: put back into the queue." in answer.text
    assert kinds().count("handoff_released") == 1


@pytest.mark.parametrize(
    ("action", "state", "said"),
    [
        ("take_back", {"picker": True}, "Ben Bauer has it already."),
        ("take_back", {"taken_back": True}, "It is taken back already."),
        ("put_back", {"taken_back": True}, "It is taken back, so there is nothing to put back."),
        ("put_back", {"picker": True, "resolved": True}, "It is resolved, so there is nothing to put back."),
    ],
)
def test_what_came_too_late_is_refused_in_words(adam, ann, ben, as_user, action, state, said):
    handoff = HandoffFactory(by=ann, **(state | ({"picker": ben} if "picker" in state else {})))
    before = kinds()
    assert said in ask(as_user(adam), action, handoff).text
    assert kinds() == before
    assert not LogEntry.objects.exists()


def test_what_somebody_has_who_is_switched_off_can_be_put_back(adam, ann, ben, as_user):
    handoff = HandoffFactory(by=ann, picker=ben)
    User.objects.filter(pk=ben.pk).update(is_active=False)
    assert "put back into the queue." in ask(as_user(adam), "put_back", handoff).text
    assert Handoff.objects.get(pk=handoff.pk).state == "waiting"


def test_another_accounts_handoffs_stay_as_they_are(adam, ours, theirs, as_user):
    ask(as_user(adam), "take_back", ours, theirs)
    assert Handoff.objects.get(pk=ours.pk).state == "taken_back"
    assert Handoff.objects.get(pk=theirs.pk).state == "waiting"
    form = {"action": "take_back", "select_across": "1", "_selected_action": str(theirs.pk), "index": "0"}
    as_user(adam).post(listing("handoff"), form)
    assert Handoff.objects.get(pk=theirs.pk).state == "waiting"


def test_olga_cannot_call_the_verbs(adam, olga, ours, as_user):
    assert ask(as_user(olga), "take_back", ours).status_code == 403
    assert Handoff.objects.get(pk=ours.pk).state == "waiting"
    ask(as_user(adam), "take_back", ours)
    assert Handoff.objects.get(pk=ours.pk).state == "taken_back"
