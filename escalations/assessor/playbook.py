"""The default assessor: offline, from the account's own resolved sessions, and honest about it.

It finds nothing out. It shows which resolved sessions look most like the case, what fixed them, and leaves out what
was tried already; every step names where it comes from.
"""

import math
import re
from dataclasses import dataclass, field

from escalations.assessor import (
    MOST_FACTS,
    MOST_STEPS,
    STEP_LENGTH,
    Assessment,
    Case,
    Confidence,
    Page,
    PastSession,
    Source,
    SuggestedStep,
    plain,
    runbook,
)
from escalations.assessor.sameness import Sameness

# In a past session's or page's score (see PastSession).
RELATED = 0.45  # from which its fix is worth a look,
BEHIND = 0.3  # unless it is so far behind the best that it would only be noise
SEEN_AGAIN = 0.05  # what worked in another session too is a better bet
GENERAL = 0.1  # a runbook's page holds for a kind of problem, a session for one
MOST_OF_A_PAGE = 2  # steps that are still to do

# How likely the first session is the right one, fitted to real cases: 1 / (1 + e^-(6 · score + 7 · lead - 5.5)).
BY_SCORE, BY_LEAD, AT_ZERO = 6.0, 7.0, -5.5
LIKELY = 0.4
NEARLY_SURE = 0.8


@dataclass
class Idea:
    """A step with all that speaks for it."""

    text: str
    score: float
    sources: list[Source] = field(default_factory=list)

    def as_step(self) -> SuggestedStep:
        return SuggestedStep(self.text, tuple(self.sources))


def assess(case: Case) -> Assessment:
    """The closest resolved sessions and what fixed them, without what was tried."""
    chance = _chance(case)
    close = list(_related(case)) if chance >= LIKELY else []
    return Assessment(
        summary_prose=_summary(case, close),
        what_we_know=tuple(_facts(case)),
        likely_cause=_likely_cause(close),
        suggested_steps=tuple(idea.as_step() for idea in _best(case)),
        confidence=_confidence(chance),
        sources=tuple(_session(past) for past in close[:3]),
    )


# Steps


def _best(case: Case) -> list[Idea]:
    """What speaks for itself most, each thing once, without what was done."""
    ideas = [*_from_history(case), *_from_pages(case)]
    ideas.sort(key=lambda idea: -idea.score)
    ideas += _from_built_in(case)
    done = [step.description for step in case.steps if step.outcome != "not_run"]
    sameness = Sameness([idea.text for idea in ideas], done)
    fresh = [idea for idea in ideas if idea.text and not sameness.was_done(idea.text)]
    return sorted(_merged(fresh, sameness), key=lambda idea: -idea.score)[:MOST_STEPS]


def _merged(ideas: list[Idea], sameness: Sameness) -> list[Idea]:
    """The ideas without repetitions: what worked in several sessions names them all."""
    merged: list[Idea] = []
    for idea in ideas:
        known = next((other for other in merged if sameness.same(other.text, idea.text)), None)
        if known is None:
            merged.append(idea)
        elif idea.sources[0] not in known.sources:
            known.sources += idea.sources
            known.score += SEEN_AGAIN
    return merged


def _related(case: Case) -> list[PastSession]:
    """The sessions that are about as close as the closest one, best first."""
    closest = max((past.score for past in case.past), default=0.0)
    return [past for past in case.past if past.score >= max(RELATED, closest - BEHIND)]


def _from_history(case: Case) -> list[Idea]:
    return [Idea(_fix(past), past.score, [_session(past)]) for past in _related(case)]


def _fix(past: PastSession) -> str:
    """The last step that worked, else the resolution's own words."""
    worked = [step.description for step in past.steps if step.outcome == "worked"]
    return plain(worked[-1] if worked else past.resolution, STEP_LENGTH)


def _from_pages(case: Case) -> list[Idea]:
    done = [step.description for step in case.steps if step.outcome != "not_run"]
    return [
        Idea(text, page.score - GENERAL, [Source("runbook", page.id, page.title)])
        for page in case.pages
        if page.score >= RELATED
        for text in _still_to_do(page, done)
    ]


def _still_to_do(page: Page, done: list[str]) -> list[str]:
    steps = [plain(step, STEP_LENGTH) for step in page.steps]
    sameness = Sameness(steps, done)
    return [step for step in steps if not sameness.was_done(step)][:MOST_OF_A_PAGE]


def _from_built_in(case: Case) -> list[Idea]:
    return [
        Idea(text, 0.0, [Source("runbook", page.id, page.title)])
        for page in runbook.pages_about(_text(case))[:2]
        for text in page.steps
    ]


# Words


def _summary(case: Case, close: list[PastSession]) -> str:
    tried = [step for step in case.steps if step.outcome != "not_run"]
    said = [_first_sentences(case.problem or case.title, 2)]
    if tried:
        worked = sum(step.outcome == "worked" for step in tried)
        steps = "1 step was" if len(tried) == 1 else f"{len(tried)} steps were"
        said.append(f"{steps} tried, {worked or 'none of them'} worked.")
    else:
        said.append("No step is on record yet.")
    if close:
        said.append(f"The resolved session most like it is “{close[0].title}”.")
    else:
        said.append("None of your team's resolved sessions is close to it.")
    return " ".join(filter(None, said))


def _likely_cause(close: list[PastSession]) -> str:
    if not close:
        return "Nothing in your team's resolved sessions points to a cause."
    return f"If it is the same as in “{close[0].title}”: {_first_sentences(close[0].resolution, 2)}"


def _facts(case: Case) -> list[str]:
    sentences = re.split(r"(?<=[.!?])\s+", case.problem)
    telling = [s for s in sentences if re.search(r"\d|error|fail|since|after|only|all|\"|“", s, re.IGNORECASE)]
    tried = [
        f"{'Did not help' if step.outcome == 'failed' else 'Unclear'}: {step.description}"
        for step in case.steps
        if step.outcome in {"failed", "inconclusive"}
    ]
    return [*(telling or sentences)[:3], *tried][:MOST_FACTS]


def _first_sentences(text: str, count: int) -> str:
    return " ".join(re.split(r"(?<=[.!?])\s+", text.strip())[:count])


# How sure


def _chance(case: Case) -> float:
    """How likely the first session's fix is the right one, from 0 to 1."""
    first, second = [*sorted((past.score for past in case.past), reverse=True), 0.0, 0.0][:2]
    lead = first - max(second, RELATED)
    return 1 / (1 + math.exp(-(BY_SCORE * first + BY_LEAD * max(lead, 0.0) + AT_ZERO)))


def _confidence(chance: float) -> Confidence:
    return "high" if chance >= NEARLY_SURE else "medium" if chance >= LIKELY else "low"


def _session(past: PastSession) -> Source:
    return Source("session", past.id, past.title)


def _text(case: Case) -> str:
    return " ".join([case.title, case.problem, case.reason])
