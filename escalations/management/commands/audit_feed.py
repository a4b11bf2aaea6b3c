"""Proves the feed: exit 0 when every invariant holds, else 1 and each finding on a line."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from escalations import audit
from escalations.management.account_option import account_with
from escalations.models import FeedEvent
from resolutionflow.accounts.models import Account


class Command(BaseCommand):
    help = "Prove that the feed is complete and agrees with handoffs and sessions. Exit 1 and the findings if not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", metavar="SLUG", help="this account only")

    def handle(self, *, account: str | None, **options: Any) -> None:
        only = account_with(account) if account else None
        found = audit.breaches(only)
        for finding in found:
            self.stdout.write(finding)
        if found:
            sys.exit(1)
        accounts = 1 if only else Account.objects.count()
        events = (FeedEvent.objects.for_account(only) if only else FeedEvent.objects.all()).count()
        self.stdout.write(f"{_counted(accounts, 'account')}, {_counted(events, 'event')}: no breach")


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
