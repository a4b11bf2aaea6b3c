"""Verbs at the same moment, each in a thread with a connection of its own (`transaction=True` tests only)."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connection, models


def race(*verbs: Callable[[], object]) -> list[object]:
    """What each returned or raised, in their order."""
    start = threading.Barrier(len(verbs))

    def run(verb: Callable[[], object]) -> object:
        try:
            connection.ensure_connection()
            start.wait(timeout=10)
            return verb()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(verbs)) as pool:
        return list(pool.map(run, verbs))


def anew(verb: Callable[..., object], row: models.Model, **arguments: object) -> Callable[[], object]:
    """A call of the verb on a copy of `row` of its own, as another request would read it."""
    return lambda: verb(type(row)._default_manager.get(pk=row.pk), **arguments)


def winner_and_loser(outcomes: list[object]) -> tuple[object, Exception]:
    """Of two, the one that came through and the refusal of the other."""
    lost = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    won = [outcome for outcome in outcomes if not isinstance(outcome, Exception)]
    assert (len(won), len(lost)) == (1, 1), outcomes
    return won[0], lost[0]
