"""Which rows the database shows and takes: for migrations, which name the tables.

Such a migration is not atomic: it locks one table at a time, so that it cannot stand in each other's way with the
product, which goes on writing. Where it does not get a lock in time it ends, and is run again from the start.
"""

from collections.abc import Mapping

from django.db.migrations import RunSQL

EVERYWHERE = "current_setting('resolutionflow.everywhere', true) = 'on'"
ACCOUNT = "NULLIF(current_setting('resolutionflow.account', true), '')::uuid"


def of_account(table: str, column: str = "account_id") -> RunSQL:
    """A table whose rows name their account. Unset is null, which equals nothing: no rows."""
    return _wall(table, f"{column} = {ACCOUNT} OR {EVERYWHERE}")


def of_parent(table: str, column: str, parent: str, key: str = "id") -> RunSQL:
    """A table whose rows belong to a row of another: they are there for whom that one is there, by its own policy."""
    return _wall(
        table, f"{EVERYWHERE} OR EXISTS (SELECT FROM {parent} AS parent WHERE parent.{key} = {table}.{column})"
    )


def also_shown(table: str, name: str, condition: str) -> RunSQL:
    """Rows that an account may see, too, but neither write nor change."""
    return RunSQL(
        [
            f"DROP POLICY IF EXISTS {name} ON {table}",
            f"CREATE POLICY {name} ON {table} FOR SELECT USING ({condition})",
        ],
        f"DROP POLICY {name} ON {table}",
    )


def of_parents(children: Mapping[str, tuple[str, str, str]]) -> list[RunSQL]:
    """`of_parent` for several: table → (column, parent, the parent's key)."""
    return [of_parent(table, *where) for table, where in children.items()]


def _wall(table: str, condition: str) -> RunSQL:
    return RunSQL(
        [
            f"DROP POLICY IF EXISTS wall ON {table}",  # of a run that got no lock further on
            f"CREATE POLICY wall ON {table} USING ({condition}) WITH CHECK ({condition})",
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",  # for the owner of the table, too
        ],
        [
            f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
            f"DROP POLICY wall ON {table}",
        ],
    )
