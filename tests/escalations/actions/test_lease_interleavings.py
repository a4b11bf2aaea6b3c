"""The end of a lease, and whatever else can happen to a pick-up at the same moment, in every interleaving.

A message, a step and a resolution win over the return, in whatever order their statements come. Of the others one wins.
"""

from datetime import timedelta

import pytest
from django.db.models import F

from escalations.actions import handoffs, leases, offers, sessions, steps, transaction
from escalations.models import AISession, Handoff, Message, Offer, TriedStep
from tests.escalations.actions import test_interleavings as around
from tests.escalations.actions.test_interleavings import EVERY, interleavings, some

pytestmark = pytest.mark.django_db(transaction=True)

ACTIONS = ("post", "step", "resolve")
OTHERS = ("release", "undo", "accept", "return")
PAIRS = [
    *[pair for action in ACTIONS for pair in ((action, "return"), ("return", action))],
    *[pair for other in OTHERS for pair in dict.fromkeys(((other, "return"), ("return", other)))],
    *[pair for action in ("post", "resolve", "release", "accept") for pair in (("undo", action), (action, "undo"))],
    *[
        pair
        for action in ("release", "resolve", "withdraw", "decline")
        for pair in (("accept", action), (action, "accept"))
    ],
    *[("undo", "undo"), ("accept", "accept")],
]
# Of these two exactly one comes through.
ONE_WINS = [
    *[{"undo", other} for other in ("post", "resolve", "release", "accept")],
    *[{"accept", other} for other in ("release", "withdraw", "decline")],
    {"undo"},
]


class Scene(around.Scene):
    """What ben has picked up and done nothing with; its lease is over, and olga is asked to take it."""

    def __init__(self, state: str, ann, ben, olga) -> None:
        super().__init__("picked_up", ann, ben, olga)
        over = F("picked_up_at") + timedelta(microseconds=1)
        Handoff.objects.filter(pk=self.handoff.pk).update(lease_ends_at=over)
        if state == "offered":
            offers.hand_to(self.handoff, by=ben, to=olga)

    def verb(self, name: str):
        handoff = Handoff.objects.for_context().get(pk=self.handoff.pk)
        session = AISession.objects.get(pk=self.session.pk)
        told = {"description": "Restarted it", "outcome": "failed"}
        return {
            "return": lambda: leases.see_to(handoff.pk),
            "step": lambda: steps.record_step(session, by=self.ben, **told),
            "undo": lambda: handoffs.undo(handoff, by=self.ben),
            "accept": lambda: offers.accept(handoff, by=self.olga),
            "decline": lambda: offers.decline(handoff, by=self.olga),
            "withdraw": lambda: offers.withdraw(handoff, by=self.ben),
            "post": lambda: sessions.post(session, by=self.ben, body="Still the same."),
            "release": lambda: handoffs.release(handoff, by=self.ben),
            "resolve": lambda: sessions.resolve(session, by=self.ben, resolution="The cable."),
        }[name]


@pytest.fixture(autouse=True)
def one_try_each(monkeypatch):
    """A deadlock that is tried again would look like none."""
    monkeypatch.setattr(transaction, "TRIES", 1)
    monkeypatch.setattr(around, "Scene", Scene)


def whats_left():
    handoff = Handoff.objects.for_context().get()
    assert handoff.lease_ends_at is None or handoff.state == "picked_up"
    return handoff


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=["-".join(pair) for pair in PAIRS])
def test_in_any_order(first, second, ann, ben, olga, monkeypatch):
    """`interleavings` also proves the feed after each."""
    ended = around.audit.breaches

    def look():
        """What must hold after each, before the next one begins."""
        handoff = whats_left()
        if "return" in (first, second) and (acted := {first, second} & set(ACTIONS)):
            holds = handoff.state == ("resolved" if acted == {"resolve"} else "picked_up")
            assert holds
            assert handoff.picked_up_by == handoff.session.holder == ben
            assert Message.objects.filter(kind="engineer").count() == ("post" in acted)
            assert TriedStep.objects.count() == ("step" in acted)
        pending = Offer.objects.filter(outcome="pending").first()
        assert pending is None or (handoff.picked_up_by == pending.by and handoff.state == "picked_up")
        return ended()

    monkeypatch.setattr(around.audit, "breaches", look)
    state = "offered" if {first, second} & {"accept", "decline", "withdraw"} else "picked_up"
    stops = some()
    ends = interleavings(state, first, second, (ann, ben, olga), stops)
    assert len(ends) >= (2 if stops is EVERY else 1)
    for one, other in ends:
        winners = [one.error, other.error].count(None)
        assert winners >= 1, (repr(one.error), repr(other.error))
        assert winners == 1 or {first, second} not in ONE_WINS
        for writer, name in ((one, first), (other, second)):
            assert writer.error is None or name not in ACTIONS or "return" not in (first, second), repr(writer.error)


def test_without_taking_it_up_again_a_message_would_be_lost(ann, ben, olga, monkeypatch):
    """So that the above means something: the return does overtake messages."""
    monkeypatch.setattr(leases, "UNDER_WAY", timedelta(0))
    ends = interleavings("picked_up", "return", "post", (ann, ben, olga))
    assert any(other.error for _, other in ends)
