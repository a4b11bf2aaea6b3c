"""A new API token for a person, shown once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from resolutionflow.accounts.models import ApiToken, User
from resolutionflow.trail import record

NAME_LENGTH = 80


class Command(BaseCommand):
    help = "Print a new API token for a person. It is shown this once: only its hash is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--name", default="", help="what it is for, as the admin lists it")

    def handle(self, *, email: str, name: str, **options: Any) -> None:
        user = person_with(email)
        if len(name) > NAME_LENGTH or not name.isprintable():
            raise CommandError(f"--name: at most {NAME_LENGTH} characters of plain text.")
        with transaction.atomic():
            token, plain = ApiToken.issue(user, name=name)
            about = f"token {token.prefix} of person {user.pk}"
            record("token_made", account=user.account, by=None, about=about, command="api_token")
        # Only the token goes to stdout, so that `token=$(manage.py api_token …)` holds nothing else.
        self.stderr.write(f"A token for {user.name} of {user.account}. Keep it: nothing can show it again.")
        self.stdout.write(plain)


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
