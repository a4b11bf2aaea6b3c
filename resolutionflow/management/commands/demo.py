"""Makes the demonstration: the database's tables, two teams, their people and 90 days of history."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from resolutionflow.accounts.models import Account, User
from resolutionflow.demo import history, people

MARK = "This directory belongs to a demonstration whose passwords are public. It is refused with DEBUG off.\n"


class Command(BaseCommand):
    help = "Make the demo accounts with their people and history. A second run changes nothing."
    requires_migrations_checks = False

    def handle(self, **options: Any) -> None:
        require_place_for_a_demo()
        # The mark comes first: known passwords never exist without what refuses them in production.
        if not settings.DEMO_MARK.exists():
            settings.DEMO_MARK.write_text(MARK)
        call_command("migrate", verbosity=0, interactive=False)
        written = history.write(now=timezone.now())
        self.stdout.write(_what_was_done(written))
        for team in people.TEAMS:
            logins = ", ".join(f"{login}@{team.domain} ({role})" for login, _, role in team.people)
            self.stdout.write(f"{team.name}: {logins}")
        self.stdout.write(f"The password of all of them is: {people.PASSWORD}")


def require_place_for_a_demo() -> None:
    """Raises CommandError where known passwords would be a danger, or somebody's data is in the way."""
    if not settings.DEBUG:
        raise CommandError("The demo's passwords are public, so it is refused with DEBUG off: DEBUG=1 manage.py demo.")
    if _is_taken():
        raise CommandError("The database holds something else than the demo, which stays out of it. Name an empty one.")


def _is_taken() -> bool:
    """Whether there is something that is not the demo: another program's tables, or accounts or people of any other."""
    tables = connection.introspection.table_names()
    if Account._meta.db_table not in tables:
        return bool(tables)
    if people.are_there():
        return Account.objects.exclude(slug__in=[team.slug for team in people.TEAMS]).exists()
    return Account.objects.exists() or User.objects.exists()


def _what_was_done(written: history.Written | None) -> str:
    if written is None:
        return "The demo is there already; nothing was changed."
    return (
        f"Made the demo: {len(people.TEAMS)} accounts, {written.sessions} sessions over 90 days, "
        f"{written.escalations} of them escalated, {written.open} open right now."
    )
