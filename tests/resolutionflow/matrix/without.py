"""The first wall taken away: whatever compares an account with a value holds for every row."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.admin import ModelAdmin
from django.db import connection

from escalations.live import cards
from escalations.views import queue
from resolutionflow.admin_site import OwnedAdmin

# As the ORM writes it, with its table, and as the product's own SQL does. What is set or written names no table.
COMPARES = re.compile(r'(?:(?:"\w+"|\w+)\."account_id"|\baccount_id) = (%s|%\(account\)s)')


def open_to_all(sql: str) -> str:
    return COMPARES.sub(r"(\1::text IS NOT NULL)", sql)


@contextmanager
def filters() -> Iterator[list[str]]:
    """No query asks for an account inside. Gives the statements that did, so that a test sees that there were some."""
    changed: list[str] = []

    def run(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        opened = open_to_all(sql)
        if opened != sql:
            changed.append(sql)
        return execute(opened, params, many, context)

    own = OwnedAdmin.get_queryset
    OwnedAdmin.get_queryset = ModelAdmin.get_queryset
    try:
        with connection.execute_wrapper(run):
            yield changed
    finally:
        OwnedAdmin.get_queryset = own
        forget()


def forget() -> None:
    """What this process remembers of lists and cards was asked under other walls."""
    cards._card.cache_clear()
    cards._newest.cache_clear()
    queue._since.cache_clear()
