"""The role that web and worker take on: it reads and writes rows, owns nothing, and row security holds for it.

A superuser and a login with BYPASSRLS pass every policy, so these have to become somebody else. For any other login
the policies hold as they stand, even if it owns the tables, because they are forced.
"""

import contextlib
from typing import Any

import psycopg
from django.conf import settings
from django.db import connections
from psycopg import sql
from psycopg.errors import DuplicateObject, InsufficientPrivilege, UniqueViolation

NONE = "none"
LONGEST_NAME = 63  # bytes of a name in PostgreSQL

EXISTS = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s"
LOGIN_PASSES = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = session_user"
MAY_BECOME = "SELECT pg_has_role(session_user, %s, 'MEMBER')"
GRANTS = (
    "GRANT USAGE ON SCHEMA public TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {role}",
    "REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {role}",
)
# Row security lets an index answer only what cannot tell of a row that is not to be seen (“leakproof”). The search for
# words cannot, but PostgreSQL does not say so: without this, it reads all sessions (36,000: 320 ms, not 4).
SEARCH = "ALTER FUNCTION pg_catalog.ts_match_vq(tsvector, tsquery) LEAKPROOF"
IS_SUPERUSER = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"


class CannotPrepare(Exception):
    """The role is not there and this login may not make it; `str()` says what an administrator has to do."""


def name() -> str | None:
    """The role's name: DATABASE_ROLE, else one of this database's own; None if no role is to be taken."""
    told: str = settings.DATABASE_ROLE
    if told == NONE:
        return None
    return told or f"{connections['default'].settings_dict['NAME']}_app"[-LONGEST_NAME:]


def in_options(role: str) -> str:
    """A name as it stands in the options of a connection, where a blank would end it."""
    return role.replace("\\", r"\\").replace(" ", r"\ ")


def prepare() -> None:
    """Make the role where it is missing, and let it use every table that there is now. Raises CannotPrepare."""
    role = name()
    with connections["default"].cursor() as cursor:
        if _one(cursor, IS_SUPERUSER):
            cursor.execute(SEARCH)
        if role is None:
            return
        try:
            _make(cursor, role)
            for grant in GRANTS:
                cursor.execute(sql.SQL(grant).format(role=sql.Identifier(role)))
        except Exception as error:
            if isinstance(error.__cause__, InsufficientPrivilege):
                raise CannotPrepare(_what_to_do(role)) from error
            raise


def _make(cursor: Any, role: str) -> None:
    if _one(cursor, EXISTS, role) is None:
        make = "CREATE ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION"
        try:
            cursor.execute(sql.SQL(make).format(role=sql.Identifier(role)))
        except Exception as error:
            if not isinstance(error.__cause__, (DuplicateObject, UniqueViolation)):  # another process was quicker
                raise
    if not _one(cursor, MAY_BECOME, role):
        cursor.execute(sql.SQL("GRANT {role} TO CURRENT_USER").format(role=sql.Identifier(role)))


def what_is_wrong() -> str:
    """Why the second wall would not stand for connections of this process's login; empty if it does.

    Raises psycopg.OperationalError if the database does not answer.
    """
    params = connections["default"].login_params()  # type: ignore[attr-defined]
    with psycopg.connect(**params, autocommit=True) as connection, connection.cursor() as cursor:
        return _what_is_wrong(cursor, name())


def _what_is_wrong(cursor: Any, role: str | None) -> str:
    if role is None:
        passes = _one(cursor, LOGIN_PASSES)
        return "The database's login passes row security, and DATABASE_ROLE=none lets it." if passes else ""
    passes = _one(cursor, EXISTS, role)
    if passes is None:
        return f"The database has no role “{role}” yet: run manage.py migrate."
    if passes:
        return f"The role “{role}” passes row security: it must be neither SUPERUSER nor BYPASSRLS."
    return "" if _one(cursor, MAY_BECOME, role) else _what_to_do(role)


def refuse_to_serve() -> None:
    """Raises SystemExit with one line if the second wall would not stand. A database that is away is waited for."""
    with contextlib.suppress(psycopg.OperationalError):
        if wrong := what_is_wrong():
            raise SystemExit(wrong)


def _one(cursor: Any, question: str, *values: str) -> Any:
    cursor.execute(question, values or None)
    found = cursor.fetchone()
    return found and found[0]


def _what_to_do(role: str) -> str:
    return (
        f"The database's login may not become “{role}”, the role that row security holds for. Let an administrator run"
        f' CREATE ROLE "{role}" NOLOGIN; GRANT "{role}" TO the login; then manage.py migrate again. Or set'
        " DATABASE_ROLE=none if the login itself is neither SUPERUSER nor BYPASSRLS."
    )
