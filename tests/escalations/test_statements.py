"""An assessment with what each of its statements rests on."""

from escalations import statements
from escalations.statements import Statement

MESSAGE = {"kind": "message", "id": "1", "title": "message 1"}
RUNBOOK = {"kind": "runbook", "id": "vpn", "title": "VPN"}


def test_each_statement_has_its_sources_and_what_has_none_is_marked():
    shown = statements.of(
        {
            "summary_prose": "It loops.",
            "what_we_know": ["Since Friday.", "For 14 people."],
            "likely_cause": "A token.",
            "suggested_steps": [
                {"text": "Delete it", "sources": [RUNBOOK], "warning": "Careful."},
                {"text": "Believe me", "sources": []},
                {"text": "Or this", "sources": [MESSAGE], "unsupported": True},
            ],
            "confidence": "high",
            "sources": [RUNBOOK],
            "grounds": {
                "summary_prose": {"sources": [MESSAGE], "unsupported": False},
                "likely_cause": {"sources": [], "unsupported": True},
                "what_we_know": [{"sources": [MESSAGE, RUNBOOK], "unsupported": False}],
            },
        }
    )
    assert shown.summary == Statement("It loops.", (MESSAGE,))
    assert shown.cause == Statement("A token.", unsupported=True)
    assert shown.facts == (Statement("Since Friday.", (MESSAGE, RUNBOOK)), Statement("For 14 people."))
    assert shown.steps == (
        Statement("Delete it", (RUNBOOK,), warning="Careful."),
        Statement("Believe me", unsupported=True),
        Statement("Or this", (MESSAGE,), unsupported=True),
    )
    assert (shown.confidence, shown.sources, shown.doubts) == ("high", (RUNBOOK,), True)


def test_where_nothing_is_said_about_grounds_nothing_is_marked():
    shown = statements.of({"summary_prose": "It loops.", "what_we_know": ["Since Friday."], "likely_cause": "A token."})
    assert not shown.doubts
    assert shown.facts == (Statement("Since Friday."),)


def test_an_empty_assessment_can_be_shown():
    assert statements.of({}).steps == ()
