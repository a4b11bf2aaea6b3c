"""Removes sessions that are closed for longer than that, in steps that may be interrupted at any moment."""

import time
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from escalations.actions import pruning
from escalations.actions.refusals import Conflict
from escalations.management.account_option import account_with
from resolutionflow.accounts.models import Account

QUIET_SECONDS = 2.0
MOST_DAYS = 36_500


class Command(BaseCommand):
    help = "Remove sessions that were closed more than N days ago. What was escalated keeps who, when and how it went."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, metavar="N", help="unset: as each account's settings say")
        parser.add_argument("--account", metavar="SLUG", help="this account only")
        parser.add_argument("--dry-run", action="store_true", help="count, and change nothing")

    def handle(self, *, days: int | None, account: str | None, dry_run: bool, **options: Any) -> None:
        if days is not None and not 1 <= days <= MOST_DAYS:
            raise CommandError(f"--days: a whole number from 1 to {MOST_DAYS}.")
        for one in [account_with(account)] if account else Account.objects.order_by("slug"):
            keep = days or one.keep_days
            if keep is None:
                self.stdout.write(f"{one.slug}: keeps its sessions for ever (say --days, or set it in the admin)")
            elif dry_run:
                due = pruning.due(one, before=pruning.cutoff(keep)).count()
                self.stdout.write(f"{one.slug}: {due:,} to prune, closed more than {keep} days ago")
            else:
                try:
                    self.prune(one, pruning.cutoff(keep))
                except Conflict as busy:
                    raise CommandError(f"{busy} What is done is done; run it again to go on.") from busy

    def prune(self, account: Account, before: datetime) -> None:
        removed = emptied = 0
        told = time.monotonic()
        while any(done := pruning.prune(account, before=before, command="prune")):
            removed, emptied = removed + done.removed, emptied + done.emptied
            if self.stderr.isatty() or time.monotonic() - told > QUIET_SECONDS:
                told = time.monotonic()
                self.stderr.write(f"{account.slug}: {removed + emptied:,} …")
        self.stdout.write(f"{account.slug}: {removed:,} removed, {emptied:,} emptied")
