"""The default assessor: offline, from the account's own resolved sessions, and honest about it.

It finds nothing out. It shows which resolved sessions look most like the case, what fixed them, and leaves out what
was tried already; every step names where it comes from.
"""

import math
import re

from escalations.assessor import (
    MOST_FACTS,
    MOST_STEPS,
    STEP_LENGTH,
    Assessment,
    Case,
    Confidence,
    PastSession,
    Source,
    SuggestedStep,
    plain,
    runbook,
)
from escalations.assessor.words import overlap, words_of

SAME_STEP = 0.6  # share of words from which two steps count as the same
# How close a past session is (1: the same words). Colleagues describe the same fault in other words: over real cases
# the right session lies around 0.15, nine of ten wrong ones below that.
RELATED = 0.09  # from which its fix is worth a look,
NEARLY_AS_CLOSE = 0.7  # unless another session is so much closer that it would only be noise
CLOSE = 0.14  # from which it names a likely cause
VERY_CLOSE = 0.18
CLEARLY_AHEAD = 1.3  # best score against the second best
HARMFUL = re.compile(
    r"\b(format|delet|wip|eras|drop|reset|remov|purg|reinstall|re-?image|rm -rf|reboot|restart)\w*", re.IGNORECASE
)
WARNING = "Changes or removes something: check what depends on it first."


def assess(case: Case) -> Assessment:
    """The closest resolved sessions and what fixed them, without what was tried."""
    close = [past for past in case.past if _closeness(case, past) >= CLOSE]
    steps = _steps(case)
    return Assessment(
        summary_prose=_summary(case, close),
        what_we_know=tuple(_facts(case)),
        likely_cause=_likely_cause(close),
        suggested_steps=tuple(steps),
        confidence=_confidence(case),
        sources=tuple(_session(past) for past in close[:3]),
    )


# Steps


def _steps(case: Case) -> list[SuggestedStep]:
    chosen: list[SuggestedStep] = []
    for step in [*_from_history(case), *_from_runbook(case)]:
        known = [*(tried.description for tried in case.steps), *(other.text for other in chosen)]
        if step.text and len(chosen) < MOST_STEPS and not any(overlap(step.text, text) >= SAME_STEP for text in known):
            chosen.append(step)
    return chosen


def _from_history(case: Case) -> list[SuggestedStep]:
    """What worked in the sessions that are about as close as the closest one, best first."""
    closest = max((_closeness(case, past) for past in case.past), default=0.0)
    enough = max(RELATED, NEARLY_AS_CLOSE * closest)
    return [
        SuggestedStep(plain(text, STEP_LENGTH), (_session(past),), WARNING if HARMFUL.search(text) else "")
        for past in case.past
        for text in _fixes(past)
        if _closeness(case, past) >= enough
    ]


def _fixes(past: PastSession) -> list[str]:
    worked = [step.description for step in past.steps if step.outcome == "worked"]
    return worked[-1:] or [past.resolution]


def _from_runbook(case: Case) -> list[SuggestedStep]:
    return [
        SuggestedStep(text, (Source("runbook", page.id, page.title),), WARNING if HARMFUL.search(text) else "")
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


def _closeness(case: Case, past: PastSession) -> float:
    """The cosine of the two sets of words."""
    mine = words_of(_text(case))
    theirs = words_of(f"{past.title} {past.problem} {past.resolution}")
    return len(mine & theirs) / math.sqrt(len(mine) * len(theirs)) if mine and theirs else 0.0


def _confidence(case: Case) -> Confidence:
    if not case.past or _closeness(case, case.past[0]) < CLOSE:
        return "low"
    ahead = len(case.past) == 1 or case.past[0].score >= CLEARLY_AHEAD * case.past[1].score
    close = _closeness(case, case.past[0]) >= VERY_CLOSE
    return "high" if ahead and close else "medium" if ahead or close else "low"


def _session(past: PastSession) -> Source:
    return Source("session", past.id, past.title)


def _text(case: Case) -> str:
    return " ".join([case.title, case.problem, case.reason])
