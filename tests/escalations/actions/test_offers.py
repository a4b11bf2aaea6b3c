"""Hand to: offered to a named colleague, who accepts or declines; until then it stays where it is."""

from datetime import timedelta

import pytest

from escalations import audit
from escalations.actions import handoffs, leases, offers, sessions
from escalations.actions.refusals import Conflict, NotAllowed
from escalations.models import AISession, FeedEvent, Handoff, Message, Offer
from resolutionflow.accounts.models import User
from resolutionflow.trail.models import Entry
from tests.escalations.actions.test_handoffs import fresh, kinds, last_line
from tests.factories import HandoffFactory
from tests.frozen import Clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(ann, ben):
    return HandoffFactory(by=ann, picker=ben)


@pytest.fixture
def offered(held, ben, olga):
    offers.hand_to(held, by=ben, to=olga, note="You know their firewall.")
    return held


def outcome(handoff):
    return Offer.objects.filter(handoff=handoff).latest("made_at").outcome


def refused(handoff, verb, error, words, **told):
    """`verb` says no, and wrote nothing."""
    before = (Handoff.objects.values().get(), list(Offer.objects.values()), kinds(), Message.objects.count())
    with pytest.raises(error, match=words):
        verb(fresh(handoff), **told)
    assert (Handoff.objects.values().get(), list(Offer.objects.values()), kinds(), Message.objects.count()) == before


def test_an_offer_asks_and_changes_nothing_else(offered, ben, olga):
    offer = Offer.objects.get()
    assert (offer.by, offer.to, offer.note, offer.outcome) == (ben, olga, "You know their firewall.", "pending")
    assert (fresh(offered).picked_up_by, fresh(offered).session.holder) == (ben, ben)
    assert kinds() == ["handoff_created", "handoff_picked_up"]
    assert last_line(offered.session) == "Ben Bauer offers it to Olga Owner."
    assert list(Offer.objects.waiting_for(olga)) == [offer]
    assert list(Offer.objects.waiting_for(ben)) == []


def test_accepting_releases_and_picks_up_in_one_go(offered, ben, olga):
    offers.accept(fresh(offered), by=olga)
    taken = fresh(offered)
    assert (taken.state, taken.picked_up_by, taken.session.holder) == ("picked_up", olga, olga)
    assert taken.lease_ends_at - taken.picked_up_at == timedelta(minutes=10), "a lease of her own"
    assert kinds() == ["handoff_created", "handoff_picked_up", "handoff_released", "handoff_picked_up"]
    released, picked_up = FeedEvent.objects.order_by("seq")[2:]
    assert (released.actor, released.data) == (ben, {"handed_to": str(olga.pk)})
    assert (picked_up.actor, picked_up.data) == (olga, {"handed_from": str(ben.pk)})
    assert last_line(taken.session) == "Olga Owner took it over from Ben Bauer."
    assert outcome(offered) == "accepted"
    assert sessions.post(AISession.objects.get(pk=taken.session_id), by=olga, body="Mine.")
    assert Entry.objects.latest("seq").details["handed_from"] == str(ben.pk)
    assert audit.breaches() == []


def test_whoever_has_accepted_may_ask_again(offered, olga):
    version = offers.accept(fresh(offered), by=olga).version
    assert offers.accept(fresh(offered), by=olga).version == version


def test_declining_leaves_it_where_it_is_and_tells_the_other(offered, ben, olga):
    offers.decline(fresh(offered), by=olga)
    assert (outcome(offered), fresh(offered).picked_up_by) == ("declined", ben)
    assert last_line(offered.session) == "Olga Owner cannot take it. Ben Bauer still has it."
    refused(offered, offers.accept, Conflict, "not offered to anybody any more", by=olga)


def test_who_offers_may_keep_it(offered, ben, olga):
    offers.withdraw(fresh(offered), by=ben)
    assert (outcome(offered), fresh(offered).picked_up_by) == ("withdrawn", ben)
    refused(offered, offers.decline, Conflict, "not offered", by=olga)


def test_only_who_is_asked_answers(offered, ann, ben, adam, vic):
    for verb in (offers.accept, offers.decline):
        refused(offered, verb, NotAllowed, "Olga Owner; only they", by=adam)
        refused(offered, verb, NotAllowed, "Olga Owner; only they", by=ann)
        refused(offered, verb, NotAllowed, "Olga Owner; only they", by=ben)
        refused(offered, verb, NotAllowed, "viewer", by=vic)
    refused(offered, offers.withdraw, NotAllowed, "Ben Bauer has it", by=adam)


def test_only_its_picker_offers_it(held, ann, olga, adam, vic):
    refused(held, offers.hand_to, NotAllowed, "Ben Bauer has it", by=adam, to=olga)
    refused(held, offers.hand_to, NotAllowed, "viewer", by=vic, to=olga)


def test_what_waits_can_be_picked_up_and_needs_no_offer(ann, ben, olga):
    refused(HandoffFactory(by=ann), offers.hand_to, Conflict, "It is waiting", by=ben, to=olga)


@pytest.mark.parametrize("whom", ["ann", "ben", "vic", "zoe", "switched off", "nobody"])
def test_to_a_colleague_who_may_work_on_it(whom, held, ann, ben, vic, zoe, adam, olga):
    User.objects.filter(pk=adam.pk).update(is_active=False)
    to = {"ann": ann, "ben": ben, "vic": vic, "zoe": zoe, "switched off": adam, "nobody": None}[whom]
    refused(held, offers.hand_to, Conflict, "Choose a colleague", by=ben, to=to)
    assert list(offers.colleagues(held, by=ben)) == [olga]


def test_one_offer_at_a_time(offered, ben, adam):
    refused(offered, offers.hand_to, Conflict, "offered to Olga Owner already", by=ben, to=adam)


def test_who_was_switched_off_meanwhile_takes_nothing(offered, olga):
    User.objects.filter(pk=olga.pk).update(is_active=False)
    refused(offered, offers.accept, NotAllowed, "may not work", by=olga)


@pytest.mark.parametrize("how", ["release", "undo", "resolve", "return"])
def test_the_end_of_the_pick_up_ends_the_offer(
    how, monkeypatch, ann, ben, olga, published, django_capture_on_commit_callbacks
):
    clock = Clock(monkeypatch)
    held = HandoffFactory(by=ann, picker=ben)
    offers.hand_to(held, by=ben, to=olga)
    if how == "return":
        clock.go_on(minutes=10)
    with django_capture_on_commit_callbacks(execute=True):
        {
            "release": lambda: handoffs.release(held, by=ben),
            "undo": lambda: handoffs.undo(held, by=ben),
            "resolve": lambda: sessions.resolve(AISession.objects.get(), by=ben, resolution="The cable."),
            "return": lambda: leases.see_to(held.pk),
        }[how]()
    assert outcome(held) == "withdrawn"
    assert {"type": "offers_changed", "to": str(olga.pk), "by": str(ben.pk)} in [frame for _, frame in published]
    with pytest.raises(Conflict):
        offers.accept(fresh(held), by=olga)


def test_an_offer_is_no_action(monkeypatch, ann, ben, olga):
    clock = Clock(monkeypatch)
    held = HandoffFactory(by=ann, picker=ben)
    clock.go_on(minutes=9)
    offers.hand_to(held, by=ben, to=olga)
    clock.go_on(minutes=1)
    leases.see_to(held.pk)
    assert fresh(held).returned_from == ben


def test_secrets_in_the_note_are_taken_out(held, ben, olga):
    offers.hand_to(held, by=ben, to=olga, note="password: hunter22")
    assert Offer.objects.get().note == "password: [hidden password 1]"
    assert held.session.secrets.count() == 1


def test_an_offer_is_told_to_who_is_asked_after_the_commit(
    held, ben, olga, harbor, published, django_capture_on_commit_callbacks
):
    published.clear()
    with django_capture_on_commit_callbacks(execute=True):
        offers.hand_to(held, by=ben, to=olga)
    frames = [frame for group, frame in published if group == f"queue.{harbor.pk.hex}"]
    assert frames == [{"type": "offers_changed", "to": str(olga.pk), "by": str(ben.pk)}]
    assert [frame["type"] for group, frame in published if "session" in group] == ["message_posted", "session_changed"]
