"""What is written and not sent is kept for its person, and never comes back once it was sent."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from escalations.actions import drafts, handoffs, sessions
from escalations.actions.refusals import NotAllowed
from escalations.models import Draft
from tests.factories import HandoffFactory, SessionFactory

pytestmark = pytest.mark.django_db


def keep(session, by, text, *, field="message", sent=0, page="a", turn=1, **more):
    drafts.keep(session, by=by, field=field, text=text, sent=sent, page=page, turn=turn, **more)


def kept(session, by, field="message"):
    return drafts.of(session, by=by)[field].text


@pytest.fixture
def session(ann):
    return SessionFactory(by=ann)


def test_a_draft_is_its_persons_alone_and_each_field_has_its_own(session, ann, ben):
    keep(session, ann, "  half a thought\n")
    keep(session, ann, "stuck at", field="reason")
    assert (kept(session, ann), kept(session, ann, "reason")) == ("  half a thought\n", "stuck at")
    assert (kept(session, ben), kept(session, ann, "resolution")) == ("", "")


def test_the_text_is_sealed_where_it_is_stored(session, ann):
    keep(session, ann, "password: Hunter2-secret!")
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM escalations_draft AS t")
        (row,) = cursor.fetchone()
    assert "Hunter2" not in row
    assert kept(session, ann) == "password: Hunter2-secret!"


def test_one_that_was_sealed_with_another_key_is_none(session, ann, settings):
    keep(session, ann, "half a thought")
    settings.SECRET_KEY = "another"
    assert kept(session, ann) == ""


def test_an_empty_one_is_none(session, ann):
    keep(session, ann, "half a thought")
    keep(session, ann, " \n", turn=2)
    assert kept(session, ann) == ""
    assert Draft.objects.get().sealed == ""


def test_a_viewer_keeps_none(session, vic):
    with pytest.raises(NotAllowed):
        keep(session, vic, "half a thought")


def test_a_save_that_was_overtaken_on_its_way_changes_nothing(session, ann):
    keep(session, ann, "half a thought and more", turn=2)
    keep(session, ann, "half a thou", turn=1)
    assert kept(session, ann) == "half a thought and more"
    keep(session, ann, "another page's", page="b", turn=1)
    assert kept(session, ann) == "another page's"


def test_what_was_sent_is_gone_and_a_late_save_does_not_bring_it_back(session, ann):
    keep(session, ann, "half a thou")
    sessions.post(session, by=ann, body="half a thought", from_draft=True)
    with pytest.raises(drafts.Late) as late:
        keep(session, ann, "half a thought", turn=2)
    assert (kept(session, ann), late.value.sent) == ("", 1)
    keep(session, ann, "the next thought", sent=1, turn=3)
    assert kept(session, ann) == "the next thought"


def test_what_was_sent_before_it_was_ever_saved_does_not_come_back_either(session, ann):
    sessions.post(session, by=ann, body="quick", from_draft=True)
    with pytest.raises(drafts.Late):
        keep(session, ann, "quick")
    assert kept(session, ann) == ""


def test_escalating_and_resolving_take_their_drafts_along_and_leave_the_others(session, ann):
    for field in Draft.Field.values:
        keep(session, ann, f"my {field}", field=field)
    handoffs.escalate(session, by=ann, reason="my reason", from_draft=True)
    assert (kept(session, ann, "reason"), kept(session, ann)) == ("", "my message")
    sessions.resolve(session, by=ann, resolution="my resolution", from_draft=True)
    assert (kept(session, ann, "resolution"), kept(session, ann)) == ("", "my message")


def test_a_message_that_a_program_posts_leaves_the_draft_alone(session, ann):
    keep(session, ann, "half a thought")
    sessions.post(session, by=ann, body="from a script")
    assert kept(session, ann) == "half a thought"


def test_a_refused_message_keeps_the_draft(ann, ben):
    handoff = HandoffFactory(by=ann)
    keep(handoff.session, ann, "one more thing")
    handoffs.pick_up(handoff, by=ben)
    with pytest.raises(NotAllowed):
        sessions.post(handoff.session, by=ann, body="one more thing", from_draft=True)
    assert kept(handoff.session, ann) == "one more thing"
    keep(handoff.session, ann, "one more thing that I saw", turn=2)  # the claim was lost while it was under way
    assert kept(handoff.session, ann) == "one more thing that I saw"


@pytest.mark.django_db(transaction=True)
def test_a_save_that_waits_for_the_sending_comes_too_late(session, ann):
    keep(session, ann, "half a thou")
    came = []

    def save():
        try:
            keep(session, ann, "half a thought", turn=2)
        except drafts.Late:
            came.append("late")
        finally:
            connection.close()

    saving = threading.Thread(target=save)
    with transaction.atomic():
        sessions.post(session, by=ann, body="half a thought", from_draft=True)
        saving.start()
        saving.join(0.3)
        assert saving.is_alive(), "first, it waits for the row"
    saving.join(10)
    assert (came, kept(session, ann)) == (["late"], "")


def test_old_ones_are_forgotten(session, ann, ben):
    keep(session, ann, "of last month")
    keep(session, ben, "of last week")
    keep(session, ann, "", field="reason")
    now = timezone.now()
    Draft.objects.filter(by=ann).update(kept_at=now - timedelta(days=31))
    Draft.objects.filter(by=ben).update(kept_at=now - timedelta(days=7))
    drafts.forget_old()
    assert [draft.by for draft in Draft.objects.all()] == [ben]
