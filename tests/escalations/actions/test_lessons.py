"""Whoever escalated learns what fixed it, and which of their steps was closest."""

import asyncio
from datetime import timedelta

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from escalations import lessons as told
from escalations import tasks
from escalations.actions import handoffs, jobs, lessons, pruning, sessions, steps
from escalations.actions.refusals import Conflict, NotAllowed
from escalations.assessor import sentences
from escalations.models import Handoff, Lesson
from tests.factories import HandoffFactory, SessionFactory
from tests.weights import needs_weights

FIX = "The Outlook profile was broken by the tenant move. Made a new Outlook profile for each of them."


def solved(ann, ben, *tried, fix=FIX, worked=""):
    """A handoff that ann escalated after these steps, and ben resolved."""
    session = SessionFactory(by=ann)
    for description in tried:
        steps.record_step(session, by=ann, description=description, outcome="failed")
    handoff = HandoffFactory(by=ann, session=session, picker=ben)
    if worked:
        steps.record_step(handoff.session, by=ben, description=worked, outcome="worked")
    sessions.resolve(handoff.session, by=ben, resolution=fix)
    return Handoff.objects.for_context().get(pk=handoff.pk)


def closest(handoff):
    lessons.compare(handoff.pk)
    step = Lesson.objects.get(handoff=handoff).closest
    return step and step.description


@pytest.mark.django_db
def test_resolving_tells_whoever_escalated_and_nobody_else(ann, ben, harbor):
    handoff = solved(ann, ben)
    (lesson,) = told.for_learner(ann, harbor).lessons
    assert (lesson.handoff, lesson.closest, lesson.got_at) == (handoff, None, None)
    assert told.for_learner(ben, harbor).lessons == []
    (job,) = ProcrastinateJob.objects.filter(task_name=jobs.COMPARE)
    assert job.args == {"handoff_id": str(handoff.pk)}


@pytest.mark.django_db
def test_who_solved_it_alone_or_took_it_back_has_nothing_to_learn(ann, ben, harbor):
    SessionFactory(by=ann, resolved=True)
    waiting = HandoffFactory(by=ann)
    sessions.resolve(waiting.session, by=ann, resolution="It was the cable.")
    back = HandoffFactory(by=ann)
    handoffs.take_back(back, by=ann)
    assert not Lesson.objects.exists()
    solved(ann, ben)
    assert Lesson.objects.count() == 1


@needs_weights
@pytest.mark.django_db(transaction=True)
def test_the_worker_finds_the_closest_step_once(ann, ben):
    handoff = solved(ann, ben, "Cleared the DNS cache", "Repaired the profile in Outlook", "Replaced the network cable")
    asyncio.run(tasks.compare(str(handoff.pk)))
    lesson = Lesson.objects.get()
    assert lesson.closest.description == "Repaired the profile in Outlook"
    first = lesson.compared_at
    asyncio.run(tasks.compare(str(handoff.pk)))
    assert Lesson.objects.get().compared_at == first is not None


@needs_weights
@pytest.mark.django_db
def test_a_step_may_be_close_to_what_a_colleague_did_rather_than_to_what_they_wrote(ann, ben):
    tried = ("Restarted the spooler", "Set up the shared mailbox in Outlook anew")
    far = closest(solved(ann, ben, *tried, fix="All good now."))
    near = closest(
        solved(ann, ben, *tried, fix="All good now.", worked="Removed and re-added the shared mailbox in Outlook")
    )
    assert (far, near) == (None, tried[1])


@pytest.mark.parametrize("weights", [pytest.param(True, marks=needs_weights), False])
@pytest.mark.django_db
def test_where_no_step_is_near_nothing_is_said_of_it(ann, ben, weights):
    def found():
        near = closest(solved(ann, ben, "Made a new Outlook profile", "Replaced the network cable"))
        return near, closest(solved(ann, ben, "Replaced the network cable")), closest(solved(ann, ben))

    if weights:
        assert found() == ("Made a new Outlook profile", None, None)
    else:
        with sentences.left_out():
            assert found() == ("Made a new Outlook profile", None, None)


@pytest.mark.django_db
def test_the_steps_of_others_are_not_theirs(ann, ben):
    handoff = solved(ann, ben, "Replaced the network cable", worked="Made a new Outlook profile")
    assert closest(handoff) is None


@pytest.mark.django_db
def test_got_it_takes_it_off_the_list_for_good(ann, ben, harbor):
    handoff = solved(ann, ben)
    lessons.got_it(handoff, by=ann)
    first = Lesson.objects.get().got_at
    lessons.got_it(handoff, by=ann)
    assert Lesson.objects.get().got_at == first is not None
    assert told.for_learner(ann, harbor).lessons == []


@pytest.mark.django_db
def test_only_who_escalated_gets_it_and_only_once_it_is_resolved(ann, ben):
    handoff = solved(ann, ben)
    with pytest.raises(NotAllowed, match="Ann Abel escalated it"):
        lessons.got_it(handoff, by=ben)
    with pytest.raises(Conflict, match="not resolved"):
        lessons.got_it(HandoffFactory(by=ann, picker=ben), by=ann)
    assert Lesson.objects.get().got_at is None


@pytest.mark.django_db
def test_the_newest_three_are_shown_and_the_rest_counted(ann, ben, harbor):
    done = [solved(ann, ben) for _ in range(5)]
    list_ = told.for_learner(ann, harbor)
    assert [lesson.handoff for lesson in list_.lessons] == done[:1:-1]
    assert list_.more == 2
    lessons.got_it(done[4], by=ann)
    assert told.for_learner(ann, harbor).more == 1


@pytest.mark.django_db
def test_what_nobody_ticks_off_is_no_news_after_a_month(ann, ben, harbor, monkeypatch):
    solved(ann, ben)
    now = told.timezone.now()
    for days, count in ((29, 1), (31, 0)):
        monkeypatch.setattr(told.timezone, "now", lambda days=days: now + timedelta(days=days))
        assert len(told.for_learner(ann, harbor).lessons) == count


@pytest.mark.django_db
def test_with_the_texts_goes_the_lesson_from_the_list(ann, ben, harbor):
    handoff = solved(ann, ben, "Made a new Outlook profile")
    lessons.compare(handoff.pk)
    assert told.for_learner(ann, harbor).lessons
    pruning.prune(harbor, before=handoff.resolved_at.replace(year=2099), command="prune")
    assert told.for_learner(ann, harbor).lessons == []
    assert Lesson.objects.get().closest.description == ""
