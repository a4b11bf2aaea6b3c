"""FlowPilot says the next thing that was neither tried nor said, and says so when there is none."""

import pytest

from escalations import copilot
from escalations.assessor import Case, PastSession, TriedStep, providers
from resolutionflow.accounts.models import Account

PAST = (
    PastSession("1", "Old loop", "Outlook loops for the password", "Delete the cached Office token", (), 0.9),
    PastSession("2", "Older loop", "Outlook asks for the password", "Disable modern hybrid auth", (), 0.8),
)


def case(messages=(), steps=(), past=PAST):
    said = tuple((str(number), number, kind, body) for number, (kind, body) in enumerate(messages, 1))
    return Case("Outlook loops", "Outlook asks for the password again", "", said, tuple(steps), past)


def test_the_best_idea_comes_first_and_says_where_it_is_from():
    answer = copilot.answer(case())
    assert answer.body == "Delete the cached Office token\n\nThat is what worked in “Old loop”."
    assert answer.sources_as_data() == [{"kind": "session", "id": "1", "title": "Old loop"}]


def test_it_does_not_repeat_itself():
    said = []
    for _ in range(20):
        answer = copilot.answer(case([("copilot", body) for body in said]))
        if not answer.sources:
            break
        assert answer.body not in said
        said.append(answer.body)
    assert len(said) >= 2
    assert answer.body.startswith("I have nothing new from your team's sessions.")


def test_what_the_engineer_said_is_no_reason_to_keep_silent():
    answer = copilot.answer(case([("engineer", "Delete the cached Office token?")]))
    assert answer.body.startswith("Delete the cached Office token")


def test_it_does_not_suggest_what_was_tried():
    answer = copilot.answer(case(steps=[TriedStep("Deleted cached Office tokens", "failed")]))
    assert answer.body.startswith("Disable modern hybrid auth")


def test_without_anything_it_says_so_and_asks_for_what_would_help():
    answer = copilot.answer(Case("Quux", "", "", (), (), ()))
    assert answer.body.startswith("I found nothing close in your team's sessions.")
    assert "the exact error text" in answer.body
    assert answer.sources == ()


def test_an_idea_of_the_runbook_names_it():
    answer = copilot.answer(Case("Printer queue stuck, spooler stops", "", "", (), (), ()))
    assert "That is from the runbook “Printing and scanning”." in answer.body


def test_it_can_be_switched_off(settings):
    harbor = Account(name="Harbor IT")
    assert copilot.is_on(harbor)
    assert not copilot.is_on(Account(ai="none"))
    settings.ASSESSMENT_MODEL = "none"
    assert not copilot.is_on(harbor)


def test_its_providers_are_the_assessors(monkeypatch):
    def fail(case):
        raise ZeroDivisionError

    monkeypatch.setattr(providers, "assess", fail)
    with pytest.raises(ZeroDivisionError):
        copilot.answer(case())
