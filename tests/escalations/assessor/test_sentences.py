"""Sentences as vectors: what means the same lies close together, and without the weights nobody breaks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalations.assessor import sentences
from escalations.assessor.sentences.pieces import words_of
from tests.weights import needs_weights


def cosine(one, other):
    vector, *others = sentences.encode([one, other])
    return sentences.cosines(vector, others)[0]


@needs_weights
@pytest.mark.parametrize(
    ("other", "published"),
    [("That is a happy dog", 0.695), ("That is a very happy person", 0.943), ("Today is a sunny day", 0.257)],
)
def test_the_model_says_what_its_makers_published(other, published):
    assert cosine("That is a happy person", other) == pytest.approx(published, abs=0.001)


@needs_weights
def test_the_same_fault_in_other_words_is_closer_than_another_fault_in_the_same_words():
    told = "Nobody can sign in since the server restarted"
    assert cosine(told, "All users fail to log on after a reboot") > cosine(told, "The server restarted in time")


@needs_weights
def test_a_text_has_the_same_vector_alone_and_among_others():
    texts = ["short", "a much longer text about printers " * 30, "", "日本語 🖨️ Ünïcödé", "x" * 5_000]
    together = sentences.encode(texts)
    assert [len(vector) for vector in together] == [2 * sentences.SIZE] * len(texts)
    for text, vector in zip(texts, together, strict=True):
        assert sentences.cosines(sentences.encode([text])[0], [vector])[0] == pytest.approx(1, abs=0.002)


@needs_weights
def test_no_texts_have_no_vectors():
    assert sentences.encode([]) == []


@needs_weights
@settings(max_examples=20, deadline=None)
@given(st.text(max_size=80))
def test_any_text_has_a_vector_of_length_one(text):
    (vector,) = sentences.encode([text])
    assert sentences.cosines(vector, [vector])[0] == pytest.approx(1, abs=0.002)


@needs_weights
def test_sketches_of_what_is_alike_differ_less():
    one, like, other = map(
        sentences.sketch,
        sentences.encode(["The printer is offline", "The printer does not answer", "The invoice is wrong"]),
    )
    assert len(one) == sentences.SIZE
    assert set(one) == {"0", "1"}
    assert differences(one, like) < differences(one, other)


def differences(one, other):
    return sum(a != b for a, b in zip(one, other, strict=True))


@needs_weights
def test_what_comes_after_the_first_pieces_of_a_long_text_is_left_out():
    long = "printer " * 300
    assert sentences.encode([long + "invoice"]) == sentences.encode([long + "tunnel"])


@needs_weights
def test_weights_can_be_left_out_for_a_while():
    with sentences.left_out():
        assert not sentences.is_there()
    assert sentences.is_there()


def test_without_weights_it_says_so(monkeypatch):
    monkeypatch.setattr(sentences, "_folder", lambda: None)
    sentences._model.cache_clear()
    assert not sentences.is_there()
    with pytest.raises(ModuleNotFoundError, match="not installed"):
        sentences.encode(["x"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Event 4007: can't load", ["event", "4007", ":", "can", "'", "t", "load"]),
        ("Überprüft\tÉté", ["uberpruft", "ete"]),
        ("C:\\spool\\PRINTERS", ["c", ":", "\\", "spool", "\\", "printers"]),
        ("日本 x", ["日", "本", "x"]),
        ("\u202ea\u200bb\x00c", ["abc"]),
        ("", []),
    ],
)
def test_words_are_lower_case_without_accents_and_marks_stand_alone(text, words):
    assert words_of(text) == words
