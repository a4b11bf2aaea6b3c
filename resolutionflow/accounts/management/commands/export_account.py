"""Writes all that belongs to one account into a zip of JSON lines."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from escalations.management.account_option import account_with
from resolutionflow.accounts import export
from resolutionflow.trail import record


class Command(BaseCommand):
    help = "Write all that belongs to an account into FILE, a zip of JSON lines. docs/retention.md tells its shape."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument("file", metavar="FILE.zip", type=Path)

    def handle(self, *, slug: str, file: Path, **options: Any) -> None:
        account = account_with(slug)
        if file.exists():
            raise CommandError(f"{file} is there already.")
        record("account_exported", account=account, by=None, about=f"account {slug}", command="export_account")
        try:
            counts = export.write(account, file, tell=self.tell)
        except OSError as error:
            raise CommandError(f"Cannot write {file}: {error.strerror}.") from None
        self.stdout.write(f"{sum(counts.values()):,} rows of {len(counts)} tables in {file}")

    def tell(self, table: str) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"{table} …")
