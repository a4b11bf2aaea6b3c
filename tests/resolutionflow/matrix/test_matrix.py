"""Everybody at every door, with both walls between accounts, and with each wall alone: nothing of another account comes
out. A door without a row in `expected` fails. `MATRIX=full` knocks as everybody everywhere, which takes a minute."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest

from resolutionflow.accounts import oidc
from tests.resolutionflow.matrix import doors, expected, ground, without
from tests.resolutionflow.matrix.ground import FULL
from tests.walled import in_the_walls

pytestmark = pytest.mark.django_db

STRANGERS = ("other engineer", "other owner", "other admin")
HAVE_ADMIN = ("admin", "other admin", "superuser")
DOORS = [door for door in doors.every() if door.pattern not in expected.ABOUT_NOBODY]
LEAKY = [
    "GET queue/",
    "GET queue/cards/",
    "GET handoffs/<uuid:handoff_id>/",
    "GET notifications/",
    "GET notifications/panel/",
    "GET sessions/",
    "GET runbooks/<str:key>/",
    "GET sessions/<uuid:session_id>/",
    "GET people/",
    "GET people/<uuid:person_id>/",
    "GET analytics/escalations/handoffs.csv",
    "GET api/handoffs",
    "GET api/handoffs/<handoff_id>",
    "GET api/sessions/<session_id>",
    "POST api/handoffs/<handoff_id>/pick-up",
    "GET admin/escalations/handoff/",
    "GET admin/accounts/user/<path:object_id>/change/",
]


@pytest.fixture
def visitor(monkeypatch: pytest.MonkeyPatch) -> Iterator[doors.Visitor]:
    monkeypatch.setattr(oidc, "discover", lambda issuer: {"authorization_endpoint": f"{issuer}/authorize"})
    without.forget()
    yield doors.Visitor(ground.make())
    without.forget()


@contextmanager
def walls_of(*standing: str) -> Iterator[list[str]]:
    """The walls that stand meanwhile: `filters`, `rows`. Gives what was asked without its filter."""
    with ExitStack() as stack:
        opened = [] if "filters" in standing else stack.enter_context(without.filters())
        if "rows" in standing:
            stack.enter_context(in_the_walls())
        yield opened


def wanted(door: doors.Door, person: str) -> str:
    row = expected.row_of(door.pattern)
    assert row, f"{door.pattern} has no row in expected.py: who may go there?"
    return row[door.method == "POST"][ground.PEOPLE.index(person)]


def knock_everywhere(
    visitor: doors.Visitor, people: tuple[str, ...], at: Sequence[doors.Door] = DOORS
) -> tuple[list[str], list[str]]:
    """Where it went otherwise than expected, and where something of another account came out."""
    surprises, leaks = [], []
    for door in at:
        for person in people:
            if not FULL and is_foregone(door, person, people):
                continue
            address = door.address(visitor.ground.ours.ids)
            letter, said = visitor.knock(door, person, address)
            if letter != wanted(door, person):
                surprises.append(f"{door.name} as {person}: {letter}, not {wanted(door, person)}")
            if foreign := seen_of_others(visitor.ground, door, person, address, said):
                leaks.append(f"{door.name} as {person}: {foreign}")
    return surprises, leaks


def is_foregone(door: doors.Door, person: str, people: tuple[str, ...]) -> bool:
    """In the short form: the admin's pages turn most people away alike; a wall alone is tried where one gets in."""
    if people == STRANGERS and wanted(door, person) in "lams":
        return True
    return bool(door.about) and door.about != "handoff" and person not in HAVE_ADMIN


def seen_of_others(where: ground.Ground, door: doors.Door, person: str, address: str, said: str) -> set[str]:
    if person == "superuser" and door.pattern.startswith("admin/"):
        return set()  # the operator's
    asked_for = set(address.split("/"))
    if door.pattern in expected.NAMES_ITS_ACCOUNT:
        asked_for.add(where.ours.mark.lower())
    text = said.replace(address, "").lower()
    return {mark for mark in where.foreign_to(person) - asked_for if mark in text}


def test_every_door_has_a_row_and_every_row_a_door():
    patterns = {door.pattern for door in doors.every()}
    assert {each for each in patterns if not expected.row_of(each)} == expected.ABOUT_NOBODY
    assert set(expected.DOORS) - patterns == {"admin/<an app>/", "password/reset/<a key>/"}
    assert expected.row_of("escalations/of/everybody/") is None, "first, a forgotten door would be seen"


def test_who_asks_for_the_head_alone_gets_in_where_the_page_does(visitor):
    """Programs that look whether a page is there. A sign-in elsewhere is no page: each look would use it up."""
    pages = [door for door in DOORS if door.method == "GET" and wanted(door, "owner") == "o"]
    pages = [page for page in pages if not page.pattern.startswith("api/") and not page.pattern.endswith("/go/")]
    heads = [replace(page, method="HEAD") for page in pages]
    answers = {door.name: visitor.knock(door, "owner", door.address(visitor.ground.ours.ids))[0] for door in heads}
    assert {name for name, letter in answers.items() if letter != "o"} == set()


def test_both_walls(visitor):
    with walls_of("filters", "rows"):
        assert knock_everywhere(visitor, ground.PEOPLE) == ([], [])


def test_the_filters_alone(visitor):
    with walls_of("filters"):
        assert knock_everywhere(visitor, STRANGERS if not FULL else ground.PEOPLE) == ([], [])


def test_row_security_alone(visitor):
    with walls_of("rows") as opened:
        assert knock_everywhere(visitor, STRANGERS if not FULL else ground.PEOPLE) == ([], [])
    assert len(opened) > 200, "first, there were filters to take away"


def test_without_either_it_would_leak(visitor):
    """So that the three above mean something: every kind of door shows strangers what is not theirs."""
    with walls_of():
        for shown in LEAKY:
            (door,) = (door for door in DOORS if door.name == shown)
            assert any(knock_everywhere(visitor, (person,), [door])[1] for person in STRANGERS), shown
