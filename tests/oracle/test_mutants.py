"""The comparison is able to fail: a mistake in each figure's SQL turns it red (docs/analytics.md lists them)."""

import functools
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, given, settings

from analytics.figures import DURATIONS, RATES
from tests.oracle import comparison
from tests.oracle.histories import together
from tests.oracle.history import History, write
from tests.oracle.mutants import MUTANTS

pytestmark = pytest.mark.django_db
HISTORIES = 400  # most mistakes are caught within twenty
names = (f"m{number}" for number in itertools.count())


class Kept:
    """A history with its rows, and with what the oracle says of it: the mistakes are in neither."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.account = write(history, next(names))

    @functools.cached_property
    def expected(self) -> dict[str, Any]:
        return comparison.by_oracle(self.history)

    def is_told_wrongly(self) -> bool:
        with transaction.atomic():
            told = comparison.by_sql(self.account, self.history)
            transaction.set_rollback(True)
        return bool(comparison.differences(told, self.expected))


@pytest.fixture(scope="module")
def some_histories(django_db_setup, django_db_blocker) -> Iterator[list[Kept]]:
    """The same ones for every mistake, written once: each test runs in a savepoint inside this transaction."""
    with django_db_blocker.unblock(), transaction.atomic():
        found = [Kept(history) for history in drawn() if history.events]
        connection.check_constraints()  # now, or each test would do it anew at its end
        yield found
        transaction.set_rollback(True)


def drawn() -> list[History]:
    found: list[History] = []

    @settings(
        max_examples=HISTORIES // 5,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(together())
    def collect(five):
        found.extend(five)

    collect()
    return found


@pytest.mark.parametrize("name", MUTANTS)
def test_the_oracle_catches(name, some_histories):
    _, mistake = MUTANTS[name]
    with mistake():
        assert any(kept.is_told_wrongly() for kept in some_histories), f"nobody noticed: {name}"


def test_each_figure_has_its_mistake():
    figures = {figure for figure, _ in MUTANTS.values()}
    assert {figure.name for figure in (*RATES, *DURATIONS)} <= figures
