"""Random histories. Each session is a list of numbers; a number says who does what, and how long after the last."""

import zoneinfo
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

from hypothesis import strategies as st

from tests.oracle.history import BUDGET, Assessed, Event, History, Refused, Said, Tried

# Zones, each with a day on which something happens: a clock change, a year's end, a week 53.
PLACES = (
    *(("Europe/Berlin", date(2026, 3, 29)), ("Europe/Berlin", date(2026, 10, 25))),
    *(("America/New_York", date(2026, 3, 8)), ("America/New_York", date(2026, 11, 1))),
    *(("Australia/Lord_Howe", date(2026, 4, 5)), ("Australia/Lord_Howe", date(2026, 10, 4))),
    *(("Asia/Kathmandu", date(2025, 12, 31)), ("Pacific/Apia", date(2021, 1, 1)), ("UTC", date(2024, 12, 30))),
    *(("Pacific/Apia", date(2020, 4, 5)), ("America/Havana", date(2026, 3, 8)), ("America/Havana", date(2026, 11, 1))),
)
PAUSES = (0, 1e-6, 1, 4, 5, 6, 59, 60, 61, 300, 600, 1799, 1800, 1801, 3600, 40_000, 86_400, 604_800, 604_801)  # s
# What may come next, by how the session stands; what is likely stands there several times.
IDLE = (
    *("escalate",) * 9,
    *("message", "step", "chip", "worked", "stranger", "resolve"),
)
WAITING = (
    *("pick_up",) * 9,
    *("ready", "ready", "ready", "ready", "ready", "ready_without_steps", "timed_out", "failed_assessment"),
    *("take_back", "message", "stranger", "resolve"),
)
PUT_BACK = ("take_back", "take_back", "go_on", "pick_up", "pick_up", "pick_up", "message", "resolve")
HELD = (
    *("message",) * 2,
    *("chip",) * 3,
    *("release",) * 4,
    *("undo",) * 2,
    *("resolve",) * 3,
    *("worked", "pick_up") * 2,
    *("step", "edited_chip", "failed", "not_run", "ready", "copilot"),
    *("stranger", "strangers_message", "strangers_step", "strangers_chip", "strangers_chip"),
)
AFTER_A_CHIP = ("worked", "worked", "failed", "failed", "not_run", "not_run", "chip", "strangers_step", "resolve")
PEOPLE = 4
HIGHEST = len(IDLE) * len(WAITING) * len(PUT_BACK) * len(HELD) * PEOPLE * len(PAUSES) - 1
LONGEST = 14
COPIES = (1, 1, 2, 4, 25)  # of one session, a bit later each time: percentiles need many
AFTERWARDS = (
    0,
    1,
    60,
    300,
    600,
    1799,
    1800,
    1801,
    604_799,
    604_800,
    604_801,
    700_000,
    5_000_000,
)  # s until it is looked at
LENGTHS = (1, 2, 7, 30, 31, 32, 60)  # days of the period


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Up to seven sessions round a day on which something happens, and a period that has it inside or at an edge."""
    tz_name, day = draw(st.sampled_from(PLACES))
    length, offset = draw(st.sampled_from(LENGTHS)), draw(st.integers(0, 3))
    first = day - timedelta(days=min(offset * 10, length - 1) if offset else 0)
    tz = zoneinfo.ZoneInfo(tz_name)
    last = first + timedelta(days=length - 1)
    edges = [_local(first, tz), _local(last + timedelta(days=1), tz), _local(day, tz), _local(day, tz)]
    history = History(tz, tz_name, _local(last, tz), first, last, people=[uuid4() for _ in range(PEOPLE)])
    deeds = st.lists(st.integers(0, HIGHEST), min_size=3, max_size=LONGEST)
    sessions = st.tuples(st.integers(0, 400), st.sampled_from(COPIES), st.sampled_from(PAUSES), deeds)
    told: list[Event] = []
    for start, copies, apart, numbers in draw(st.lists(sessions, min_size=1, max_size=6)):
        near, minutes = divmod(start, 100)
        away = max(0, abs(minutes - 50) - 20)  # every second one begins exactly there
        begin = edges[near % len(edges)] + timedelta(minutes=away * (minutes - 50))
        for copy in range(copies):
            stage = Stage(history, begin + timedelta(seconds=apart * copy))
            stage.play([(number + copy * 7) % HIGHEST for number in numbers])
            told += stage.events
    if draw(st.booleans()):
        history.gone.add(history.people[1])
    told.sort(key=lambda event: event.at)  # stable: within a session the order is that of the deeds
    for seq, event in enumerate(told, 1):
        event.seq = seq
    history.events = told
    happened = [event.at for event in told] + [said.at for said in history.said] + [it.at for it in history.tried]
    happened += [assessed.finished_at for assessed in history.assessed.values() if assessed.finished_at]
    is_soon = bool(happened) and draw(st.booleans())  # before the period is over
    end = max(happened) if is_soon else max([*happened, _local(last, tz)])
    history.as_of = end + timedelta(seconds=draw(st.sampled_from(AFTERWARDS)))
    history.last = min(last, history.as_of.astimezone(tz).date())
    history.first = min(first, history.last)
    return history


TICKS = 10  # minutes that a queue is watched


@st.composite
def queues(draw: st.DrawFn) -> History:
    """Ten minutes of a queue: some come, some still wait, some were taken back, many after the same time."""
    tz = zoneinfo.ZoneInfo("Europe/Berlin")
    begin = datetime(2026, 11, 18, 12, tzinfo=UTC)
    history = History(tz, "Europe/Berlin", begin + timedelta(minutes=TICKS), begin.date(), begin.date())
    history.people = [uuid4() for _ in range(PEOPLE)]
    fates = draw(st.lists(st.integers(0, (TICKS + 1) ** 2 * 5 - 1), min_size=3, max_size=30))
    for number in fates:
        rest, start = divmod(number, TICKS + 1)
        fate, wait = divmod(rest, TICKS + 1)
        at = begin + timedelta(minutes=start)
        ended = at + timedelta(minutes=wait)
        handoff, session, (by, picker, *_) = uuid4(), uuid4(), history.people
        history.assessed[handoff] = Assessed(handoff, at, at + BUDGET)
        history.events.append(Event(0, "handoff_created", handoff, session, by, at))
        if ended <= history.as_of:
            kind, actor = ("handoff_taken_back", by) if fate == 0 else ("handoff_picked_up", picker)
            history.events.append(Event(0, kind, handoff, session, actor, ended))
    history.events.sort(key=lambda event: event.at)
    for seq, event in enumerate(history.events, 1):
        event.seq = seq
    return history


def together() -> st.SearchStrategy[list[History]]:
    """Five of one kind or the other, so that they cost one rollback."""
    return st.tuples(histories(), histories(), queues(), histories(), histories()).map(list)


def _local(day: date, tz: zoneinfo.ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=tz).astimezone(UTC)


@dataclass
class Open:
    """The handoff that was opened last."""

    id: UUID
    by: UUID
    picker: UUID | None = None
    last_picker: UUID | None = None
    waits: bool = True
    was_held: bool = False
    closed: bool = False


class Stage:
    """Plays one session; what the product would refuse is passed over, or noted as refused."""

    def __init__(self, history: History, at: datetime) -> None:
        self.history, self.at = history, at
        self.session = uuid4()
        self.holder: UUID | None = None
        self.open: Open | None = None
        self.chip: UUID | None = None
        self.is_over = False
        self.events: list[Event] = []

    def play(self, numbers: list[int]) -> None:
        for place, number in enumerate(numbers):
            rest, pause = divmod(number, len(PAUSES))
            rest, person = divmod(rest, PEOPLE)
            who = self.history.people[person]
            self.holder = self.holder or who
            self.at += timedelta(seconds=PAUSES[pause] if place else 0)
            if not self.is_over:
                choices = self._choices()
                getattr(self, f"_{choices[rest % len(choices)]}")(who)

    def _choices(self) -> tuple[str, ...]:
        if self.open is None or self.open.closed:
            return IDLE
        if not self.open.waits:
            return AFTER_A_CHIP if self.chip and len(self.history.said) % 3 else HELD
        return PUT_BACK if self.open.was_held else WAITING

    def _tell(self, kind: str, actor: UUID | None, *, undone: bool = False) -> None:
        assert self.open
        self.events.append(Event(0, kind, self.open.id, self.session, actor, self.at, undone))

    def _last_was(self, kind: str) -> bool:
        """Whether that is the last thing that happened to the handoff, and undid nothing itself."""
        last = next(event for event in reversed(self.events) if event.kind != "handoff_assessed")
        return last.kind == kind and not last.undone

    @property
    def _is_open(self) -> bool:
        return self.open is not None and not self.open.closed

    def _escalate(self, who: UUID) -> None:
        self.open = Open(uuid4(), self.holder)
        disabled = who == self.history.people[3] and len(self.history.assessed) % 3 == 0
        told = Assessed(self.open.id, self.at, self.at + BUDGET, "disabled" if disabled else "pending")
        self.history.assessed[self.open.id] = told
        self._tell("handoff_created", self.holder)

    def _pick_up(self, who: UUID) -> None:
        if not self.open.waits:
            if who != self.open.picker:
                self.history.refused.append(Refused(self.open.id, who, self.open.picker, self.at))
        elif who != self.open.by:
            self.open.waits, self.open.picker, self.holder = False, who, who
            self._tell("handoff_picked_up", who)

    def _release(self, who: UUID) -> None:
        picker, self.chip = self.open.picker, None
        self.open.waits, self.open.picker, self.open.last_picker, self.holder = True, None, picker, self.open.by
        self.open.was_held = True
        self._tell("handoff_released", picker)

    def _undo(self, who: UUID) -> None:
        """Within 30 seconds and before any action; the figures must not depend on that."""
        if self._last_was("handoff_picked_up"):
            picker = self.open.picker
            self._release(who)
            self.events[-1] = Event(0, "handoff_released", self.open.id, self.session, picker, self.at, undone=True)

    def _go_on(self, who: UUID) -> None:
        """The lease had just returned it, and a message of its picker came at the same moment."""
        if self._last_was("handoff_released"):
            picker = self.open.last_picker
            self.open.waits, self.open.picker, self.holder = False, picker, picker
            self._tell("handoff_picked_up", picker, undone=True)
            self._message(picker)

    def _take_back(self, who: UUID) -> None:
        self.open.closed = True
        self._tell("handoff_taken_back", self.open.by)

    def _resolve(self, who: UUID) -> None:
        self.is_over = True
        if self._is_open:
            self._tell("handoff_taken_back" if self.open.waits else "handoff_resolved", self.holder)
            self.open.closed = True

    def _message(self, who: UUID) -> None:
        self.history.said.append(Said(uuid4(), self.session, self.holder, self.at))

    def _stranger(self, who: UUID) -> None:
        """A line that bears somebody's name, such as who picked it up: no action of theirs."""
        self.history.said.append(Said(uuid4(), self.session, who, self.at, kind="system"))

    def _copilot(self, who: UUID) -> None:
        self.history.said.append(Said(uuid4(), self.session, None, self.at, kind="copilot"))

    def _step(self, who: UUID) -> None:
        self.history.tried.append(Tried(self.session, self.holder, self.at, "failed"))

    def _send(self, use: str) -> None:
        if self.open:
            self.chip = uuid4()
            self.history.said.append(Said(self.chip, self.session, self.holder, self.at, step_of=self.open.id, use=use))

    # The product lets nobody but the holder write; the figures must not depend on that.

    def _strangers_message(self, who: UUID) -> None:
        self.history.said.append(Said(uuid4(), self.session, who, self.at))

    def _strangers_step(self, who: UUID) -> None:
        self.history.tried.append(Tried(self.session, who, self.at, "worked", self.chip))

    def _strangers_chip(self, who: UUID) -> None:
        told = Said(uuid4(), self.session, who, self.at, step_of=self.open.id, use="sent_unchanged")
        self.history.said.append(told)

    def _chip(self, who: UUID) -> None:
        self._send("sent_unchanged")

    def _edited_chip(self, who: UUID) -> None:
        self._send("sent_edited")

    def _how_it_went(self, outcome: str) -> None:
        if self.chip:
            self.history.tried.append(Tried(self.session, self.holder, self.at, outcome, self.chip))

    def _worked(self, who: UUID) -> None:
        self._how_it_went("worked")

    def _failed(self, who: UUID) -> None:
        self._how_it_went("inconclusive")

    def _not_run(self, who: UUID) -> None:
        self._how_it_went("not_run")

    def _assess(self, state: str, steps: int = 0) -> None:
        told = self.history.assessed.get(self.open.id) if self.open else None
        if told and told.state not in ("ready", "disabled"):
            told.state, told.finished_at, told.steps = state, self.at, steps
            self._tell("handoff_assessed", None)

    def _ready(self, who: UUID) -> None:
        self._assess("ready", steps=2)

    def _ready_without_steps(self, who: UUID) -> None:
        self._assess("ready")

    def _timed_out(self, who: UUID) -> None:
        self._assess("timed_out")

    def _failed_assessment(self, who: UUID) -> None:
        self._assess("failed")
