"""The demo people. Their password is public, which is why all of this is refused with DEBUG off."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import DatabaseError, connection

from resolutionflow import walls
from resolutionflow.accounts.models import Account, User

PASSWORD = "demo"  # noqa: S105 public on purpose: the login page lists it
PROBE = "ann@harbor.example"  # who is there exactly where the demo is


@dataclass(frozen=True)
class Team:
    """An account and its people: (login, name, role)."""

    slug: str
    name: str
    time_zone: str
    domain: str
    people: tuple[tuple[str, str, User.Role], ...]


TEAMS = (
    Team(
        "harbor-it",
        "Harbor IT",
        "Europe/Berlin",
        "harbor.example",
        (
            ("ann", "Ann Abel", User.Role.ENGINEER),
            ("ben", "Ben Bauer", User.Role.ENGINEER),
            ("vic", "Vic Vogel", User.Role.VIEWER),
            ("olga", "Olga Ortiz", User.Role.OWNER),
            ("adam", "Adam Adler", User.Role.ADMIN),
        ),
    ),
    Team(
        "summit-desk",
        "Summit Desk",
        "America/New_York",
        "summit.example",
        (("zoe", "Zoe Zhang", User.Role.ENGINEER), ("omar", "Omar Okafor", User.Role.OWNER)),
    ),
)

People = dict[str, User]


def are_there() -> bool:
    return User.objects.filter(email=PROBE, account__slug=TEAMS[0].slug).exists()


@walls.everywhere()
def refuse_with_debug_off() -> None:
    """Raises SystemExit where a demonstration's database, whose passwords everybody knows, is to serve in earnest.

    The data directory's mark says nothing about a database that runs apart. One that is away is not waited for.
    """
    if settings.DEBUG:
        return
    try:
        probe = User.objects.filter(email=PROBE, account__slug=TEAMS[0].slug).first()
    except DatabaseError:
        return
    finally:
        connection.close()
    if probe and probe.check_password(PASSWORD):
        raise SystemExit(
            f"The database holds a demonstration: everybody knows the password of {PROBE}. Name another one."
        )


def create(team: Team) -> tuple[Account, People]:
    """The team's account and its people by login."""
    account = Account.objects.create(name=team.name, slug=team.slug, time_zone=team.time_zone)
    password = make_password(PASSWORD)  # one hash for all: each takes a noticeable part of a second
    people = {
        login: User(account=account, email=f"{login}@{team.domain}", name=name, role=role, password=password)
        for login, name, role in team.people
    }
    User.objects.bulk_create(people.values())
    return account, people
