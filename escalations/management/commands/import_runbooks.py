"""Takes an account's runbooks from a folder of Markdown files. Good files are kept, bad ones are named."""

import sys
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from escalations import runbooks
from escalations.actions import learning
from escalations.actions.runbooks import Kept, keep
from escalations.management.account_option import account_with
from escalations.runbooks import BadPage
from resolutionflow.accounts.models import Account
from resolutionflow.trail import record

LEARN_SECONDS = 8.0  # some hundred pages; a worker reads the others


class Command(BaseCommand):
    help = "Take runbooks from DIR, Markdown files at any depth (.md). Running it twice changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", metavar="DIR", type=Path)
        parser.add_argument("--account", metavar="SLUG", required=True)

    def handle(self, *, folder: Path, account: str, **options: Any) -> None:
        owner = account_with(account)
        if not folder.is_dir():
            raise CommandError(f"{folder} is no folder that can be read.")
        done = Counter(self._keep(file, folder, owner) for file in runbooks.files(folder))
        self.stdout.write(summary(done))
        if kept := done[Kept.NEW] + done[Kept.CHANGED]:
            record("imported", account=owner, by=None, about="runbooks", command="import_runbooks", kept=kept)
        if done[Kept.NEW] + done[Kept.CHANGED] and not learning.catch_up(owner, seconds=LEARN_SECONDS):
            learning.later()
        if done[None]:
            sys.exit(1)

    def _keep(self, file: Path, folder: Path, account: Account) -> Kept | None:
        """None, and a word about why, where it cannot be kept."""
        try:
            page = runbooks.read(file, within=folder)
            if not page.steps:
                self.stderr.write(f"{file}: no steps were found; it is kept, and never suggests anything")
            return keep(page, account=account)
        except BadPage as error:
            self.stderr.write(f"{file}: {error}")
        except OSError as error:
            self.stderr.write(f"{file}: cannot be read ({error.strerror})")
        return None


def summary(done: Counter[Kept | None]) -> str:
    """`Imported 3 runbooks, 1 was changed, 2 were there already, 1 bad file.`"""
    said = [f"Imported {_counted(done[Kept.NEW], 'runbook')}"]
    if changed := done[Kept.CHANGED]:
        said.append(f"{changed:,} {'was' if changed == 1 else 'were'} changed")
    if there := done[Kept.THERE_ALREADY]:
        said.append(f"{there:,} {'was' if there == 1 else 'were'} there already")
    if bad := done[None]:
        said.append(f"{bad:,} bad {'file' if bad == 1 else 'files'}")
    if not done:
        said.append("there was no Markdown file")
    return f"{', '.join(said)}."


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what if count == 1 else what + 's'}"
