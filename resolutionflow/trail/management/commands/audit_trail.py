"""Prints the audit trail, one JSON object a line, or proves that nobody changed it."""

import sys
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from escalations.management.account_option import account_with
from resolutionflow.accounts.models import Account
from resolutionflow.trail import listing, verification


class Command(BaseCommand):
    help = "Print the audit trail as JSON lines. --verify proves it instead: exit 1 and each finding if it was changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", metavar="SLUG", help="this account's only")
        parser.add_argument(
            "--since", metavar="DATE", help="from this day or moment on (UTC, unless it says otherwise)"
        )
        parser.add_argument("--verify", action="store_true", help="make every hash anew")
        parser.add_argument(
            "--against", metavar="FILE", help="what --verify said earlier: those entries must be the same still"
        )

    def handle(
        self, *, account: str | None, since: str | None, verify: bool, against: str | None, **options: Any
    ) -> None:
        only = account_with(account) if account else None
        kept = ends_in(against) if against else []
        if verify or kept:
            self.verify(only, kept)
            return
        for line in listing.lines(only, since=moment(since) if since else None):
            self.stdout.write(line)

    def verify(self, only: Account | None, kept: list[tuple[str, int, str]]) -> None:
        proof = verification.prove(only)
        found = [*proof.breaches, *verification.gone(kept, only)]
        for finding in found:
            self.stdout.write(finding)
        if found:
            sys.exit(1)
        for name, entries, last in proof.ends:
            self.stdout.write(f"{name} {entries} {last}")
        self.stdout.write(f"{sum(entries for _, entries, _ in proof.ends):,} entries: no breach")


def moment(told: str) -> datetime:
    """Raises CommandError for what is no day and no moment."""
    try:
        day = parse_date(told)
        at = datetime(day.year, day.month, day.day) if day else parse_datetime(told)
    except ValueError:
        at = None
    if at is None:
        raise CommandError(f"--since: {told!a} is no day such as 2026-11-22, and no moment such as 2026-11-22T14:00Z.")
    return at if timezone.is_aware(at) else timezone.make_aware(at)


def ends_in(file: str) -> list[tuple[str, int, str]]:
    """The lines `slug entries hash` of an earlier proof; others are passed over. Raises CommandError."""
    try:
        told = [line.split() for line in Path(file).read_text().splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"Cannot read {file}: {error}.") from None
    ends = [
        (words[0], int(words[1]), words[2])
        for words in told
        if len(words) == 3 and words[1].isdecimal() and len(words[2]) == 64
    ]
    if not ends:
        raise CommandError(f"{file} has no line that --verify wrote.")
    return ends
