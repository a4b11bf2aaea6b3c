"""Does the playbook find what helps, does its confidence mean something, and how long does it take?

`python -m tests.bench.assessment --cases FILE`, one JSON object a line: `{"id", "past": {…, "key_fix"}, "fresh": {…}}`.
Every `past` becomes a resolved session of one account; every `fresh` is escalated in it. A suggested step is right if
it cites the session that the case stems from. The halves are told by the parity of the id's SHA-256: the confidence was
fitted on the first.
"""

import argparse
import hashlib
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.ground import fresh_database, machine

if TYPE_CHECKING:
    from escalations.assessor import Assessment
    from escalations.models import Handoff
    from resolutionflow.accounts.models import User

GOALS = {"hit@1": 0.75, "hit@3": 0.90, "hit@3 over BM25": 0.10, "growth": 4.0}
SIZES = (100, 1_000, 10_000, 100_000)
TIMED = 20  # assessments of each size
CONFIDENCES = ("high", "medium", "low")


@dataclass(frozen=True)
class Ranked:
    """For each case the place of the right answer, from 1; 0 where it is not among those that were given."""

    places: list[int]

    def hit(self, among: int) -> float:
        return sum(0 < place <= among for place in self.places) / len(self.places)

    def mrr(self) -> float:
        return sum(1 / place for place in self.places if place) / len(self.places)

    def of(self, chosen: Sequence[int]) -> "Ranked":
        return Ranked([self.places[index] for index in chosen])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, required=True, metavar="FILE", help="JSON lines with past and fresh")
    parser.add_argument("--others", type=Path, metavar="FILE", help="past sessions that are nobody's answer, likewise")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, help="resolved sessions to time it with")
    options = parser.parse_args()
    cases = [json.loads(line) for line in options.cases.read_text("utf-8").splitlines() if line.strip()]
    others = [json.loads(line) for line in options.others.read_text("utf-8").splitlines()] if options.others else []
    with fresh_database():
        return bench(cases, others, options.sizes)


def bench(cases: list[dict[str, Any]], others: list[dict[str, Any]], sizes: Sequence[int]) -> int:
    from escalations.assessor import sentences
    from tests.factories import UserFactory

    print(f"{len(cases)} cases among {len(cases) + len(others)} resolved sessions; {machine()}")
    print("with vectors" if sentences.is_there() else "WITHOUT vectors: their weights are not installed")
    ann = UserFactory()
    keys = remember(ann, [case["past"] for case in cases] + others)
    handoffs = [escalate(ann, case["fresh"]) for case in cases]
    missed = report_quality(cases, others, keys, handoffs)
    if sizes:
        missed += report_times(cases, sizes)
    print("goals missed:", ", ".join(missed) or "none")
    return int(bool(missed))


def remember(ann: "User", pasts: list[dict[str, Any]]) -> list[str]:
    """The ids of the sessions that they become."""
    from django.utils import timezone

    from escalations import past
    from escalations.actions import learning, past_sessions
    from escalations.models import AISession

    now = timezone.now()
    told = [past.parse(json.dumps(each).encode(), tz=ann.account.tz, now=now)[0] for each in pasts]
    past_sessions.keep(told, account=ann.account, now=now)
    began = time.perf_counter()
    learning.catch_up(seconds=3600)
    print(f"reading them took {1000 * (time.perf_counter() - began) / len(pasts):.0f} ms each")
    ids = dict(AISession.objects.filter(account=ann.account).values_list("external_id", "pk"))
    return [str(ids[each.key]) for each in told]


def escalate(ann: "User", fresh: dict[str, Any]) -> "Handoff":
    from escalations.actions import handoffs, sessions

    session = sessions.start(ann.account, by=ann, title=fresh["title"], problem=fresh["problem"])
    for step in fresh.get("steps", []):
        sessions.record_step(session, by=ann, description=step["description"], outcome=step["outcome"])
    return handoffs.escalate(session, by=ann, reason=fresh.get("reason") or "Stuck.")


# Quality


def report_quality(
    cases: list[dict[str, Any]], others: list[dict[str, Any]], keys: list[str], handoffs: list["Handoff"]
) -> list[str]:
    from escalations import knowledge
    from escalations.assessor import playbook, sentences
    from tests.bench import rankers

    known = [rankers.text_of_past(past) for past in [*(case["past"] for case in cases), *others]]
    asked = [rankers.text_of_fresh(case["fresh"]) for case in cases]
    told = [knowledge.case_of_handoff(handoff) for handoff in handoffs]
    made = [playbook.assess(case) for case in told]
    with sentences.left_out():
        by_words = [playbook.assess(knowledge.case_of_handoff(handoff)) for handoff in handoffs]
    ranked = {
        "playbook": Ranked([place_of(key, each) for key, each in zip(keys, made, strict=False)]),
        "playbook, words alone": Ranked([place_of(key, each) for key, each in zip(keys, by_words, strict=False)]),
        "ts_rank": Ranked([rankers.by_ts_rank(known, text).index(index) + 1 for index, text in enumerate(asked)]),
        "BM25": Ranked([order.index(index) + 1 for index, order in enumerate(rankers.by_bm25(known, asked))]),
    }
    halves = [int(hashlib.sha256(case["id"].encode()).hexdigest(), 16) % 2 for case in cases]
    parts = {"all": range(len(cases)), "one half": at(halves, 0), "other half": at(halves, 1)}
    for part, chosen in parts.items():
        print(f"\n{part} ({len(chosen)})           hit@1  hit@3  hit@5  MRR")
        for name, places in ranked.items():
            of = places.of(chosen)
            print(f"  {name:22} {of.hit(1):6.2f} {of.hit(3):6.2f} {of.hit(5):6.2f} {of.mrr():6.2f}")
    right = [place == 1 for place in ranked["playbook"].places]
    print("\nconfidence: how often the first step is right")
    report_confidence([each.confidence for each in made], right)
    print("the same with the right session taken away: the first step is always wrong")
    without = [
        playbook.assess(replace(case, past=tuple(past for past in case.past if past.id != key)))
        for case, key in zip(told, keys, strict=False)
    ]
    report_confidence([each.confidence for each in without], [False] * len(without))
    ours, bm25 = ranked["playbook"], ranked["BM25"]
    reached = {
        "hit@1": ours.hit(1) >= GOALS["hit@1"],
        "hit@3": ours.hit(3) >= GOALS["hit@3"],
        "hit@3 over BM25": ours.hit(3) - bm25.hit(3) >= GOALS["hit@3 over BM25"],
    }
    return [name for name, well in reached.items() if not well]


def place_of(key: str, made: "Assessment") -> int:
    """Of the first step that cites this session; 0 if none does."""
    cited = [[source.id for source in step.sources] for step in made.suggested_steps]
    return next((place for place, sources in enumerate(cited, 1) if key in sources), 0)


def at(halves: list[int], which: int) -> list[int]:
    return [index for index, half in enumerate(halves) if half == which]


def report_confidence(said: list[str], right: list[bool]) -> None:
    total = Counter(said)
    for confidence in CONFIDENCES:
        well = sum(r for s, r in zip(said, right, strict=True) if s == confidence)
        share = f"{well / total[confidence]:.2f}" if total[confidence] else "   –"
        print(f"  {confidence:8} {share}  ({well} of {total[confidence]})")


# Time


def report_times(cases: list[dict[str, Any]], sizes: Sequence[int]) -> list[str]:
    """Each size is an account of its own. They are measured in turns, so that what else runs slows all of them."""
    from django.db import connection

    handoffs = {size: account_with(size, cases) for size in sizes}
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    took: dict[int, list[tuple[float, float]]] = {size: [] for size in sizes}
    for turn in range(TIMED):
        for size in sizes:
            took[size].append(assess(handoffs[size][turn % len(handoffs[size])]))
    print("\nresolved sessions   median ms   of it finding   slowest")
    for size in sizes:
        finding, whole = zip(*took[size], strict=True)
        print(f"{size:17,} {statistics.median(whole):11.0f} {statistics.median(finding):15.0f} {max(whole):9.0f}")
    if not {1_000, 100_000} <= set(sizes):
        return []
    growth = statistics.median(big[1] / small[1] for big, small in zip(took[100_000], took[1_000], strict=True))
    print(f"from 1,000 to 100,000: {growth:.1f} times, the median of the turns (goal: below {GOALS['growth']:g})")
    return ["growth"] if growth >= GOALS["growth"] else []


def account_with(size: int, cases: list[dict[str, Any]]) -> list["Handoff"]:
    """Handoffs of an account with so many resolved sessions."""
    from tests.bench import history
    from tests.factories import UserFactory

    ann = UserFactory()
    pasts = [case["past"] for case in cases][:size]
    remember(ann, pasts)
    history.add(ann.account, size - len(pasts), pasts, seed=size)
    return [escalate(ann, case["fresh"]) for case in cases[:TIMED]]


def assess(handoff: "Handoff") -> tuple[float, float]:
    """Milliseconds that finding took, and all of it."""
    from escalations import knowledge
    from escalations.assessor import playbook

    case, finding = timed(lambda: knowledge.case_of_handoff(handoff))
    _, rest = timed(lambda: playbook.assess(case))
    return finding, finding + rest


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Its result, and its milliseconds."""
    began = time.perf_counter()
    result = work()
    return result, 1000 * (time.perf_counter() - began)


if __name__ == "__main__":
    sys.exit(main())
