"""The SQL and a slow oracle in plain Python say the same of a thousand random histories."""

import itertools
import os

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings

from tests.oracle import comparison
from tests.oracle.histories import together
from tests.oracle.history import History, write

HISTORIES = int(os.environ.get("ORACLE_HISTORIES", "200"))
AT_ONCE = 5  # accounts in one example

pytestmark = pytest.mark.django_db
names = (f"h{number}" for number in itertools.count())


def check(found: list[History]) -> None:
    with transaction.atomic():
        accounts = [write(history, next(names)) for history in found]
        for account, history in zip(accounts, found, strict=True):
            told, expected = comparison.by_sql(account, history), comparison.by_oracle(history)
            assert comparison.differences(told, expected) == {}
        transaction.set_rollback(True)


def test_the_sql_says_what_the_oracle_says(db):
    @settings(
        max_examples=HISTORIES // AT_ONCE,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(together())
    def run(found):
        check(found)

    run()
