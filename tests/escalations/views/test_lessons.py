"""What was solved for somebody: on their queue page, on the handoff's screen, and ticked off."""

import pytest

from escalations.actions import lessons, sessions, steps
from escalations.models import Lesson
from tests.factories import HandoffFactory, SessionFactory

pytestmark = pytest.mark.django_db
FIX = "The Outlook profile was broken. Made a new Outlook profile."


@pytest.fixture
def handoff(ann, ben):
    session = SessionFactory(by=ann)
    steps.record_step(session, by=ann, description="Made a new Outlook profile", outcome="failed")
    handoff = HandoffFactory(by=ann, session=session, picker=ben)
    sessions.resolve(handoff.session, by=ben, resolution=FIX)
    lessons.compare(handoff.pk)
    return handoff


def page(client, address):
    return " ".join(client.get(address).content.decode().split())


def test_the_escalators_queue_says_who_solved_what_and_how_close_they_were(as_user, handoff, ann, ben):
    shown = page(as_user(ann), "/queue/")
    for told in ("Solved for you", "Ben Bauer solved it", FIX, f'href="/handoffs/{handoff.pk}/#what-fixed-it"'):
        assert told in shown
    assert 'You were close: ‘Made a new Outlook profile’ <span class="soft">(failed)</span>' in shown
    assert FIX not in page(as_user(ben), "/queue/")


def test_the_list_alone_is_for_who_asks(as_user, handoff, ann, ben, zoe):
    assert FIX in page(as_user(ann), "/queue/lessons/")
    for other in (ben, zoe):
        answer = as_user(other).get("/queue/lessons/")
        assert (answer.status_code, FIX in answer.content.decode()) == (200, False)
    assert as_user(ann).post("/queue/lessons/").status_code == 405


def test_a_list_that_is_not_compared_yet_says_so_to_the_script(as_user, handoff, ann):
    assert "data-being-compared" not in page(as_user(ann), "/queue/lessons/")
    Lesson.objects.update(compared_at=None, closest=None)
    shown = page(as_user(ann), "/queue/lessons/")
    assert "data-being-compared" in shown
    assert "You were close" not in shown


def test_the_list_names_ones_own_open_handoffs_and_no_others(as_user, handoff, ann, ben, olga):
    waiting, picked = HandoffFactory(by=ann), HandoffFactory(by=ann, picker=ben)
    theirs = HandoffFactory(by=olga)
    shown = page(as_user(ann), "/queue/lessons/")
    assert str(waiting.pk) in shown
    assert str(picked.pk) in shown
    assert str(theirs.pk) not in shown


def test_got_it_leads_back_to_where_it_was_pressed(as_user, handoff, ann):
    ann_ = as_user(ann)
    assert ann_.post(f"/handoffs/{handoff.pk}/got-it/").headers["location"] == "/queue/"
    on_screen = ann_.post(f"/handoffs/{handoff.pk}/got-it/", {"from": "handoff"})
    assert on_screen.headers["location"] == f"/handoffs/{handoff.pk}/#what-fixed-it"
    assert FIX not in page(ann_, "/queue/")
    assert Lesson.objects.get().got_at


def test_by_a_script_got_it_answers_with_what_is_left(as_user, handoff, ann, ben):
    other = HandoffFactory(by=ann, picker=ben, resolved=True)
    answer = as_user(ann).post(f"/handoffs/{handoff.pk}/got-it/", headers={"HX-Request": "true"})
    shown = answer.content.decode()
    assert (str(other.pk) in shown, str(handoff.pk) in shown) == (True, False)
    assert "autofocus" in shown


def test_looking_marks_nothing(as_user, handoff, ann):
    for address in ("/queue/", "/queue/lessons/", f"/handoffs/{handoff.pk}/", f"/handoffs/{handoff.pk}/got-it/"):
        as_user(ann).get(address)
    assert Lesson.objects.get().got_at is None


def test_only_who_escalated_may_say_so(as_user, handoff, ben, vic, zoe):
    address = f"/handoffs/{handoff.pk}/got-it/"
    answers = [as_user(person).post(address).status_code for person in (ben, vic, zoe)]
    assert answers == [403, 403, 404]
    assert Lesson.objects.get().got_at is None


def test_there_is_nothing_to_know_of_what_is_still_open(as_user, ann, ben):
    picked = HandoffFactory(by=ann, picker=ben)
    assert as_user(ann).post(f"/handoffs/{picked.pk}/got-it/").status_code == 409


def test_the_handoffs_screen_says_what_fixed_it_to_everybody(as_user, handoff, ann, ben):
    to_ann, to_ben = (page(as_user(person), f"/handoffs/{handoff.pk}/") for person in (ann, ben))
    for shown in (to_ann, to_ben):
        assert "What fixed it" in shown
        assert f'href="/sessions/{handoff.session_id}/#resolution"' in shown
        assert "among what FlowPilot searches" in shown
    assert "You were close" in to_ann
    assert "Ann Abel was close" in to_ben
    assert ("Got it" in to_ann, "Got it" in to_ben) == (True, False)


def test_while_it_is_open_nothing_fixed_it(as_user, ann, ben):
    assert "What fixed it" not in page(as_user(ben), f"/handoffs/{HandoffFactory(by=ann, picker=ben).pk}/")


def test_a_handoff_from_before_there_were_lessons_says_what_fixed_it_too(as_user, handoff, ann):
    Lesson.objects.all().delete()
    shown = page(as_user(ann), f"/handoffs/{handoff.pk}/")
    assert (FIX in shown, "Got it" in shown, "You were close" in shown) == (True, False, False)


def test_nobody_claims_a_search_where_ai_is_switched_off(as_user, handoff, ann, harbor):
    addresses = (f"/handoffs/{handoff.pk}/", f"/sessions/{handoff.session_id}/")
    for address in addresses:
        assert "FlowPilot searches" in page(as_user(ann), address)
    harbor.ai = "none"
    harbor.save()
    for address in addresses:
        assert "FlowPilot searches" not in page(as_user(ann), address)


def test_a_viewer_has_no_such_list(as_user, handoff, vic):
    assert "Solved for you" not in page(as_user(vic), "/queue/")
