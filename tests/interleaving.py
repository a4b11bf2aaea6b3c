"""Two writers, each in a thread and a transaction of its own, stopped and let go at the statements of the first.

`Writer.run_until(k)` runs up to its k-th statement (the commit is the last); `go_on` lets it run to its end, or until
it stands before a lock that somebody else holds.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import connection, connections

PATIENCE = 20.0  # s; only a test that hangs waits so long
POLL = 0.001  # s

IS_BLOCKED = "SELECT cardinality(pg_blocking_pids(%s)) > 0"


class Writer:
    """`work` in a thread. What it returned is in `result`, what it raised in `error`."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.result: Any = None
        self.error: BaseException | None = None
        self.pid = 0
        self.statements: list[str] = []
        self.stop_before: float = 1
        self.moved = threading.Condition()
        self.stands = False
        self.is_done = False
        self.thread = threading.Thread(target=self._run, daemon=True)

    def run_until(self, statement: float) -> bool:
        """Run up to the statement of this number (1 is the first); False if it ended before that."""
        with self.moved:
            self.stop_before = statement
            self.stands = False
            self.moved.notify_all()
        if not self.thread.ident:
            self.thread.start()
        with self.moved:
            assert self.moved.wait_for(lambda: self.stands or self.is_done, PATIENCE), self.statements
        return self.stands

    def go_on(self) -> bool:
        """Run to the end, or to a lock that is taken; True if it got to the end."""
        with self.moved:
            self.stop_before = float("inf")
            self.stands = False
            self.moved.notify_all()
        if not self.thread.ident:
            self.thread.start()
        until = time.monotonic() + PATIENCE
        while not self.is_done:
            if self.pid and is_blocked(self.pid):
                return False
            assert time.monotonic() < until, self.statements
            with self.moved:
                self.moved.wait(POLL)
        return True

    def finish(self) -> "Writer":
        """To the end: nothing holds it up any more."""
        self.run_until(float("inf"))
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive(), self.statements
        return self

    def _run(self) -> None:
        try:
            connection.ensure_connection()
            self.pid = connection.connection.info.backend_pid
            commit = connection.commit
            connection.commit = lambda: (self._pass("COMMIT"), commit())[1]
            with connection.execute_wrapper(self._before):
                self.result = self.work()
        except BaseException as error:
            self.error = error
        finally:
            connections.close_all()
            del connection.commit
            with self.moved:
                self.is_done = True
                self.moved.notify_all()

    def _before(self, execute: Callable, sql: str, params: Any, many: bool, context: dict) -> Any:
        if "SAVEPOINT" not in sql:  # they take no locks and change nothing
            self._pass(sql)
        return execute(sql, params, many, context)

    def _pass(self, sql: str) -> None:
        with self.moved:
            self.statements.append(sql)
            if len(self.statements) < self.stop_before:
                return
            self.stands = True
            self.moved.notify_all()
            assert self.moved.wait_for(lambda: not self.stands, PATIENCE), sql


def is_blocked(pid: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(IS_BLOCKED, [pid])
        return bool(cursor.fetchone()[0])


def interleave(first: Callable[[], Any], second: Callable[[], Any], *, stop: int) -> tuple[Writer, Writer, bool]:
    """`first` up to its `stop`-th statement, `second` until it ends or blocks, then both to their ends.

    The last value is False if `first` has no such statement.
    """
    one, other = Writer(first), Writer(second)
    stood = one.run_until(stop)
    other.go_on()
    return one.finish(), other.finish(), stood
