"""A new API token for a person, shown once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from resolutionflow.accounts import token_changes
from resolutionflow.accounts.models import ApiToken, User

LONGEST_DAYS = 3650


class Command(BaseCommand):
    help = "Print a new API token for a person. It is shown this once: only its hash is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--name", default="", help="what it is for, as the admin lists it")
        parser.add_argument("--scopes", default="", help="some of read,work,analytics; else all that the person may")
        parser.add_argument("--days", type=int, help="how long it is good; else until it is revoked")

    def handle(self, *, email: str, name: str, scopes: str, days: int | None, **options: Any) -> None:
        user = person_with(email)
        if len(name) > ApiToken.NAME_LENGTH or not name.isprintable():
            raise CommandError(f"--name: at most {ApiToken.NAME_LENGTH} characters of plain text.")
        if days is not None and not 1 <= days <= LONGEST_DAYS:
            raise CommandError(f"--days: a whole number from 1 to {LONGEST_DAYS}.")
        _, plain = token_changes.make(user, name=name, by=None, scopes=scopes_of(user, scopes), days=days)
        # Only the token goes to stdout, so that `token=$(manage.py api_token …)` holds nothing else.
        self.stderr.write(f"A token for {user.name} of {user.account}. Keep it: nothing can show it again.")
        self.stdout.write(plain)


def scopes_of(user: User, told: str) -> list[str]:
    """Those that were told, if the person's role has them; untold, all that there are: the role limits them anyway."""
    words = [word.strip() for word in told.split(",") if word.strip()]
    if beyond := [word for word in words if word not in user.scopes]:
        raise CommandError(f"--scopes: {user.name} can have {', '.join(user.scopes)}, not {', '.join(beyond)!a}.")
    return words or ApiToken.Scope.values


def person_with(email: str) -> User:
    """Who may have a token. Raises CommandError with what stands in the way."""
    # What is not printable (a byte that is no UTF-8, say) is nobody's address, and the database would choke on it.
    address = email.strip().lower() if email.isprintable() else ""
    user = User.objects.select_related("account").filter(email=address).first()
    if user is None:
        raise CommandError(f"Nobody has the e-mail address {email!a}.")
    if not user.is_active:
        raise CommandError(f"{user.name} is switched off and cannot use the API.")
    if user.account is None:
        raise CommandError(f"{user.name} belongs to no account, and the API works within one.")
    return user
