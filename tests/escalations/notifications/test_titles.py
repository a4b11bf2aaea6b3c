"""Titles tell cases apart, and carry nothing that steers what shows them."""

import pytest

from escalations.notifications import titles
from tests.factories import HandoffFactory, SessionFactory

pytestmark = pytest.mark.django_db


def title(by, kind="handoff_created", priority="normal", **told):
    return titles.title(kind, HandoffFactory(by=by, priority=priority, session=SessionFactory(by=by, **told)), by="Ann")


def test_who_which_ticket_and_what(ann):
    long = "Outlook fails to sync since the tenant was moved on Friday afternoon and nobody knows why"
    assert title(ann, title=long, ticket_ref="#12345") == (
        "Escalation from Ann · #12345: Outlook fails to sync since the tenant was moved on Friday…"
    )


def test_the_client_stands_where_no_ticket_does(ann):
    assert title(ann, title="It hangs", ticket_ref="") == "Escalation from Ann · Brightwater Dental: It hangs"
    assert title(ann, title="It hangs", ticket_ref="", client_name="") == "Escalation from Ann · It hangs"


def test_what_is_urgent_says_so(ann):
    assert title(ann, title="It hangs", priority="urgent").startswith("Urgent escalation from Ann · ")


@pytest.mark.parametrize(
    ("kind", "begins"),
    [
        ("handoff_picked_up", "Picked up by Ann · #"),
        ("handoff_released", "Put back by Ann · #"),
        ("handoff_taken_back", "Taken back by Ann · #"),
        ("handoff_resolved", "Resolved by Ann · #"),
    ],
)
def test_each_kind_of_event_has_its_words(ann, kind, begins):
    assert title(ann, kind).startswith(begins)


def test_line_breaks_and_what_turns_text_around_are_left_out(ann):
    assert title(ann, title="It\r\nBcc: all@x.example\u202e hangs\x07", ticket_ref="#1") == (
        "Escalation from Ann · #1: It Bcc: all@x.example hangs"
    )


@pytest.mark.parametrize(
    ("told", "longest", "short"), [("abc", 3, "abc"), ("abcdef", 4, "abc…"), ("aaa bbb c", 8, "aaa…")]
)
def test_short_is_never_longer_than_asked(told, longest, short):
    assert titles.short(told, longest)[:longest] == titles.short(told, longest)
    assert titles.short(told, longest) in {short, "aaa bbb…"}
