"""Derives the facts behind the figures anew, or proves that they are what the feed says."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from analytics import facts
from analytics.models import HandoffFact
from escalations.management.account_option import account_with
from resolutionflow.accounts.models import Account
from resolutionflow.trail import record


class Command(BaseCommand):
    help = "Derive the facts of the analytics from the feed again. --check changes none: exit 1 and what differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", metavar="SLUG", help="this account only")
        parser.add_argument("--check", action="store_true", help="compare with the feed, and change nothing")

    def handle(self, *, account: str | None, check: bool, **options: Any) -> None:
        accounts = [account_with(account)] if account else list(Account.objects.all())
        found = [line for one in accounts for line in (_wrong(one) if check else _rebuilt(one))]
        for line in found:
            self.stdout.write(line)
        if check and found:
            sys.exit(1)
        if check:
            self.stdout.write(
                f"{len(accounts):,} account{'' if len(accounts) == 1 else 's'}: all facts as the feed says"
            )


def _wrong(account: Account) -> list[str]:
    return [f"{account.slug}: the facts of handoff {handoff} differ from the feed" for handoff in facts.wrong(account)]


def _rebuilt(account: Account) -> list[str]:
    facts.rebuild(account)
    record("metrics_rebuilt", account=account, by=None, command="rebuild_metrics")
    return [f"{account.slug}: {HandoffFact.objects.for_account(account).count():,} handoffs"]
