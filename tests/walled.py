"""The test's own connection as web and worker have theirs: in the role that row security holds for."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from resolutionflow.walls import role


@contextmanager
def in_the_walls() -> Iterator[None]:
    """What is asked inside is asked as the application's role. Otherwise tests are superusers, who pass every wall."""
    with connection.cursor() as cursor:
        cursor.execute(f'SET ROLE "{role.name()}"')
    try:
        yield
    finally:
        if not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute("RESET ROLE")
