"""What an assessor returns is data: plain, bounded, whatever the model or the past says."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalations.assessor import (
    CAUSE_LENGTH,
    MOST_FACTS,
    MOST_STEPS,
    STEP_LENGTH,
    SUMMARY_LENGTH,
    Assessment,
    Source,
    SuggestedStep,
    plain,
)

HIDDEN = "\u202e\u2066\u200b\ufeff\x07\x1b[31m\x00"


def assessment(text="x", count=1):
    source = Source("session", "1", text)
    return Assessment(
        summary_prose=text,
        what_we_know=(text,) * count,
        likely_cause=text,
        suggested_steps=(SuggestedStep(text, (source,), warning=text),) * count,
        confidence="low",
        sources=(source,),
    )


def texts(data):
    """Every text in it, at any depth."""
    if isinstance(data, str):
        return [data]
    children = data.values() if isinstance(data, dict) else data
    return [text for child in children for text in texts(child)]


def test_the_shape_is_the_one_that_the_product_promises():
    data = assessment("Plain.").as_data()
    assert json.loads(json.dumps(data)) == data
    assert set(data) == {
        "summary_prose",
        "what_we_know",
        "likely_cause",
        "suggested_steps",
        "confidence",
        "sources",
    }
    source = {"kind": "session", "id": "1", "title": "Plain."}
    assert data["suggested_steps"] == [{"text": "Plain.", "sources": [source], "warning": "Plain."}]


def test_a_step_without_a_warning_has_none():
    step = SuggestedStep("Ping it", (Source("runbook", "net", "Network"),))
    data = Assessment("x", (), "x", (step,), "low").as_data()
    assert "warning" not in data["suggested_steps"][0]


def test_lengths_and_counts_are_bounded():
    data = assessment("word " * 1000, count=20).as_data()
    assert len(data["summary_prose"]) <= SUMMARY_LENGTH == 1200
    assert len(data["likely_cause"]) <= CAUSE_LENGTH == 600
    assert len(data["suggested_steps"]) == MOST_STEPS == 5
    assert len(data["what_we_know"]) == MOST_FACTS
    assert all(len(step["text"]) <= STEP_LENGTH == 200 for step in data["suggested_steps"])
    assert all(len(source["title"]) <= STEP_LENGTH for source in data["sources"])


def test_no_text_carries_control_or_bidi_characters_not_even_a_sources_title():
    for text in texts(assessment(f"Re{HIDDEN}set").as_data()):
        assert not {"Cc", "Cf"} & {unicodedata.category(c) for c in text}, repr(text)


def test_a_cut_text_ends_at_a_word_and_says_so():
    assert plain("one two three", 9) == "one two…"
    assert plain("one two three", 13) == "one two three"


@pytest.mark.parametrize("text", ["x" * 500, " " + "x" * 500, "  " * 300 + "x", "\n" * 500])
def test_a_text_of_one_word_or_none_is_cut_too(text):
    cut = plain(text, 200)
    assert len(cut) <= 200
    assert cut.count("x") in {0 if "x" not in text else 1, 199}


@given(st.text(), st.integers(min_value=1, max_value=50))
def test_plain_text_is_plain_and_short_enough(text, length):
    made = plain(text, length)
    assert len(made) <= length
    assert not {unicodedata.category(c) for c in made if c not in "\n\t"} & {"Cc", "Cf", "Cs"}
    assert plain(made, length) == made
