"""The playbook shows what helped before, leaves out what was tried, and says where it has it from."""

import pytest

from escalations.assessor import Case, Page, PastSession, TriedStep, playbook
from tests.weights import needs_weights

TITLE = "Outlook asks for the password again and again"
PROBLEM = "Since the tenant move Outlook loops with error 0x8004011d for 14 people."
FIX = "Delete the cached Office token in Credential Manager"


def past(id="1", title="Outlook password loop after tenant move", resolution=FIX, steps=(), score=0.9, problem=PROBLEM):
    return PastSession(id=id, title=title, problem=problem, resolution=resolution, steps=tuple(steps), score=score)


def page(*steps, id="9", title="Password loops", score=0.8):
    return Page(id=id, title=title, steps=steps, score=score)


def case(*pasts, title=TITLE, problem=PROBLEM, reason="It still loops.", steps=(), messages=(), pages=()):
    return Case(
        title=title, problem=problem, reason=reason, messages=messages, steps=tuple(steps), past=pasts, pages=pages
    )


def steps_of(assessed):
    return [step.text for step in assessed.suggested_steps]


def from_sessions(assessed):
    return [step.text for step in assessed.suggested_steps if step.sources[0].kind == "session"]


def test_what_helped_before_comes_first_and_names_its_session():
    first = playbook.assess(case(past())).suggested_steps[0]
    assert first.text == FIX
    assert [(source.kind, source.id, source.title) for source in first.sources] == [
        ("session", "1", "Outlook password loop after tenant move")
    ]


def test_the_step_that_worked_last_goes_before_the_words_of_the_resolution():
    steps = [
        TriedStep("Repair Office", "failed"),
        TriedStep("Sign out everywhere", "worked"),
        TriedStep("Remove the work account", "worked"),
    ]
    assert from_sessions(playbook.assess(case(past(steps=steps)))) == ["Remove the work account"]


@pytest.mark.parametrize(
    "tried",
    [FIX, "Deleted cached Office tokens in Credential Manager", "Credential manager: deleting the office token"],
)
def test_what_was_tried_is_left_out_even_in_other_words(tried):
    assert FIX in steps_of(playbook.assess(case(past())))
    assert FIX not in steps_of(playbook.assess(case(past(), steps=[TriedStep(tried, "failed")])))


def test_the_same_fix_of_two_sessions_is_suggested_once():
    assert from_sessions(playbook.assess(case(past("1"), past("2", score=0.9)))) == [FIX]


def test_without_a_past_the_runbook_has_to_do():
    assessed = playbook.assess(case(title="Outlook does not open the mailbox"))
    assert assessed.suggested_steps
    assert {source.kind for step in assessed.suggested_steps for source in step.sources} == {"runbook"}
    assert assessed.likely_cause == "Nothing in your team's resolved sessions points to a cause."
    assert (assessed.confidence, assessed.sources) == ("low", ())


def test_without_a_past_or_a_page_nothing_is_made_up():
    assessed = playbook.assess(case(title="Quux", problem="", reason="Frobnicate"))
    assert assessed.suggested_steps == ()
    assert assessed.confidence == "low"
    assert "None of your team's resolved sessions is close to it." in assessed.summary_prose


def test_a_session_that_shares_next_to_nothing_is_no_help():
    other = past(title="Toner is empty", problem="The plotter smears.", resolution="Replaced the drum", score=0.3)
    assert from_sessions(playbook.assess(case(other))) == []


def test_a_session_that_is_far_behind_the_closest_is_no_help():
    behind, close = past("2", resolution="Replaced the drum", score=0.7), past("3", resolution="New cable", score=1.1)
    assert from_sessions(playbook.assess(case(close, behind))) == ["New cable"]


def test_what_worked_in_several_sessions_goes_first_and_names_them_all():
    once = past("1", resolution="Replace the network cable", score=0.9)
    twice = [past(key, resolution=FIX, score=score) for key, score in (("2", 0.88), ("3", 0.87))]
    first = playbook.assess(case(once, *twice)).suggested_steps[0]
    assert (first.text, [source.id for source in first.sources]) == (FIX, ["2", "3"])


def test_a_step_that_was_not_run_is_still_to_do():
    assert FIX in steps_of(playbook.assess(case(past(), steps=[TriedStep(FIX, "not_run")])))
    assert FIX not in steps_of(playbook.assess(case(past(), steps=[TriedStep(FIX, "inconclusive")])))


@needs_weights
def test_what_was_tried_is_left_out_in_words_of_their_own_but_its_opposite_is_not():
    fix = past(resolution="Turn on modern authentication")
    said = "Made sure modern authentication is turned on"
    assert from_sessions(playbook.assess(case(fix, steps=[TriedStep(said, "failed")]))) == []
    opposite = TriedStep("Turned off modern authentication", "failed")
    assert from_sessions(playbook.assess(case(fix, steps=[opposite]))) == ["Turn on modern authentication"]


def test_a_page_of_the_teams_runbook_gives_its_next_steps_in_order():
    pages = (page("Sign out of Office", "Reset the licence cache", "Collect a trace"),)
    assessed = playbook.assess(case(pages=pages, steps=[TriedStep("Signed out of Office", "failed")]))
    assert steps_of(assessed)[:2] == ["Reset the licence cache", "Collect a trace"]
    assert [(source.kind, source.id) for source in assessed.suggested_steps[0].sources] == [("runbook", "9")]


def test_a_session_that_is_as_close_goes_before_a_page():
    assessed = playbook.assess(case(past(score=0.8), pages=(page("Collect a trace", score=0.8),)))
    assert steps_of(assessed)[:2] == [FIX, "Collect a trace"]


def test_a_page_that_has_nothing_to_do_with_it_is_no_help():
    assert "Collect a trace" not in steps_of(playbook.assess(case(pages=(page("Collect a trace", score=0.3),))))


@pytest.mark.parametrize(
    "fix",
    [
        "Reset the switch to factory settings",
        "Delete the profile",
        "Wiped the phone",
        "Re-image the PC",
        "rm -rf /tmp/x",
    ],
)
def test_a_step_that_can_do_harm_carries_a_warning(fix):
    assert playbook.assess(case(past(resolution=fix))).suggested_steps[0].as_data()["warning"]


def test_a_harmless_step_carries_none():
    step = playbook.assess(case(past(resolution="Compare the routes"))).suggested_steps[0]
    assert "warning" not in step.as_data()


def test_a_fix_without_a_visible_character_is_no_step():
    assert "" not in steps_of(playbook.assess(case(past(resolution="\u200b\u200b"))))


def test_the_summary_says_what_is_on_record():
    assert "No step is on record yet." in playbook.assess(case()).summary_prose
    tried = [TriedStep("a", "failed"), TriedStep("b", "worked"), TriedStep("c", "not_run")]
    assert "2 steps were tried, 1 worked." in playbook.assess(case(steps=tried)).summary_prose
    assert "1 step was tried, none of them worked." in playbook.assess(case(steps=tried[:1])).summary_prose


def test_what_is_known_comes_from_the_case_alone():
    tried = [TriedStep("Cleared the cache", "failed"), TriedStep("Pinged", "inconclusive")]
    facts = playbook.assess(case(past(), steps=tried)).what_we_know
    assert PROBLEM in facts
    assert "Did not help: Cleared the cache" in facts
    assert "Unclear: Pinged" in facts


def test_confidence_needs_one_that_is_close_and_clearly_ahead():
    far = past("2", title="Toner", problem="The plotter smears.", resolution="Replaced the drum", score=0.1)
    assert playbook.assess(case(past(), far)).confidence == "high"
    assert playbook.assess(case(past(), past("2", score=0.99))).confidence == "medium"
    assert playbook.assess(case(far)).confidence == "low"


def test_the_likely_cause_names_where_it_is_taken_from():
    cause = playbook.assess(case(past())).likely_cause
    assert cause == f"If it is the same as in “Outlook password loop after tenant move”: {FIX}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<script>alert(1)</script> outlook password",
        "\u202egnp.exe \x00\x1b outlook",
        "a" * 20_000,
        "🖨️ " * 5000,
        "'\\\"%s{}",
    ],
)
def test_hostile_text_makes_bounded_plain_data(text):
    data = playbook.assess(
        case(
            past(title=text[:200], problem=text, resolution=text or "x"),
            title=text[:200],
            problem=text,
            reason=text,
            steps=[TriedStep(text[:1000], "failed", text[:1000])],
        )
    ).as_data()
    assert len(str(data)) < 10_000
    assert "\u202e" not in str(data)
    assert "\x1b" not in str(data)
