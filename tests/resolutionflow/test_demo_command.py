"""`manage.py demo`."""

import pytest
from django.core.management import CommandError, call_command

from escalations.assessor import sentences
from escalations.models import AISession, Assessment, FeedCounter, FeedEvent, Handoff, Message, TriedStep
from resolutionflow.accounts.models import Account, User
from resolutionflow.demo import people
from resolutionflow.management.commands.demo import require_place_for_a_demo
from tests.factories import AccountFactory

pytestmark = pytest.mark.django_db
EVERYTHING = (Account, User, AISession, Message, TriedStep, Handoff, Assessment, FeedEvent, FeedCounter)


@pytest.fixture
def place(settings, tmp_path):
    """A data directory of its own, in development; without reading what anything means, which takes its time."""
    settings.DEBUG = True
    settings.DEMO_MARK = tmp_path / "demo"
    with sentences.left_out():
        yield settings.DEMO_MARK


def test_the_people_are_those_of_the_login_page(place):
    call_command("demo")
    told = {(user.email, user.name, user.role, user.account.slug) for user in User.objects.select_related("account")}
    assert told == {
        ("ann@harbor.example", "Ann Abel", "engineer", "harbor-it"),
        ("ben@harbor.example", "Ben Bauer", "engineer", "harbor-it"),
        ("vic@harbor.example", "Vic Vogel", "viewer", "harbor-it"),
        ("olga@harbor.example", "Olga Ortiz", "owner", "harbor-it"),
        ("adam@harbor.example", "Adam Adler", "admin", "harbor-it"),
        ("zoe@summit.example", "Zoe Zhang", "engineer", "summit-desk"),
        ("omar@summit.example", "Omar Okafor", "owner", "summit-desk"),
    }
    for user in User.objects.all():
        user.full_clean()
        assert user.check_password("demo")


def test_the_command_marks_the_directory_and_names_people_and_password(place, capsys):
    call_command("demo")
    said = capsys.readouterr().out
    assert place.exists()
    assert "152 sessions over 90 days" in said
    assert "zoe@summit.example (engineer)" in said
    assert said.endswith("The password of all of them is: demo\n")
    assert people.are_there()


def test_the_command_changes_nothing_the_second_time(place, capsys):
    call_command("demo")
    before = [list(model.objects.order_by("pk").values()) for model in EVERYTHING]
    call_command("demo")
    assert [list(model.objects.order_by("pk").values()) for model in EVERYTHING] == before
    assert "The demo is there already; nothing was changed." in capsys.readouterr().out


def test_it_is_refused_with_debug_off(place, settings):
    settings.DEBUG = False
    with pytest.raises(CommandError, match="refused with DEBUG off"):
        call_command("demo")
    assert not place.exists()
    assert not User.objects.exists()


def test_it_stays_out_of_a_database_that_is_in_use(place, ann):
    ann.email = "ann@real.example"
    ann.save()
    with pytest.raises(CommandError, match="holds something else than the demo"):
        call_command("demo")
    assert not place.exists()
    assert User.objects.count() == 1


def test_it_stays_out_of_a_database_that_holds_the_demo_and_others(place):
    for team in people.TEAMS:
        people.create(team)
    require_place_for_a_demo()  # its own people are no strangers
    AccountFactory(name="Real Desk", slug="real-desk")
    with pytest.raises(CommandError, match="holds something else than the demo"):
        call_command("demo")
    assert not place.exists()


def test_it_stays_out_of_a_database_that_has_an_operator_and_no_account_yet(place, sam):
    with pytest.raises(CommandError, match="holds something else than the demo"):
        call_command("demo")


def test_a_demonstrations_database_is_not_served_in_earnest(place, settings, monkeypatch):
    monkeypatch.setattr(people.connection, "close", lambda: None)  # it would end this test's transaction
    people.create(people.TEAMS[0])
    people.refuse_with_debug_off()
    settings.DEBUG = False
    with pytest.raises(SystemExit, match="holds a demonstration"):
        people.refuse_with_debug_off()
    ann = User.objects.get(email=people.PROBE)
    ann.set_password("a long walk home")
    ann.save()
    people.refuse_with_debug_off()


def test_it_stays_out_of_another_programs_database(place, monkeypatch):
    monkeypatch.setattr("django.db.connection.introspection.table_names", lambda *args: ["wordpress_posts"])
    with pytest.raises(CommandError, match="holds something else than the demo"):
        call_command("demo")
    assert not place.exists()
