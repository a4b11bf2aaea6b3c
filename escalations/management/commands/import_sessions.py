"""Takes an account's past sessions from a file of JSON lines. Good lines are kept, bad ones are named."""

import contextlib
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from escalations import past
from escalations.actions import learning, past_sessions
from escalations.actions.refusals import Conflict
from escalations.management.account_option import account_with
from escalations.past import PastSession
from escalations.past_fields import BadLine
from resolutionflow.accounts.models import Account
from resolutionflow.trail import record

LINES_A_REPORT = 500
QUIET_SECONDS = 2.0  # what is done sooner needs no report, unless somebody watches
MOST_NAMES = 10
LINES_AT_ONCE = 100
BYTES_AT_ONCE = 1024 * 1024
LEARN_SECONDS = 8.0  # some hundred sessions; a worker reads the others


class Command(BaseCommand):
    help = "Take past sessions from FILE, one JSON object a line ('-' is stdin). Running it twice changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE.jsonl")
        parser.add_argument("--account", metavar="SLUG", required=True)

    def handle(self, *, file: str, account: str, **options: Any) -> None:
        run = Import(account_with(account), self.stderr)
        with opened(file) as source:
            run.read(source)
        self.stdout.write(run.summary())
        if run.kept:
            command = "import_sessions"
            record("imported", account=run.account, by=None, about="sessions", command=command, kept=run.kept)
        learned = run.kept and learning.catch_up(run.account, seconds=LEARN_SECONDS)
        if run.kept and not (learned and learning.read_fixes(run.account, seconds=0)):
            learning.later()
        if run.bad:
            sys.exit(1)


@contextlib.contextmanager
def opened(file: str) -> Iterator[BinaryIO]:
    """The file's bytes. Raises CommandError where there is none to read."""
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        with Path(file).open("rb") as source:
            source.peek(1)
            yield source
    except OSError as error:
        raise CommandError(f"Cannot read {file}: {error.strerror}.") from None


class Import:
    """One run: what became of each line so far.

    Lines are kept some at a time, because a transaction of its own for each takes four times as long. A batch is
    kept whole or not at all; one that the database refuses is kept line by line, to tell which it was.
    """

    def __init__(self, account: Account, stderr: OutputWrapper) -> None:
        self.account, self.stderr = account, stderr
        self.kept = self.there_already = self.bad = 0
        self.unknown: set[str] = set()
        self.reports = 0
        self.began = time.monotonic()

    def read(self, source: BinaryIO) -> None:
        batch: list[tuple[int, PastSession]] = []
        size = 0
        for number, line in past.lines(source):
            batch += self._parsed(number, line)
            size += len(line)
            if len(batch) >= LINES_AT_ONCE or size >= BYTES_AT_ONCE:
                self._keep(batch)
                batch, size = [], 0
        self._keep(batch)

    def _parsed(self, number: int, line: bytes) -> list[tuple[int, PastSession]]:
        """The line's session, or none and a word about why."""
        try:
            told, unknown = past.parse(line, tz=self.account.tz, now=timezone.now())
        except BadLine as error:
            self._complain(number, error)
            return []
        self.unknown |= unknown
        return [(number, told)]

    def _keep(self, batch: list[tuple[int, PastSession]]) -> None:
        if not batch:
            return
        first = batch[0][0]
        try:
            kept = past_sessions.keep([told for _, told in batch], account=self.account, now=timezone.now())
            self.kept += sum(kept)
            self.there_already += len(kept) - sum(kept)
        except past_sessions.Unstorable as error:
            if len(batch) == 1:
                self._complain(first, error)
            else:
                for line in batch:
                    self._keep([line])
        except (Conflict, OperationalError, InterfaceError) as error:
            said = f"{str(error).splitlines()[0]} Everything before line {first} is kept; run it again to go on."
            raise CommandError(said) from error
        self._report()

    def _complain(self, number: int, error: ValueError) -> None:
        self.bad += 1
        self.stderr.write(f"line {number}: {error}")

    def _report(self) -> None:
        done = self.kept + self.there_already + self.bad
        watched = self.stderr.isatty() or time.monotonic() - self.began > QUIET_SECONDS
        if done // LINES_A_REPORT > self.reports and watched:
            self.reports = done // LINES_A_REPORT
            self.stderr.write(f"{done:,} lines …")

    def summary(self) -> str:
        """`Imported 43 sessions, 2 were there already, 1 bad line.`"""
        said = [f"Imported {self.kept:,} {'session' if self.kept == 1 else 'sessions'}"]
        if self.there_already:
            said.append(f"{self.there_already:,} {'was' if self.there_already == 1 else 'were'} there already")
        if self.bad:
            said.append(f"{self.bad:,} bad {'line' if self.bad == 1 else 'lines'}")
        if not self.kept + self.there_already + self.bad:
            said.append("there was no line to read")
        return f"{', '.join(said)}.{self._ignored()}"

    def _ignored(self) -> str:
        names = sorted(self.unknown)
        if not names:
            return ""
        more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        return f" Fields that were ignored: {', '.join(names[:MOST_NAMES])}{more}."
