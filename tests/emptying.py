"""How a test that commits leaves the database as the migrations left it.

Django truncates every table and writes each permission anew, 0.2 s for a schema like ours. Most tests leave rows in a
dozen tables: those alone are deleted here, in a few milliseconds, past triggers (the feed refuses deletion) and foreign
keys. That takes a superuser, as tests are.
"""

from collections.abc import Iterable
from functools import cache

from django.db import connection
from django.test import TransactionTestCase
from psycopg import sql

WITHOUT_TRIGGERS = sql.SQL("SET session_replication_role = replica")
WITH_TRIGGERS = sql.SQL("SET session_replication_role = DEFAULT")


def install() -> None:
    """Take the place of Django's way. The database is as the migrations left it."""
    _tables()
    TransactionTestCase._fixture_teardown = lambda _test: empty()


def empty() -> None:
    """Delete the rows of every table that had none after the migrations."""
    if filled := _filled(_tables()):
        deletions = [sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for table in filled]
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("; ").join([WITHOUT_TRIGGERS, *deletions, WITH_TRIGGERS]))


@cache
def _tables() -> tuple[str, ...]:
    models = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return tuple(sorted(set(models) - set(_filled(models))))


def _filled(tables: Iterable[str]) -> list[str]:
    one = sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})")
    asked = [one.format(sql.Literal(table), sql.Identifier(table)) for table in tables]
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(" UNION ALL ").join(asked))
        return [table for (table,) in cursor.fetchall()]
