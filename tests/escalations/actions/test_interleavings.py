"""Two verbs at the same moment, in every interleaving: the second runs at each statement of the first.

Whatever the order, one wins where only one can, the loser hears why, nothing deadlocks, and the feed stays whole.
"""

import itertools
import os
import random
from collections.abc import Callable, Iterable

import pytest
from django.db import OperationalError

from escalations import audit
from escalations.actions import assessments, handoffs, sessions, transaction
from escalations.actions.refusals import Conflict, Refusal
from escalations.models import AISession, FeedEvent, Handoff
from tests.factories import HandoffFactory, SessionFactory
from tests.interleaving import interleave
from tests.model.world import wipe

pytestmark = pytest.mark.django_db(transaction=True)

MOST_STATEMENTS = 60
EVERY = range(1, MOST_STATEMENTS)


class Scene:
    """One session of ann's, with a handoff in the state that is asked for."""

    def __init__(self, state: str, ann, ben, olga) -> None:
        wipe()
        self.ann, self.ben, self.olga = ann, ben, olga
        self.session = SessionFactory(by=ann, problem="")
        self.handoff = None
        if state != "none":
            self.handoff = HandoffFactory(by=ann, session=self.session, picker=ben if state == "picked_up" else None)
        self.holder = ben if state == "picked_up" else ann

    def verb(self, name: str) -> Callable[[], object]:
        handoff = self.handoff and Handoff.objects.for_context().get(pk=self.handoff.pk)
        session = AISession.objects.get(pk=self.session.pk)
        return {
            "escalate": lambda: handoffs.escalate(session, by=self.ann, reason="Stuck."),
            "pick_up": lambda: handoffs.pick_up(handoff, by=self.ben),
            "pick_up_by_olga": lambda: handoffs.pick_up(handoff, by=self.olga),
            "release": lambda: handoffs.release(handoff, by=self.ben),
            "take_back": lambda: handoffs.take_back(handoff, by=self.ann),
            "resolve": lambda: sessions.resolve(session, by=self.holder, resolution="Deleted the cached token."),
            "assess": lambda: assessments.store(handoff, data={"summary_prose": "…"}, made_by="playbook"),
            "post": lambda: sessions.post(session, by=self.holder, body="Still the same."),
        }[name]


# Of these two, in either order, exactly one wins. The others may both: what was taken back can be resolved.
ONE_WINS = [
    {"escalate"},
    {"resolve"},
    {"take_back"},
    {"release"},
    {"pick_up", "pick_up_by_olga"},
    {"pick_up", "take_back"},
    {"pick_up", "resolve"},
    {"release", "resolve"},
]
VERBS = {
    "none": ["escalate", "resolve", "post"],
    "waiting": ["pick_up", "pick_up_by_olga", "take_back", "resolve", "assess", "post"],
    "picked_up": ["release", "resolve", "assess", "post"],
}
PAIRS = [(state, *pair) for state, verbs in VERBS.items() for pair in itertools.product(verbs, repeat=2)]
# Ben and olga are alike: she only ever is his rival.
PAIRS = [
    pair for pair in PAIRS if pair[1] != "pick_up_by_olga" and ("pick_up_by_olga" not in pair or pair[1] == "pick_up")
]


@pytest.fixture(autouse=True)
def one_try_each(monkeypatch):
    """A deadlock that is tried again would look like none."""
    monkeypatch.setattr(transaction, "TRIES", 1)


def some() -> Iterable[int]:
    """CI stops at every statement; at a desk it is one of three, beginning with another one each time."""
    return EVERY if os.environ.get("CI") == "true" else EVERY[random.randrange(3) :: 3]


def interleavings(state: str, first: str, second: str, people: tuple, stops: Iterable[int] = EVERY) -> list[tuple]:
    """(who won, who was refused) of each; checks what must hold after any."""
    ends = []
    for stop in stops:
        scene = Scene(state, *people)
        one, other, stood = interleave(scene.verb(first), scene.verb(second), stop=stop)
        if not stood:
            return ends
        for writer in (one, other):
            assert isinstance(writer.error, Refusal | None), (stop, one.statements, repr(writer.error))
            assert not isinstance(writer.error and writer.error.__cause__, Exception), repr(writer.error.__cause__)
        assert audit.breaches() == [], (stop, one.statements[-1])
        ends.append((one, other))
    raise AssertionError(f"{first} has more than {MOST_STATEMENTS} statements")


@pytest.mark.parametrize(("state", "first", "second"), PAIRS, ids=["-".join(pair) for pair in PAIRS])
def test_in_any_order(state, first, second, ann, ben, olga):
    stops = some()
    ends = interleavings(state, first, second, (ann, ben, olga), stops)
    assert len(ends) >= (2 if stops is EVERY else 1)
    for one, other in ends:
        winners = [one.error, other.error].count(None)
        assert winners >= 1, (repr(one.error), repr(other.error))
        assert winners == 1 or {first, second} not in ONE_WINS
        if first == second == "assess":
            assert sorted([one.result, other.result]) == [False, True]


def two_pick_up_and_one_wins(ann, ben, olga):
    for one, other in interleavings("waiting", "pick_up", "pick_up_by_olga", (ann, ben, olga)):
        assert [one.error, other.error].count(None) == 1
        assert FeedEvent.objects.filter(kind="handoff_picked_up").count() == 1


def test_two_pick_up_and_one_wins(ann, ben, olga):
    two_pick_up_and_one_wins(ann, ben, olga)


def test_a_deadlock_would_be_seen(ann, ben, olga):
    """Two verbs that take the same locks in opposite orders: what none of the pairs above does."""
    scene = Scene("waiting", ann, ben, olga)

    def verb(*models):
        @transaction.in_transaction
        def lock_both():
            for model, pk in models:
                model.objects.select_for_update(of=("self",)).get(pk=pk)

        return lock_both

    session, handoff = (AISession, scene.session.pk), (Handoff, scene.handoff.pk)
    one, other, _ = interleave(verb(session, handoff), verb(handoff, session), stop=2)
    errors = [writer.error for writer in (one, other) if writer.error]
    assert [type(error) for error in errors] == [Conflict]
    assert isinstance(errors[0].__cause__, OperationalError)
