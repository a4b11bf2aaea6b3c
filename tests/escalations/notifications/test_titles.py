"""By its title alone a notification tells which case it is about, and it carries nothing that steers what shows it."""

import pytest

from escalations.models import AISession, Handoff
from escalations.notifications import titles
from resolutionflow.accounts.models import User


def titled(title: str, *, ticket: str = "", client: str = "", by: str = "Ann Abel") -> str:
    session = AISession(title=title, ticket_ref=ticket, client_name=client)
    return titles.of(Handoff(session=session, created_by=User(name=by, email="ann@harbor.example")))


def test_it_names_the_first_name_the_ticket_and_the_case():
    assert titled("No Wi-Fi", ticket="#12345", client="Dental") == "Escalation from Ann · #12345: No Wi-Fi"
    assert titled("No Wi-Fi", client="Dental") == "Escalation from Ann · Dental: No Wi-Fi"
    assert titled("No Wi-Fi") == "Escalation from Ann: No Wi-Fi"
    assert titled("No Wi-Fi", by="") == "Escalation from ann@harbor.example: No Wi-Fi"


@pytest.mark.parametrize(
    ("kind", "begins"),
    [
        ("handoff_picked_up", "Picked up by Ann · #1: "),
        ("handoff_released", "Back from Ann · #1: "),
        ("handoff_taken_back", "Taken back by Ann · #1: "),
        ("handoff_resolved", "Resolved by Ann · #1: "),
    ],
)
def test_each_kind_of_event_has_its_words(kind, begins):
    handoff = Handoff(session=AISession(title="It hangs", ticket_ref="#1"))
    assert titles.title(kind, handoff, by="Ann").startswith(begins)


@pytest.mark.parametrize(
    ("what", "title"),
    [
        ("handoff_created", "Escalation from Ben · #1: It hangs"),
        ("handoff_released", "Returned from you · #1: It hangs"),
        ("offered", "Ben offers you · #1: It hangs"),
        ("accepted", "Ben accepted · #1: It hangs"),
        ("declined", "Ben declined · #1: It hangs"),
    ],
)
def test_the_bell_names_the_colleague_and_the_case(what, title):
    session = AISession(title="It hangs", ticket_ref="#1")
    assert titles.on_the_bell(what, session, by="Ben") == title


def test_a_long_one_is_shortened_at_a_word():
    told = "Outlook fails to sync since the tenant was moved to another region, on Friday"
    assert (
        titled(told, ticket="#12345")
        == "Escalation from Ann · #12345: Outlook fails to sync since the tenant was moved…"
    )


@pytest.mark.parametrize("title", ["x" * 200, "a " * 100, "Outlook " * 25, "\tTwo\n lines  " * 20])
@pytest.mark.parametrize("ticket", ["", "#1", "T" * 60])
@pytest.mark.parametrize("by", ["Ann", "N" * 80])
def test_it_is_one_line_of_at_most_80_characters(title, ticket, by):
    told = titled(title, ticket=ticket, by=by)
    assert len(told) <= titles.WIDTH
    assert told.isprintable()
    assert told.endswith("…")


def test_line_breaks_and_what_turns_text_around_are_left_out():
    assert titled("It\r\nBcc: all@x.example\u202e hangs\x07", ticket="#1") == (
        "Escalation from Ann · #1: It Bcc: all@x.example hangs"
    )
