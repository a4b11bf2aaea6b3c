"""What belongs to an account: its rows in every table, found by following the database's own foreign keys.

So a table that is added tomorrow is in the export, and gone with the account, without anybody thinking of it.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from graphlib import TopologicalSorter
from typing import NamedTuple

from django.db import connection

ACCOUNT = "accounts_account"

FOREIGN_KEYS = """
    SELECT child.relname, of_child.attname, parent.relname, of_parent.attname
    FROM pg_constraint AS key
        JOIN pg_class AS child ON child.oid = key.conrelid
        JOIN pg_class AS parent ON parent.oid = key.confrelid
        JOIN pg_attribute AS of_child ON of_child.attrelid = child.oid AND of_child.attnum = key.conkey[1]
        JOIN pg_attribute AS of_parent ON of_parent.attrelid = parent.oid AND of_parent.attnum = key.confkey[1]
    WHERE key.contype = 'f' AND child.relnamespace = 'public'::regnamespace AND child.oid <> parent.oid
    ORDER BY 1, 2
"""
COLUMNS = """
    SELECT column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = %s AND data_type NOT IN ('bytea', 'tsvector', 'bit')
    ORDER BY ordinal_position
"""

# What gives access to something, or could be tried out: hashes of passwords and tokens, keys, sealed secrets.
GIVES_ACCESS = re.compile(r"(password|secret|digest|sealed|token(?!s)|key)(?!.*_id$)")
# Second factors are keys as a whole; vectors and marks are made anew from the rest.
NOT_EXPORTED = {"mfa_authenticator", "escalations_meaning", "escalations_findable", "analytics_mark"}


class ForeignKey(NamedTuple):
    table: str
    column: str
    parent: str
    parent_column: str


class Belongings:
    """The tables that hold rows of accounts, and which rows are one's: conditions on `%(account)s`, its id."""

    @cached_property
    def _keys(self) -> dict[str, list[ForeignKey]]:
        """By table, the foreign keys that lead towards the account."""
        with connection.cursor() as cursor:
            cursor.execute(FOREIGN_KEYS)
            keys = [ForeignKey(*row) for row in cursor.fetchall()]
        found: dict[str, list[ForeignKey]] = {ACCOUNT: []}
        while new := {key.table for key in keys if key.parent in found} - found.keys():
            found.update((table, []) for table in new)
        for key in keys:
            if key.parent in found and key.table != ACCOUNT:
                found[key.table].append(key)
        return found

    @cached_property
    def tables(self) -> list[str]:
        """Those that others point to come first."""
        return [
            *TopologicalSorter({table: {k.parent for k in keys} for table, keys in self._keys.items()}).static_order()
        ]

    def whose(self, table: str) -> str:
        """Which rows of the table are the account's. A row that names its account is that one's, whoever made it."""
        if table == ACCOUNT:
            return "id = %(account)s"
        keys = self._keys[table]
        own = [key for key in keys if key.parent == ACCOUNT]
        return " OR ".join(self._through(key) for key in own or keys)

    def _through(self, key: ForeignKey) -> str:
        if key.parent == ACCOUNT:
            return f"{key.column} = %(account)s"
        return f"{key.column} IN (SELECT {key.parent_column} FROM {key.parent} WHERE {self.whose(key.parent)})"  # noqa: S608 names of the database's own

    def to_export(self) -> Iterator[tuple[str, list[str]]]:
        """Each table with the columns that may leave the installation."""
        with connection.cursor() as cursor:
            for table in self.tables:
                if table in NOT_EXPORTED:
                    continue
                cursor.execute(COLUMNS, [table])
                yield table, [name for (name,) in cursor.fetchall() if not GIVES_ACCESS.search(name)]
