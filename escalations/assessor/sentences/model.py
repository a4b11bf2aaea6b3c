"""Six layers of BERT in numpy, without padding: the texts of a batch lie behind one another, and only attention looks
at each text by itself."""

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from escalations.assessor.sentences.pieces import Vocabulary

Vectors = NDArray[np.float32]

LAYERS = 6
HEADS = 12
MOST_PIECES = 256  # of a text; the model was trained for no more
BATCH_PIECES = 1_024  # at once: more would not stay in the processor's cache
TINY = np.float32(1e-12)
STORED = np.dtype("<f2")


def alike(vectors: Sequence[bytes], at_least: float) -> list[int]:
    """As `sentences.alike`."""
    rows = np.frombuffer(b"".join(vectors), STORED).astype(np.float32).reshape(len(vectors), -1)
    packed = np.packbits(rows @ rows.T >= at_least, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]


class Model:
    def __init__(self, folder: Path) -> None:
        self.vocabulary = Vocabulary(folder / "vocab.txt")
        self.weights = weights_of(folder / "model.safetensors")
        self.layers = [Layer(self.weights, f"encoder.layer.{number}.") for number in range(LAYERS)]

    def encode(self, texts: Sequence[str]) -> list[bytes]:
        return [row.tobytes() for row in self.vectors(texts).astype(STORED)]

    def cosines(self, vector: bytes, others: Sequence[bytes]) -> list[float]:
        rows = np.frombuffer(b"".join(others), STORED).astype(np.float32).reshape(len(others), -1)
        found: list[float] = (rows @ np.frombuffer(vector, STORED).astype(np.float32)).tolist()
        return found

    def sketch(self, vector: bytes) -> str:
        return "".join(np.where(np.frombuffer(vector, STORED) > 0, "1", "0"))

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """A row of 384 numbers for each text."""
        read = [self.vocabulary.read(text, most=MOST_PIECES) for text in texts]
        size = self.weights["embeddings.LayerNorm.weight"].shape[0]
        vectors = np.empty((len(texts), size), np.float32)
        for batch in _batches(read):
            vectors[batch] = self._encode([read[index] for index in batch])
        return vectors

    def _encode(self, texts: list[list[int]]) -> Vectors:
        ends = np.cumsum([len(text) for text in texts])
        spans = [slice(end - len(text), end) for text, end in zip(texts, ends, strict=True)]
        flow = self._embedded(texts)
        for layer in self.layers:
            flow = layer(flow, spans)
        means = np.stack([flow[span].mean(axis=0) for span in spans])
        lengths = np.linalg.norm(means, axis=1, keepdims=True)
        unit: Vectors = (means / np.maximum(lengths, TINY)).astype(np.float32, copy=False)
        return unit

    def _embedded(self, texts: list[list[int]]) -> Vectors:
        pieces = np.concatenate([np.asarray(text) for text in texts])
        places = np.concatenate([np.arange(len(text)) for text in texts])
        weight = self.weights
        flow = weight["embeddings.word_embeddings.weight"][pieces]
        flow = flow + weight["embeddings.position_embeddings.weight"][places]
        flow += weight["embeddings.token_type_embeddings.weight"][0]
        return _normal(flow, weight["embeddings.LayerNorm.weight"], weight["embeddings.LayerNorm.bias"])


class Layer:
    """One layer: every piece looks at the others of its text, then thinks by itself."""

    def __init__(self, weights: dict[str, Vectors], prefix: str) -> None:
        def dense(*names: str) -> tuple[Vectors, Vectors]:
            """Weights, turned round so that rows of pieces go in from the left, and biases; of several side by side."""
            sides = [weights[f"{prefix}{name}.weight"].T for name in names]
            return np.ascontiguousarray(np.hstack(sides)), np.hstack([weights[f"{prefix}{n}.bias"] for n in names])

        def norm(name: str) -> tuple[Vectors, Vectors]:
            return weights[f"{prefix}{name}.weight"], weights[f"{prefix}{name}.bias"]

        self.look = dense("attention.self.query", "attention.self.key", "attention.self.value")
        self.seen, self.seen_norm = dense("attention.output.dense"), norm("attention.output.LayerNorm")
        self.wide, self.narrow = dense("intermediate.dense"), dense("output.dense")
        self.norm = norm("output.LayerNorm")

    def __call__(self, flow: Vectors, spans: list[slice]) -> Vectors:
        looked = flow @ self.look[0] + self.look[1]
        seen = np.concatenate([_attention(looked[span]) for span in spans])
        flow = _normal(seen @ self.seen[0] + self.seen[1] + flow, *self.seen_norm)
        thought = _gelu(flow @ self.wide[0] + self.wide[1]) @ self.narrow[0] + self.narrow[1]
        return _normal(thought + flow, *self.norm)


def _attention(looked: Vectors) -> Vectors:
    """What each piece of one text sees of the others: `looked` holds queries, keys and values side by side."""
    count = len(looked)
    query, key, value = looked.reshape(count, 3, HEADS, -1).transpose(1, 2, 0, 3)
    weight = query @ key.transpose(0, 2, 1)
    weight *= np.float32(1 / math.sqrt(query.shape[-1]))
    weight -= weight.max(axis=-1, keepdims=True)
    np.exp(weight, out=weight)
    weight /= weight.sum(axis=-1, keepdims=True)
    seen: Vectors = (weight @ value).transpose(1, 0, 2).reshape(count, -1).astype(np.float32, copy=False)
    return seen


def _normal(flow: Vectors, weight: Vectors, bias: Vectors) -> Vectors:
    flow = flow - flow.mean(axis=-1, keepdims=True)
    spread = np.sqrt((flow * flow).mean(axis=-1, keepdims=True) + TINY)
    normal: Vectors = (flow / spread * weight + bias).astype(np.float32, copy=False)
    return normal


def _gelu(flow: Vectors) -> Vectors:
    """x · Φ(x), in the usual closed form with the hyperbolic tangent: numpy has no error function."""
    inner = flow * flow
    inner *= np.float32(0.044715)
    inner += np.float32(1)
    inner *= flow
    inner *= np.float32(math.sqrt(2 / math.pi))
    np.tanh(inner, out=inner)
    inner += np.float32(1)
    inner *= flow
    inner *= np.float32(0.5)
    return inner


def _batches(texts: list[list[int]]) -> Iterator[list[int]]:
    """The texts' indices, some at a time."""
    batch: list[int] = []
    pieces = 0
    for index, text in enumerate(texts):
        if batch and pieces + len(text) > BATCH_PIECES:
            yield batch
            batch, pieces = [], 0
        batch.append(index)
        pieces += len(text)
    if batch:
        yield batch


def weights_of(file: Path) -> dict[str, Vectors]:
    """The tensors of a safetensors file, by name: the length of a JSON header (8 bytes), the header, the numbers.

    The file is mapped, not read: of the vocabulary's 47 MB only those pieces that are met take memory.
    """
    mapped = np.memmap(file, np.uint8, mode="r")
    length = int.from_bytes(mapped[:8].tobytes(), "little")
    header: dict[str, Any] = json.loads(mapped[8 : 8 + length].tobytes())
    numbers = mapped[8 + length :]
    return {
        name: numbers[slice(*tensor["data_offsets"])].view(np.float32).reshape(tensor["shape"])
        for name, tensor in header.items()
        if tensor.get("dtype") == "F32"
    }
