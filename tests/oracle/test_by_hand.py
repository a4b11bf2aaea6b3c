"""Twelve handoffs, worked out by hand: the answers stand here as numbers, for the SQL and for the oracle."""

import zoneinfo
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from tests.oracle import comparison
from tests.oracle.history import BUDGET, Assessed, Event, History, Refused, Said, Tried, write

pytestmark = pytest.mark.django_db

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def at(day: int, hour: int, minute: int = 0, second: float = 0) -> datetime:
    """A moment of November 2026, in UTC; Berlin is an hour ahead."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC) + timedelta(seconds=second)


class Tale:
    """One handoff, told in seconds after its escalation."""

    def __init__(self, history: History, by: UUID, start: datetime, session: UUID | None = None) -> None:
        self.history, self.by, self.start = history, by, start
        self.id, self.session = uuid4(), session or uuid4()
        self.picker = by
        history.assessed[self.id] = Assessed(self.id, start, start + BUDGET)
        self.event(0, "created", by)

    def event(self, after: float, kind: str, actor: UUID | None) -> "Tale":
        moment = self.start + timedelta(seconds=after)
        self.history.events.append(Event(0, f"handoff_{kind}", self.id, self.session, actor, moment))
        return self

    def assessed(self, after: float, state: str = "ready", steps: int = 0) -> "Tale":
        told = self.history.assessed[self.id]
        told.state, told.finished_at, told.steps = state, self.start + timedelta(seconds=after), steps
        return self.event(after, "assessed", None)

    def ai_off(self) -> "Tale":
        self.history.assessed[self.id].state = "disabled"
        return self

    def picked_up(self, after: float, by: UUID) -> "Tale":
        self.picker = by
        return self.event(after, "picked_up", by)

    def refused(self, after: float, by: UUID) -> "Tale":
        self.history.refused.append(Refused(self.id, by, self.picker, self.start + timedelta(seconds=after)))
        return self

    def message(self, after: float, use: str = "") -> "Tale":
        step_of = self.id if use else None
        moment = self.start + timedelta(seconds=after)
        self.history.said.append(Said(uuid4(), self.session, self.picker, moment, step_of=step_of, use=use))
        return self

    def tried(self, after: float, outcome: str, *, the_step: bool = False) -> "Tale":
        source = self.history.said[-1].id if the_step else None
        moment = self.start + timedelta(seconds=after)
        self.history.tried.append(Tried(self.session, self.picker, moment, outcome, source))
        return self

    def released(self, after: float) -> "Tale":
        return self.event(after, "released", self.picker)

    def taken_back(self, after: float) -> "Tale":
        return self.event(after, "taken_back", self.by)

    def resolved(self, after: float) -> "Tale":
        return self.event(after, "resolved", self.picker)


@pytest.fixture
def twelve() -> History:
    history = History(BERLIN, "Europe/Berlin", at(30, 12), date(2026, 11, 9), date(2026, 11, 15))
    history.people = ann, ben, cem, dan = [uuid4() for _ in range(4)]
    history.gone = {cem}

    def tale(*told, **more) -> Tale:
        return Tale(history, *told, **more)

    first = tale(ann, at(9, 9)).assessed(2, steps=2).picked_up(60, ben)
    first.message(120, "sent_unchanged").tried(180, "worked", the_step=True).resolved(600)
    tale(ann, at(9, 10)).assessed(3, steps=1).picked_up(120, ben).message(150).resolved(1200)
    third = tale(ben, at(9, 11)).picked_up(5, ann).assessed(10, steps=1)
    third.message(65).message(70, "sent_edited").resolved(905)
    fourth = tale(ann, at(10, 9)).assessed(2).picked_up(300, cem).released(400).picked_up(700, ben)
    fourth.tried(760, "failed").resolved(1900)
    tale(cem, at(10, 10)).assessed(5, "timed_out").taken_back(600)
    sixth = tale(ann, at(11, 9)).assessed(1, steps=2).picked_up(180, ben).message(240).released(1000)
    sixth.taken_back(1100)
    seventh = tale(ann, at(11, 9, 33, 20), session=sixth.session).ai_off().picked_up(240, cem)
    seventh.refused(250, dan).refused(260, ben).resolved(1240)
    tale(ben, at(12, 9)).assessed(4, "failed").picked_up(30, cem)
    tale(ben, at(12, 10))
    tenth = tale(cem, at(13, 9)).assessed(2, steps=1).picked_up(600, ann)
    tenth.message(660, "sent_edited").tried(700, "inconclusive", the_step=True)
    tenth.message(720, "sent_unchanged").resolved(1500)
    tale(dan, at(15, 22, 59, 59.999999)).taken_back(30)  # the last microsecond of Sunday in Berlin
    tale(dan, at(15, 23)).picked_up(10, ann).resolved(20)  # Monday: not of this week
    history.events.sort(key=lambda event: event.at)
    for seq, event in enumerate(history.events, 1):
        event.seq = seq
    return history


NOT_PICKED_UP = {"not_picked_up": 3}
ANSWERS = {
    "escalations": (11, 11, {}),
    "waiting": 1,
    "oldest": at(12, 10),
    "pickup_rate": (8, 9, {"taken_back": 2}),
    "conversion_rate": (7, 8, {"taken_back": 2, "waiting": 1}),
    "n_immature": 0,
    "end_to_end_conversion": (6, 9, {"taken_back": 2}),
    "re_escalation_rate": (1, 7, {"too_young": 1, **NOT_PICKED_UP}),
    "release_rate": (1, 9, {}),
    "refused_pickups": (2, 9, {}),
    "assessment_availability": (5, 7, {"ai_disabled": 1, **NOT_PICKED_UP}),
    "within_budget": (5, 10, {"ai_disabled": 1}),
    "reasons": {"late": 1, "pending": 0, "timed_out": 0, "failed": 1},
    "step_use": (2, 4, {"no_steps": 4, **NOT_PICKED_UP}),
    "sent_unchanged": (2, 3),
    "step_worked": (1, 2),
    "time_to_pickup": {"n": 8, "avg": 191.875, "p50": 150.0, "p90": None, "p95": None},
    "including_waiting": {
        **{"n": 11, "censored": 3, "p50": 240.0, "p90": None, "p95": None},
        **{"at_least_50": None, "at_least_90": 20 * 86_400 + 7_200.0, "at_least_95": None},
    },
    "time_to_first_action": {"n": 7, "avg": 190.0, "p50": 60.0, "p90": None, "p95": None},
    "time_to_resolution": {"n": 6, "avg": 7345 / 6, "p50": 1220.0, "p90": None, "p95": None},
    "hands_on": {"n": 6, "avg": 6020 / 6, "p50": 950.0, "p90": None, "p95": None},
    "trend": [
        (date(2026, 11, 9), 3, 3, 3, 60.0),
        (date(2026, 11, 10), 2, 1, 1, None),
        (date(2026, 11, 11), 2, 2, 2, None),
        (date(2026, 11, 12), 2, 0, 1, None),
        (date(2026, 11, 13), 1, 1, 1, None),
        (date(2026, 11, 14), 0, 0, 0, None),
        (date(2026, 11, 15), 1, 0, 0, None),
    ],
    "load": {
        **{(1, 10): 1, (1, 11): 1, (1, 12): 1, (2, 10): 1, (2, 11): 1, (3, 10): 2},
        **{(4, 10): 1, (4, 11): 1, (5, 10): 1, (7, 23): 1},
    },
}


def test_the_sql_knows_the_answers(twelve):
    told = comparison.by_sql(write(twelve, "twelve"), twelve)
    assert comparison.differences({name: told[name] for name in ANSWERS}, ANSWERS) == {}


def test_the_oracle_knows_the_answers(twelve):
    told = comparison.by_oracle(twelve)
    assert comparison.differences({name: told[name] for name in ANSWERS}, ANSWERS) == {}


def test_who_did_what(twelve):
    told = comparison.by_sql(write(twelve, "twelve"), twelve)["people"]
    ann, ben, cem, dan = twelve.people
    assert told[ann] == (5, 2, 2, 0, 2, None, None)
    assert told[ben] == (3, 4, 4, 0, 3, 60.0, 1080.0)
    assert told[cem] == (2, 3, 1, 1, 1, None, None)
    assert told[dan] == (1, 0, 0, 0, 0, None, None)


def test_a_handoff_that_has_just_been_picked_up_is_immature(twelve):
    twelve.last = date(2026, 11, 12)
    twelve.as_of = at(12, 9, 0, 30 + 1799)
    account = write(twelve, "young")
    assert comparison.by_sql(account, twelve)["n_immature"] == 1
    twelve.as_of = at(12, 9, 0, 30 + 1800)
    assert comparison.by_sql(account, twelve)["n_immature"] == 0
