"""Whether two steps are the same thing done, in whatever words."""

import pytest

from escalations.assessor import sentences
from escalations.assessor.sameness import Sameness, parts_of
from escalations.assessor.words import opposed
from tests.escalations.assessor.step_pairs import DIFFERENT, SAME
from tests.weights import needs_weights


@needs_weights
@pytest.mark.parametrize(("step", "done"), SAME)
def test_the_same_thing_in_other_words_was_done(step, done):
    assert Sameness([step], [done]).was_done(step)
    assert Sameness([done], [step]).was_done(done)


@needs_weights
@pytest.mark.parametrize(("step", "done"), DIFFERENT)
def test_what_only_sounds_alike_was_not_done(step, done):
    assert not Sameness([step], [done]).was_done(step)
    assert not Sameness([done], [step]).was_done(done)


@needs_weights
def test_what_is_one_of_several_things_was_done():
    done = "Rebooted the server, flushed the DNS cache and reset the user's password"
    for step in ("Restart the server", "Flush the DNS cache", "Give the user a new password"):
        assert Sameness([step], [done]).was_done(step)
    assert not Sameness(["Replace the switch"], [done]).was_done("Replace the switch")


def test_without_weights_most_of_the_words_must_be_shared():
    with sentences.left_out():
        sameness = Sameness(["Restart the print spooler", "Replace the toner"], ["Restarted the print spooler"])
    assert sameness.was_done("Restart the print spooler")
    assert not sameness.was_done("Replace the toner")


@pytest.mark.parametrize(
    ("one", "other"),
    [("Turn it on", "Turn it off"), ("Add the role", "Removed the role"), ("Installed KB1", "Uninstall KB1")],
)
def test_what_undoes_one_another_is_opposed(one, other):
    assert opposed(one, other)
    assert opposed(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Remove the driver and add it again", "Add the driver"),
        ("Turn it on", "Turn it on"),
        ("", ""),
        ("Uninstall it and install it", "Install it"),
    ],
)
def test_what_does_both_is_not(one, other):
    assert not opposed(one, other)


def test_an_enumeration_is_several_things():
    assert parts_of("Rebooted it, flushed DNS and reset the password.") == [
        "Rebooted it, flushed DNS and reset the password.",
        "Rebooted it",
        "flushed DNS",
        "reset the password.",
    ]
    assert parts_of("Rebooted") == ["Rebooted"]


def test_nothing_is_compared_with_nothing():
    assert not Sameness(["x y"], []).was_done("x y")
