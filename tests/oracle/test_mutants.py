"""The comparison is able to fail: a mistake in each figure's SQL turns it red (docs/analytics.md lists them)."""

import itertools

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings

from analytics.figures import DURATIONS, RATES
from tests.oracle import comparison
from tests.oracle.histories import together
from tests.oracle.history import write
from tests.oracle.mutants import MUTANTS

pytestmark = pytest.mark.django_db
HISTORIES = 400  # most mistakes are caught within twenty
names = (f"m{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def some_histories() -> list:
    """The same ones for every mistake."""
    found: list = []

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
        assert any(_is_wrong(history) for history in some_histories), f"nobody noticed: {name}"


def test_each_figure_has_its_mistake():
    figures = {figure for figure, _ in MUTANTS.values()}
    assert {figure.name for figure in (*RATES, *DURATIONS)} <= figures


def _is_wrong(history) -> bool:
    if not history.events:
        return False
    with transaction.atomic():
        account = write(history, next(names))
        wrong = comparison.differences(comparison.by_sql(account, history), comparison.by_oracle(history))
        transaction.set_rollback(True)
    return bool(wrong)
