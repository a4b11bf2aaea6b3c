"""A long history for an account: resolved sessions, each different, made from the sentences of real ones.

Their texts are new mixtures with names and numbers of their own. Their vectors are mixtures too, with noise: reading
100,000 texts would take most of an hour, and how long a search takes does not depend on what the numbers mean.
"""

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from escalations.assessor import sentences
from escalations.models import AISession, Meaning, TriedStep
from resolutionflow.accounts.models import Account

ROWS = 1_000
WORDS = "north harbour mill oak river stone field bridge park church abbey ford hill lake moss amber"
PLACES = "server printer laptop switch tablet gateway scanner mailbox share tenant profile policy record"


def add(account: Account, count: int, pasts: list[dict[str, Any]], seed: int) -> None:
    """So many more resolved sessions, with steps, words to search and vectors."""
    chance = random.Random(seed)
    while count > 0:
        sessions = [_session(account, pasts, chance) for _ in range(min(ROWS, count))]
        AISession.objects.bulk_create(sessions)
        TriedStep.objects.bulk_create([step for each in sessions for step in _steps(each, pasts, chance)])
        _learn(account, sessions, chance)
        count -= len(sessions)


def _session(account: Account, pasts: list[dict[str, Any]], chance: random.Random) -> AISession:
    at = timezone.now() - timedelta(minutes=chance.randrange(10_000, 1_000_000))
    name = f"{chance.choice(WORDS.split())}{chance.choice(WORDS.split())}{chance.randrange(10_000)}"
    code = f"0x{chance.randrange(16**8):08x}"
    return AISession(
        account=account,
        title=f"{_mixed(pasts, 'title', chance, 8)} on {name}"[:200],
        problem=f"{_mixed(pasts, 'problem', chance, 40)} {chance.choice(PLACES.split())} {name} shows {code}.",
        resolution=_mixed(pasts, "resolution", chance, 20),
        state="resolved",
        created_at=at,
        resolved_at=at,
    )


def _steps(session: AISession, pasts: list[dict[str, Any]], chance: random.Random) -> Iterator[TriedStep]:
    for position, outcome in enumerate(("failed", "inconclusive", "worked"), 1):
        description = chance.choice(chance.choice(pasts)["steps"])["description"]
        yield TriedStep(session=session, position=position, description=description, outcome=outcome)


def _mixed(pasts: list[dict[str, Any]], field: str, chance: random.Random, length: int) -> str:
    words = " ".join(past[field] for past in chance.sample(pasts, 3)).split()
    start = chance.randrange(max(1, len(words) - length))
    chosen = words[start : start + length]
    chance.shuffle(chosen)
    return " ".join(chosen)


def _learn(account: Account, sessions: list[AISession], chance: random.Random) -> None:
    from escalations import knowledge

    with connection.cursor() as cursor:
        cursor.execute(knowledge.LEARN.replace("= %s", "= ANY(%s)"), [[session.pk for session in sessions]])
    if sentences.is_there():
        Meaning.objects.bulk_create(_meanings(account, sessions, chance))


def _meanings(account: Account, sessions: list[AISession], chance: random.Random) -> Iterator[Meaning]:
    import numpy as np

    numbers = np.random.default_rng(chance.randrange(2**32))
    kept = Meaning.objects.filter(account=account).order_by("session__created_at").values_list("whole", flat=True)[:45]
    real = np.stack([np.frombuffer(whole, "<f2").astype(np.float32) for whole in kept])
    for session in sessions:
        one, other = real[numbers.integers(0, len(real), 2)]
        mixed = one + other * numbers.uniform(0.2, 1) + numbers.standard_normal(sentences.SIZE) * 0.04
        whole = (mixed / np.linalg.norm(mixed)).astype("<f2").tobytes()
        yield Meaning(account=account, session=session, whole=whole, tried=whole, sketch=sentences.sketch(whole))
