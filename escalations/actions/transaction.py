"""One transaction per verb, tried again where PostgreSQL asks for it."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction
from psycopg import errors

from escalations.actions.refusals import Conflict

TRIES = 3
TRY_AGAIN = (errors.DeadlockDetected, errors.SerializationFailure)

P = ParamSpec("P")
R = TypeVar("R")


def in_transaction(verb: Callable[P, R]) -> Callable[P, R]:
    """Run the verb in a transaction: all of it or nothing.

    Deadlocks and serialisation failures are tried again, at most three times. A lock that nobody gave up within
    `lock_timeout` (2 s) is a Conflict. Inside another transaction only that one's owner can try again.
    """

    @functools.wraps(verb)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        tries = 1 if connection.in_atomic_block else TRIES
        for attempt in range(1, tries + 1):
            try:
                with transaction.atomic():
                    return verb(*args, **kwargs)
            except OperationalError as error:
                if isinstance(error.__cause__, TRY_AGAIN) and attempt < tries:
                    continue
                if isinstance(error.__cause__, (errors.LockNotAvailable, *TRY_AGAIN)):
                    raise Conflict("Somebody else is changing this at the same moment. Please try again.") from error
                raise
        raise AssertionError("unreachable: the last try returns or raises")

    return run
