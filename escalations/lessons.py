"""What was solved for somebody: the resolved handoffs that they escalated, and how close their own steps were."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet, Value
from django.utils import timezone

from escalations.assessor import providers, sentences
from escalations.assessor.sameness import closest, sentences_of
from escalations.models import Handoff, Lesson, TriedStep
from resolutionflow.accounts.models import Account, User

SHOWN = 3  # the newest; the others come up as these are ticked off
NEWS_FOR = timedelta(days=30)  # whoever ticks nothing off is not followed by it for ever
HEAVY = ("handoff__snapshot", "handoff__reason", "handoff__session__knowledge", "handoff__session__problem")


@dataclass(frozen=True)
class Solved:
    """The newest of what somebody does not know yet, and how many more there are.

    `open` are the ids of their handoffs that are not closed: a page that hears of the end of one of them asks again.
    """

    lessons: Sequence[Lesson]
    more: int
    open: Sequence[str]

    @property
    def is_being_compared(self) -> bool:
        return any(lesson.compared_at is None for lesson in self.lessons)


def for_learner(user: User, account: Account) -> Solved:
    """Most people have nothing to learn most of the time: that takes one question."""
    since = timezone.now() - NEWS_FOR
    unknown = Lesson.objects.for_account(account).filter(
        learner=user, got_at=None, handoff__resolved_at__gte=since, handoff__session__pruned_at=None
    )
    mine = Handoff.objects.for_account(account).open().filter(created_by=user).order_by()
    told = mine.values_list("pk", Value("open")).union(unknown.values_list("pk", Value("unknown")), all=True)
    kinds = dict(told)
    count = sum(kind == "unknown" for kind in kinds.values())
    return Solved(
        list(_in_full(unknown).order_by("-handoff__resolved_at", "-pk")[:SHOWN]) if count else [],
        max(0, count - SHOWN),
        [str(pk) for pk, kind in kinds.items() if kind == "open"],
    )


def _in_full(lessons: QuerySet[Lesson]) -> QuerySet[Lesson]:
    """With what is shown of each."""
    return lessons.select_related("handoff__session__resolved_by", "closest").defer(*HEAVY)


def of_handoff(handoff: Handoff) -> Lesson | None:
    return Lesson.objects.filter(handoff=handoff).select_related("closest").first()


def closest_step(lesson: Lesson) -> TriedStep | None:
    """Of what the learner tried (or had in mind), the step nearest to what fixed it; None if none is near.

    What fixed it is the resolution, sentence by sentence, and what others did that worked.
    """
    session = lesson.handoff.session
    standing = list(session.steps.standing().order_by("position"))
    own = [step for step in standing if step.by_id == lesson.learner_id]
    worked = [step for step in standing if step.outcome == TriedStep.Outcome.WORKED and step not in own]
    fixes = [*sentences_of(session.resolution), *(step.description for step in worked)]
    told = [step.description for step in own]
    if providers.is_on(lesson.account):
        found = closest(told, fixes)
    else:
        with sentences.left_out():
            found = closest(told, fixes)
    return None if found is None else own[found]
