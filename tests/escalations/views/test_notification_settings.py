"""What somebody says about their notifications, and what is refused in plain words."""

from datetime import time

import pytest

from escalations.models import NotificationPreference

pytestmark = pytest.mark.django_db

PATH = "/account/notifications/"
SAID = {"bell": "low", "desktop": "high", "sound": "", "email": "urgent"}
QUIET = {"quiet_from": "22:00", "quiet_until": "07:00", "time_zone": "America/New_York"}


@pytest.fixture
def bens(as_user, ben):
    return as_user(ben)


def of(user) -> NotificationPreference:
    return NotificationPreference.objects.get(user=user)


def test_by_default_there_is_the_bell_and_nothing_else(bens, ben):
    shown = bens.get(PATH).content.decode()
    assert shown.count("selected>Every escalation") == 1
    assert shown.count("selected>Never") == 3
    assert "As Harbor IT has it (Europe/Berlin)" in shown
    found = of(ben)
    assert (found.bell, found.desktop, found.sound, found.email) == ("low", "", "", "")


def test_what_is_said_is_kept(bens, ben, as_user, ann):
    answer = bens.post(PATH, SAID | QUIET, follow=True)
    assert "Saved." in answer.content.decode()
    found = of(ben)
    assert (found.bell, found.desktop, found.sound, found.email) == ("low", "high", "", "urgent")
    assert (found.quiet_from, found.quiet_until, found.time_zone) == (time(22), time(7), "America/New_York")
    shown = bens.get(PATH).content.decode()
    for told in ('value="22:00"', 'value="07:00"', '"America/New_York" selected', '"urgent" selected'):
        assert told in shown
    assert "selected>High" not in as_user(ann).get(PATH).content.decode(), "others keep theirs"


def test_quiet_hours_can_be_given_up_again(bens, ben):
    bens.post(PATH, SAID | QUIET)
    assert bens.post(PATH, SAID).status_code == 302
    assert (of(ben).quiet_from, of(ben).time_zone) == (None, "")


def test_saving_reads_nothing_and_reading_changes_no_wish(bens, ben, ann):
    bens.get(PATH)
    before = of(ben).read_up_to
    bens.post(PATH, SAID)
    assert (of(ben).read_up_to, of(ben).desktop) == (before, "high")
    bens.post("/notifications/read/", {"up_to": 10})
    assert of(ben).desktop == "high"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"quiet_from": "22:00"}, "Until: Say both, from and until, or neither."),
        ({"quiet_until": "07:00"}, "From: Say both, from and until, or neither."),
        ({"quiet_from": "22:00", "quiet_until": "22:00"}, "Until: Choose another time than the one they begin at."),
        ({"quiet_from": "25:00", "quiet_until": "07:00"}, "From: Write a time such as 22:00."),
        ({"quiet_from": "22:00", "quiet_until": "soon"}, "Until: Write a time such as 22:00."),
        ({"time_zone": "Mars/Olympus"}, "Your time zone: Select a valid choice."),
        ({"desktop": "always"}, "Desktop notifications: Select a valid choice."),
        ({"bell": "\0"}, "The bell on every page: Select a valid choice."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_saved(bens, ben, wrong, words):
    answer = bens.post(PATH, SAID | wrong)
    assert answer.status_code == 422
    shown = answer.content.decode()
    assert words in shown
    assert "Nothing was saved yet" in shown
    assert of(ben).desktop == ""
    assert '"urgent" selected' in shown, "what was chosen is kept"


def test_your_account_leads_there(bens, as_user, vic):
    assert PATH in bens.get("/account/").content.decode()
    assert PATH not in as_user(vic).get("/account/").content.decode()
