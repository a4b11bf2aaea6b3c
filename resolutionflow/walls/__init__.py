"""The second wall between accounts: PostgreSQL itself shows and takes only rows of the account that is set.

The first one are the queries (`for_account`). This one stands behind it, for the query that forgot. Code says whose
rows it is about, and every connection follows (`resolutionflow.walls.postgresql`):

    with within(account_id): …    # one account's rows; None: no rows at all
    with everywhere(): …          # all rows: a lookup before the account is known, the operator's admin and commands

Nothing said means no rows. Threads do not inherit what is said: whoever hands work to one carries the context along.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows the database shows. `account` is a UUID as text, or empty for nobody's."""

    account: str = ""
    everywhere: bool = False


NOWHERE = Scope()
EVERYWHERE = Scope(everywhere=True)

_scope: ContextVar[Scope | None] = ContextVar("scope", default=None)
_unless_said = NOWHERE
_is_operators: bool | None = None  # whether this process is the operator's, once that is decided


def current() -> Scope:
    """Whose rows the code that runs now is about."""
    return _scope.get() or _unless_said


@contextmanager
def within(account_id: uuid.UUID | str | None) -> Iterator[None]:
    """One account's rows and no others; with None no rows at all. Raises ValueError for what is no UUID."""
    with being(_of(account_id)):
        yield


@contextmanager
def everywhere() -> Iterator[None]:
    """All rows. Each use is an exception: keep what stands inside small, and say why."""
    with being(EVERYWHERE):
        yield


@contextmanager
def nowhere() -> Iterator[None]:
    """No rows, until something inside says whose (`enter`); and whatever it said is over at the end."""
    with being(NOWHERE):
        yield


def enter(account_id: uuid.UUID | str | None) -> None:
    """As `within`, for the rest of the block around: doors learn in the middle of a request who asks."""
    _scope.set(_of(account_id))


def enter_everywhere() -> None:
    """As `everywhere`, likewise."""
    _scope.set(EVERYWHERE)


@contextmanager
def being(scope: Scope) -> Iterator[None]:
    """As it was said elsewhere: what `current()` gave there."""
    before = _scope.get()
    _scope.set(scope)
    try:
        yield
    finally:
        _scope.set(before)


def _of(account_id: uuid.UUID | str | None) -> Scope:
    return NOWHERE if account_id is None else Scope(str(uuid.UUID(str(account_id))))


# Whose process this is. The first to say so decides.


def operate() -> None:
    """This process is an operator's command: it is about all rows unless it says otherwise, and logs in as itself."""
    global _is_operators, _unless_said
    if _is_operators is None:
        _is_operators, _unless_said = True, EVERYWHERE


def serve() -> None:
    """This process serves people or does their jobs: no rows unless somebody says whose, and as the walls' role."""
    global _is_operators
    if _is_operators is None:
        _is_operators = False


def takes_role() -> bool:
    """Whether this process's connections give up their login's rights for those of the walls' role."""
    return _is_operators is False
