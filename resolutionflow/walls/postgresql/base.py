"""Django's PostgreSQL backend, whose connections follow `resolutionflow.walls`.

What is set on a connection is changed together with the next statement, in the same message to the server, so that
it costs no round trip; a connection from the pool has nothing set. What a rollback has undone is set again.
"""

from typing import Any

from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base
from psycopg import Connection
from psycopg_pool import ConnectionPool

from resolutionflow import walls
from resolutionflow.walls import role

# Nothing else goes into one message with another statement: CREATE DATABASE, say, must stand alone.
TOGETHER = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "SET TRANSACTION")
# These show no rows; in a transaction that has failed the server takes nothing else.
ABOUT_NO_ROWS = ("SAVEPOINT", "RELEASE", "ROLLBACK")


# The stubs have these as they were for psycopg 2.
DjangosCursor: Any = base.Cursor
DjangosWrapper: Any = base.DatabaseWrapper


class Told(Connection[Any]):
    """A connection that knows what was set on it; None: not known, or undone."""

    told: walls.Scope | None = None


class Cursor(DjangosCursor):  # type: ignore[misc]
    def execute(self, query: Any, params: Any = None, **options: Any) -> "Cursor":
        text = query if isinstance(query, str) else ""
        setting = _to_set(self.connection)
        if not setting or text.startswith(ABOUT_NO_ROWS):
            super().execute(query, params, **options)
            return self
        if not text.startswith(TOGETHER):
            _set(self.connection)
            super().execute(query, params, **options)
            return self
        self.connection.told = None  # should the statement fail, it takes the setting with it
        super().execute("; ".join([*setting, query]), params, **options)
        for _ in setting:
            self.nextset()
        self.connection.told = walls.current()
        return self

    def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
        _set(self.connection)
        super().executemany(query, params_seq, **options)

    def copy(self, *arguments: Any, **options: Any) -> Any:
        _set(self.connection)
        return super().copy(*arguments, **options)


class DatabaseWrapper(DjangosWrapper):  # type: ignore[misc]
    @property
    def pool(self) -> Any:
        options = self.settings_dict["OPTIONS"].get("pool")
        if self.alias == NO_DB_ALIAS or not options:
            return None
        pools = self._connection_pools
        if self.alias not in pools:
            made = ConnectionPool(
                connection_class=Told,
                kwargs={**self.get_connection_params(), "autocommit": True},
                open=False,  # the first who asks opens it
                configure=self._configure_connection,
                check=_begin_anew,
                **options,
            )
            pools.setdefault(self.alias, made)
        return pools[self.alias]

    def get_connection_params(self) -> dict[str, Any]:
        """The worker's own pool asks for them too."""
        params = self.login_params()
        taken = role.name() if walls.takes_role() else None
        if taken:
            params["options"] = f"{params.get('options', '')} -c role={role.in_options(taken)}"
        return params

    def login_params(self) -> dict[str, Any]:
        """Of a connection that stays what it logged in as."""
        return {**super().get_connection_params(), "cursor_factory": Cursor}

    def create_cursor(self, name: str | None = None) -> Any:
        if name:  # of the server's side: its statement comes in another way
            _set(self.connection)
        return super().create_cursor(name)

    def _rollback(self) -> None:
        self._forget()
        super()._rollback()

    def _savepoint_rollback(self, sid: str) -> None:
        super()._savepoint_rollback(sid)
        self._forget()

    def _forget(self) -> None:
        if self.connection is not None:
            self.connection.told = None


def _to_set(connection: Any) -> list[str]:
    """The statements that bring a connection from what was set on it to what is to be."""
    told, wanted = getattr(connection, "told", None), walls.current()
    if told == wanted:
        return []
    setting = []
    if told is None or told.account != wanted.account:
        setting.append(f"SET resolutionflow.account = '{wanted.account}'")  # a UUID, or empty
    if told is None or told.everywhere != wanted.everywhere:
        setting.append(f"SET resolutionflow.everywhere = '{'on' if wanted.everywhere else ''}'")
    return setting


def _set(connection: Any) -> None:
    if setting := _to_set(connection):
        connection.told = walls.current()
        try:
            connection.execute("; ".join(setting))
        except BaseException:
            connection.told = None
            raise


def _begin_anew(connection: Told) -> None:
    """Nothing of whoever had it before. In place of the pool's look at whether a connection is alive, which would ask
    the server as well; in the thread of whoever gets it."""
    connection.told = None
    if not connection.autocommit:  # it was given back in the middle of a transaction, which the pool has rolled back
        connection.set_autocommit(True)
    _set(connection)
