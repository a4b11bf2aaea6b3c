"""`manage.py api_token`."""

import pytest
from django.core.management import CommandError, call_command

from resolutionflow.accounts.models import ApiToken


def test_a_new_token_is_all_that_stdout_gets(ann, capsys):
    call_command("api_token", "ann@harbor.example", name="laptop")
    printed = capsys.readouterr()
    token = ApiToken.objects.get()
    assert printed.out.startswith("rf_")
    assert printed.out.count("\n") == 1
    assert token.digest == ApiToken.digest_of(printed.out.strip())
    assert (token.user, token.name) == (ann, "laptop")
    assert "Ann Abel of Harbor IT" in printed.err


def test_each_call_makes_another_token(ann, capsys):
    call_command("api_token", "ann@harbor.example")
    call_command("api_token", "ann@harbor.example")
    first, second = capsys.readouterr().out.split()
    assert first != second
    assert ApiToken.objects.alive().count() == 2


def test_the_address_may_be_written_in_capitals(ann, capsys):
    call_command("api_token", " Ann@Harbor.Example ")
    assert capsys.readouterr().out.startswith("rf_")


@pytest.mark.parametrize("nobody", ["nobody@harbor.example", "", "no\udce4@harbor.example", "a\0b@harbor.example"])
def test_nobody_gets_none(ann, nobody):
    with pytest.raises(CommandError, match="Nobody has the e-mail address"):
        call_command("api_token", nobody)
    assert not ApiToken.objects.exists()


def test_somebody_switched_off_gets_none(ann):
    ann.is_active = False
    ann.save()
    with pytest.raises(CommandError, match="Ann Abel is switched off"):
        call_command("api_token", "ann@harbor.example")


def test_somebody_without_an_account_gets_none(sam):
    with pytest.raises(CommandError, match="belongs to no account"):
        call_command("api_token", "sam@operator.example")


@pytest.mark.parametrize("name", ["x" * 81, "two\nlines"])
def test_a_name_that_cannot_be_listed_is_refused(ann, name):
    with pytest.raises(CommandError, match="--name"):
        call_command("api_token", "ann@harbor.example", name=name)
    assert not ApiToken.objects.exists()
