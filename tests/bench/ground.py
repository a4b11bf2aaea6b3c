"""The ground that a benchmark stands on: a database of its own, migrated, and Django set up on it."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg

from resolutionflow import postgres
from tests import embedded  # starts the tests' PostgreSQL


@contextmanager
def fresh_database() -> Iterator[None]:
    """Create a database, set Django up on it and migrate; drop it in the end."""
    given = os.environ.get("DATABASE_URL") or postgres.url(embedded.HOME)
    name = f"bench_{os.getpid()}"
    with psycopg.connect(given, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    os.environ["DATABASE_URL"] = urlunsplit(urlsplit(given)._replace(path=f"/{name}"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "resolutionflow.settings"
    try:
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        yield
    finally:
        with psycopg.connect(given, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def machine() -> str:
    """The machine's size, for the table in docs/benchmarks.md."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"
