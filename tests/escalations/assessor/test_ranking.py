"""How like a case is to what is known: rare words and codes weigh most, and vectors see through the words."""

import pytest

from escalations.assessor import sentences
from escalations.assessor.ranking import Asked, Candidate, in_words, likeness, rarity_of
from tests.weights import needs_weights


def asked(**rarity):
    return Asked(rarity)


def known(length=10.0, **words):
    return Candidate(words, length)


def test_a_rare_word_weighs_more_than_a_common_one():
    rarity = rarity_of(100, {"rare": 1, "common": 60, "everywhere": 100})
    assert rarity["rare"] > rarity["common"] > rarity["everywhere"] >= 0


def test_a_code_weighs_twice_as_much_as_a_word_that_is_as_rare():
    rarity = rarity_of(100, {"0x8004011d": 1, "spooler": 1, "14": 1})
    assert rarity["0x8004011d"] == pytest.approx(2 * rarity["spooler"])
    assert rarity["14"] == rarity["spooler"]


def test_who_shares_more_is_more_alike():
    one, two, none = in_words(asked(a=1.0, b=1.0), [known(a=1), known(a=1, b=1), known()])
    assert two > one > none == 0


def test_a_repeated_word_says_ever_less_and_a_long_text_must_say_more():
    once, often, long = in_words(asked(a=1.0), [known(a=1), known(a=50), known(length=40, a=1)])
    assert once < often < 3 * once
    assert long < once


def test_nothing_known_and_nothing_asked_are_no_error():
    assert likeness(asked(a=1.0), []) == []
    assert likeness(asked(), [known(), known(length=0.0)]) == [0.0, 0.0]


def test_without_vectors_what_shares_no_word_has_nothing_in_common():
    shared, none = likeness(asked(a=1.0), [known(a=1), known()])
    assert shared > none == 0


@needs_weights
def test_vectors_and_words_add_up_and_a_missing_vector_is_no_error():
    text, like, other = sentences.encode(["VPN is slow", "The tunnel is slow", "Toner is empty"])
    question = Asked({"vpn": 1.0}, whole=text)
    word = {"vpn": 1.0}
    both, meant, nothing, unread = likeness(
        question,
        [Candidate(word, 5, like), Candidate({}, 5, like), Candidate({}, 5, other), Candidate(word, 5)],
    )
    assert both > meant > nothing
    assert unread < both


@needs_weights
def test_the_same_failed_attempts_speak_for_it():
    text, rebooted, again, other = sentences.encode(["x", "Rebooted it", "Restarted it", "Called the client"])
    question = Asked({}, whole=text, tried=rebooted)
    like, unlike = likeness(question, [Candidate({}, 1, text, again), Candidate({}, 1, text, other)])
    assert like > unlike
