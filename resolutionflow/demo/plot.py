"""What happens in each case, as beats: how long after the beginning, and what is done then.

Offsets, not dates: so the same story can begin whenever `history` wants it to, and the dates change nothing in it.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from escalations.models import Assessment, Message
from resolutionflow.accounts.models import User
from resolutionflow.demo.cases import Case, Step
from resolutionflow.demo.scene import Scene

Deed = Callable[[datetime], object]
Beat = tuple[timedelta, Deed]

# Minutes that a line takes, at least and at most.
TAKES = {"engineer": (1.0, 6.0), "copilot": (0.1, 0.4), "client": (2.0, 12.0)}
STEP_TAKES = (4.0, 16.0)

TYPICAL_WAIT = 6.0  # minutes until somebody picks up; half of them wait longer
LONGEST_WAIT = 180.0
SENDS_A_SUGGESTION = 0.36
EDITS_IT = 0.4

OPENERS = (
    "Read through it, nothing to ask. I have an idea, give me a few minutes.",
    "Mine now. I'll leave what you tried alone and start at the other end.",
    "Picked up. Had one that smelled like this last month, checking whether it's the same.",
    "Got it. Calling the client to say there's a new face on it, then I'll start.",
    "Taking over. I can get at what's missing here, starting now.",
)
RELEASES = (
    "On site at another client until four, somebody else will be faster.",
    "This needs rights on their firewall that I don't have.",
    "",
)


@dataclass(frozen=True)
class Cast:
    """Who escalates, who picks up, and who does after a release."""

    by: User
    picker: User
    second: User


class Plot:
    """A case's beats so far; `clock` is where its story stands."""

    def __init__(self, scene: Scene, cast: Cast, chance: random.Random) -> None:
        self.scene, self.cast, self.chance = scene, cast, chance
        self.clock = timedelta()
        self.beats: list[Beat] = []
        self.then(0, partial(scene.start, by=cast.by))

    @property
    def case(self) -> Case:
        return self.scene.case

    def then(self, minutes: float, deed: Deed) -> None:
        self.clock += timedelta(minutes=minutes)
        self.beats.append((self.clock, deed))

    def aside(self, seconds: float, deed: Deed) -> None:
        """Something that nobody waits for."""
        self.beats.append((self.clock + timedelta(seconds=seconds), deed))

    # Parts of a story

    def talk(self, steps: tuple[Step, ...]) -> None:
        """The whole conversation, with these steps where they belong between its lines."""
        lines = [(index / len(self.case.messages), self._line(*line)) for index, line in enumerate(self.case.messages)]
        tried = [((index + 0.9) / len(steps), self._try(step, self.cast.by)) for index, step in enumerate(steps)]
        for _, (minutes, deed) in sorted([*lines, *tried], key=lambda part: part[0]):
            self.then(minutes, deed)

    def escalate(self) -> None:
        if self.case.escalation is None:
            raise ValueError(f"{self.case.title} has no escalation")
        reason, priority = self.case.escalation.reason, self.case.escalation.priority
        deed = partial(self.scene.escalate, by=self.cast.by, reason=reason, priority=priority)
        self.then(self.chance.uniform(1, 3), deed)

    def assess(self, number: int) -> None:
        """Ready within two seconds, with a few that were late or never came."""
        ready = partial(self.scene.assess, state=Assessment.State.READY)
        late = partial(self.scene.assess, state=Assessment.State.TIMED_OUT, reason="It took longer than 5 seconds.")
        failed = partial(
            self.scene.assess, state=Assessment.State.FAILED, reason="Something went wrong while it was made."
        )
        if number % 40 == 23:
            self.aside(self.chance.uniform(0.5, 2), failed)
        elif number % 20 == 11:
            self.aside(5.1, late)
        elif number % 10 == 6:
            self.aside(5.1, late)
            self.aside(self.chance.uniform(8, 20), ready)
        else:
            self.aside(self.chance.uniform(0.3, 2), ready)

    def wait(self) -> float:
        """Minutes until somebody picks up."""
        return min(max(self.chance.lognormvariate(0, 1.0) * TYPICAL_WAIT, 1.0), LONGEST_WAIT)

    def pick_up(self, by: User) -> None:
        self.then(self.wait(), partial(self.scene.pick_up, by=by))

    def release(self, by: User) -> None:
        self.then(self.chance.uniform(4, 15), partial(self.scene.release, by=by, reason=self.chance.choice(RELEASES)))

    def take_back(self) -> None:
        self.then(self.chance.uniform(3, 20), partial(self.scene.take_back, by=self.cast.by))

    def open_with_words(self, by: User) -> None:
        """The picker's first message: one of the suggested steps, or some words."""
        words = self.chance.choice(OPENERS)
        deed: Deed = partial(self.scene.say, kind=Message.Kind.ENGINEER, body=words, by=by)
        if self.chance.random() < SENDS_A_SUGGESTION:
            edited = self.chance.random() < EDITS_IT
            deed = partial(self.scene.send_suggestion, by=by, edited=edited, instead=words)
        self.then(min(self.chance.lognormvariate(0.8, 0.6), 20), deed)

    def finish(self, steps: tuple[Step, ...], by: User) -> None:
        for step in steps:
            self.then(*self._try(step, by))
        self.then(self.chance.uniform(1, 8), partial(self.scene.resolve, by=by))

    def _line(self, author: str, body: str) -> tuple[float, Deed]:
        by = self.cast.by if author == "engineer" else None
        return self.chance.uniform(*TAKES[author]), partial(self.scene.say, kind=Message.Kind(author), body=body, by=by)

    def _try(self, step: Step, by: User) -> tuple[float, Deed]:
        return self.chance.uniform(*STEP_TAKES), partial(self.scene.record, by=by, step=step)


# Whole stories


def solved_alone(plot: Plot) -> None:
    plot.talk(plot.case.steps)
    plot.finish((), plot.cast.by)


def up_to_the_escalation(plot: Plot, number: int) -> tuple[Step, ...]:
    """Until it waits; what is left to try."""
    after = plot.case.escalation.after_steps if plot.case.escalation else 0
    plot.talk(plot.case.steps[:after])
    plot.escalate()
    plot.assess(number)
    return plot.case.steps[after:]


def handed_over(plot: Plot, number: int) -> None:
    """The number of the escalation decides how it goes on: most are picked up and solved."""
    left = up_to_the_escalation(plot, number)
    if number % 24 == 7:
        plot.take_back()
        plot.finish(left, plot.cast.by)
    elif number % 24 == 15:
        plot.pick_up(plot.cast.picker)
        plot.release(plot.cast.picker)
        plot.take_back()
        plot.finish(left, plot.cast.by)
    elif number % 10 == 4:
        plot.pick_up(plot.cast.picker)
        plot.release(plot.cast.picker)
        _picked_up_and_solved(plot, left, plot.cast.second)
    else:
        _picked_up_and_solved(plot, left, plot.cast.picker)


def _picked_up_and_solved(plot: Plot, left: tuple[Step, ...], by: User) -> None:
    plot.pick_up(by)
    plot.open_with_words(by)
    plot.finish(left, by)
