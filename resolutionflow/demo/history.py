"""Plays all cases of a team, beat by beat in order of time, and writes what they leave behind."""

import contextlib
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from escalations.actions import learning, lessons
from escalations.assessor import sentences
from escalations.models import Handoff, Lesson
from resolutionflow.accounts.models import Account
from resolutionflow.demo import calendar, cases, measured, people, waiting
from resolutionflow.demo.cases import Case
from resolutionflow.demo.feed import Feed
from resolutionflow.demo.people import People
from resolutionflow.demo.plot import Cast, Deed, Plot, handed_over, solved_alone
from resolutionflow.demo.scene import Scene

SEED = 7
LOCK = 0x44454D4F  # "DEMO"
LEARN_SECONDS = 8.0  # for a team; on a slower machine the worker reads the rest
STILL_NEW = 2  # for each of whoever escalated
LAST_END = timedelta(minutes=55)  # before now; later there is only what is open

# Who works how much: two engineers do, the others help out.
SHARES = {"ann": 46, "ben": 42, "olga": 7, "adam": 5, "zoe": 80, "omar": 20}


@dataclass(frozen=True)
class Written:
    """How much there is now."""

    sessions: int
    escalations: int
    open: int


def write(*, now: datetime) -> Written | None:
    """Both teams with 90 days of history that end `now`, in one transaction; None where they are there already."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])  # two starts at the same time write one history
        if people.are_there():
            return None
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")  # reading takes a slow machine its time
        scenes = [scene for team in people.TEAMS for scene in _write_team(team, now)]
    return Written(
        sessions=len(scenes),
        escalations=sum(len(scene.handoffs) for scene in scenes),
        open=sum(scene.session.is_open for scene in scenes),
    )


def _write_team(team: people.Team, now: datetime) -> list[Scene]:
    account, members = people.create(team)
    stage = Stage(account, members, now)
    with sentences.left_out():  # nobody waits for what is long past, and it would take a minute
        for at, deed in sorted(stage.beats(), key=lambda beat: beat[0]):
            deed(at)
    learned = learning.catch_up(account, seconds=LEARN_SECONDS)
    for scene in stage.scenes if learned else []:
        scene.look_again()
    if not (learned and learning.read_fixes(account, seconds=LEARN_SECONDS / 2)):
        learning.later()
    for scene in stage.scenes:
        scene.write_rest()
    stage.feed.write()
    _teach(account, now)
    measured.write(account, members, now)
    return stage.scenes


def _teach(account: Account, now: datetime) -> None:
    """Whoever escalated knows what fixed it, but for what was solved last."""
    solved = Handoff.objects.for_account(account).filter(state=Handoff.State.RESOLVED).order_by("-resolved_at")
    told: Counter[UUID] = Counter()
    for handoff in solved.only("resolved_at", "created_by"):
        told[handoff.created_by_id] += 1
        at = handoff.resolved_at or now
        is_new = told[handoff.created_by_id] <= STILL_NEW and now - at < timedelta(days=7)
        got_at = None if is_new else at + timedelta(minutes=50)
        Lesson.objects.create(handoff=handoff, account=account, learner_id=handoff.created_by_id, got_at=got_at)
        with contextlib.nullcontext() if is_new else sentences.left_out():
            lessons.compare(handoff.pk)


class Stage:
    """A team's cases before they are played."""

    def __init__(self, account: Account, members: People, now: datetime) -> None:
        self.account, self.members, self.now = account, members, now
        self.feed = Feed(account)
        self.scenes: list[Scene] = []

    def beats(self) -> Iterator[tuple[datetime, Deed]]:
        """Everything that happens, case by case."""
        yield from self._past()
        yield from self._open()

    def _past(self) -> Iterator[tuple[datetime, Deed]]:
        material = cases.resolved(self.account.slug)
        chance = random.Random(SEED)  # noqa: S311 nothing here is a secret
        starts = calendar.starts(len(material), tz=self.account.tz, now=self.now, chance=chance)
        number = 0
        for case, start in zip(material, starts, strict=True):
            plot = self._plot(case, self._cast(chance))
            if case.escalation:
                handed_over(plot, number)
                number += 1
            else:
                solved_alone(plot)
            yield from _at(min(start, self.now - LAST_END - plot.clock), plot)

    def _open(self) -> Iterator[tuple[datetime, Deed]]:
        material = cases.still_open(self.account.slug)
        for case, situation in zip(material, waiting.SITUATIONS[self.account.slug], strict=True):
            by = self.members[situation.by]
            picker = self.members.get(situation.picker, by)
            plot = self._plot(case, Cast(by, picker, picker))
            ago = waiting.tell(plot, situation)
            yield from _at(self.now - timedelta(minutes=ago), plot)

    def _plot(self, case: Case, cast: Cast) -> Plot:
        scene = Scene(self.account, case, self.feed, _chance("rows", case))
        self.scenes.append(scene)
        return Plot(scene, cast, _chance("plot", case))

    def _cast(self, chance: random.Random) -> Cast:
        """Three people in turn, none twice where the team is large enough; who escalated cannot pick up."""
        logins = [login for login in SHARES if login in self.members]
        chosen: list[str] = []
        for _ in range(3):
            left = [login for login in logins if login not in chosen] or chosen[1:]
            chosen.append(chance.choices(left, [SHARES[login] for login in left])[0])
        by, picker, second = (self.members[login] for login in chosen)
        return Cast(by, picker, second)


def _at(start: datetime, plot: Plot) -> Iterator[tuple[datetime, Deed]]:
    for offset, deed in plot.beats:
        yield start + offset, deed


def _chance(what: str, case: Case) -> random.Random:
    """Chance of this case's own, so that the length of one story changes nothing in the others."""
    return random.Random(f"{SEED} {what} {case.ticket_ref}")  # noqa: S311 nothing here is a secret
