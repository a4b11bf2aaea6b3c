"""`manage.py rehearse`: escalations arrive on a clock, in a demonstration; says what happens, and what came of it."""

import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from escalations.actions.refusals import Conflict
from escalations.management.account_option import account_with
from resolutionflow.accounts.models import Account
from resolutionflow.demo import people, running, score
from resolutionflow.demo.rehearsal import Plan

LOOK_SECONDS = 0.5
NOBODY_SECONDS = 5.0  # without a worker until it is said


def at_least(least: float, most: float) -> Callable[[str], float]:
    def number(value: str) -> float:
        try:
            told = float(value)
        except ValueError:
            raise ArgumentTypeError("must be a number") from None
        if not least <= told <= most:
            raise ArgumentTypeError(f"must be from {least:g} to {most:g}")
        return told

    return number


class Command(BaseCommand):
    help = "Rehearse in a demonstration: escalations arrive on a clock. `manage.py serve` has to be running."

    pause = staticmethod(time.sleep)
    seen = 0  # the position in the feed up to which things are told

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--minutes", type=at_least(0.1, running.MOST_MINUTES), default=5.0)
        parser.add_argument("--rival", action="store_true", help="somebody races you for them")
        parser.add_argument("--account", default=people.TEAMS[0].slug, metavar="SLUG")
        parser.add_argument("--every", type=at_least(1, 3600), default=20.0, metavar="SECONDS", help="between two")
        parser.add_argument("--seed", type=int, help="the same number: the same cases, people and times")

    def handle(self, *, minutes: float, rival: bool, every: float, seed: int | None, **options: Any) -> None:
        account = account_with(options["account"])
        try:
            plan = running.start(account=account.slug, minutes=minutes, every=every, rival=rival, seed=seed)
        except Conflict as refusal:
            raise CommandError(str(refusal)) from None
        self.say(f"Rehearsal in {account} for {minutes:g} minutes, seed {plan.seed}. Ctrl-C ends it.")
        try:
            self.follow(plan, account)
        except KeyboardInterrupt:
            self.say("Stopping.")
            running.stop()
            self.follow(plan, account)
        self.say(score.of(account, plan.mark).in_words())

    def follow(self, plan: Plan, account: Account) -> None:
        """Until it is over, a line for each thing that happens."""
        waited = 0.0
        while True:
            now = running.running()
            for position, line in score.lines(account, plan.mark, after=self.seen):
                self.say(line)
                self.seen = position
            if now is None or now.plan.id != plan.id:
                return
            if not now.begun and waited <= NOBODY_SECONDS < waited + LOOK_SECONDS:
                self.say("Nobody plays it yet: start `manage.py serve` beside this, which has the worker.")
            waited += LOOK_SECONDS
            self.pause(LOOK_SECONDS)

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
