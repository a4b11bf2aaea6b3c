"""What is open right now: the last column of the story, told backwards from now."""

from dataclasses import dataclass
from functools import partial

from escalations.models import Message
from resolutionflow.demo.plot import Plot, up_to_the_escalation

READY, TIMED_OUT = 0, 11  # numbers for `Plot.assess`


@dataclass(frozen=True)
class Situation:
    """`waits` minutes since the escalation; whoever is named after it picked it up `picked_up` minutes ago."""

    by: str
    waits: float
    picker: str = ""
    picked_up: float = 0
    released: float = 0  # minutes ago
    says: str = ""
    assessment: int = READY


# In the order of open.jsonl. Ann and Ben each see cards that they may pick up.
SITUATIONS = {
    "harbor-it": (
        Situation("ben", waits=24),
        Situation("ann", waits=50, picker="olga", picked_up=37, released=21),
        Situation("ann", waits=41, picker="ben", picked_up=27, says="Mine. Looking at the database names first."),
        Situation("ann", waits=6),
        Situation("olga", waits=33),
        Situation("ben", waits=12),
        Situation("olga", waits=19, picker="ann", picked_up=4),
        Situation("olga", waits=47),
        Situation("ann", waits=2),
        Situation("ben", waits=29, assessment=TIMED_OUT),
    ),
    "summit-desk": (Situation("zoe", waits=9), Situation("omar", waits=22)),
}
RELEASE_REASON = "Called away to a client, so it goes back before it gets cold."


def tell(plot: Plot, situation: Situation) -> float:
    """The story up to now; returns how many minutes before now it began."""
    up_to_the_escalation(plot, situation.assessment)
    escalated = plot.clock.total_seconds() / 60
    if situation.picker:
        picker, scene = plot.cast.picker, plot.scene
        plot.then(situation.waits - situation.picked_up, partial(scene.pick_up, by=picker))
        if situation.says:
            plot.then(3, partial(scene.say, kind=Message.Kind.ENGINEER, body=situation.says, by=picker))
        if situation.released:
            held = situation.picked_up - situation.released
            plot.then(held, partial(scene.release, by=picker, reason=RELEASE_REASON))
    return escalated + situation.waits
