"""Removes one account with all that belongs to it. Asks first."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from escalations.management.account_option import account_with
from resolutionflow.accounts import deletion


class Command(BaseCommand):
    help = "Remove an account: its people, sessions, feed, figures, trail, everything. It cannot be brought back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument("--yes", metavar="SLUG", help="the slug again, for scripts: nothing is asked then")

    def handle(self, *, slug: str, yes: str | None, **options: Any) -> None:
        account = account_with(slug)
        said = yes if yes is not None else input(f"This removes all of {account.name}. Type its slug to go on: ")
        if said.strip() != account.slug:
            raise CommandError("That is not its slug. Nothing was removed.")
        try:
            deletion.delete(account, tell=self.tell)
        except DatabaseError as error:
            raise CommandError(f"It is still there, with its people switched off: {error} Run it again.") from error
        self.stdout.write(f"{account.name} ({slug}) is gone.")

    def tell(self, what: str) -> None:
        if self.stderr.isatty():
            self.stderr.write(what)
