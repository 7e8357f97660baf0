"""The same model with a smaller output layer: enough to compare labels, and much less to compute.

An output layer gives a number for each token of the vocabulary at each position of a text. Which of 32 labels follows
needs 32 numbers, so the rows of these tokens are cut out of the weights of an exported model. Labels of several tokens
need the whole vocabulary, but at a few positions only: for them the layer hands on what it is given, and its product
with the weights is taken where it is needed.

    model.bin   version, name, revision, the variables (name, shape, kind, bytes), and further names for some of them

This is how CTranslate2 4 writes a model (``ctranslate2.specs.model_spec``). Of a file that is laid out in another way
nothing is guessed.

Shapes: `D` width, `V` vocabulary.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

VERSION = 6
OUTPUT_LAYER = "decoder/projection/"
WEIGHT, SCALE = f"{OUTPUT_LAYER}weight", f"{OUTPUT_LAYER}weight_scale"

FLOAT32, INT8, FLOAT16 = 0, 1, 4
FORMATS = {FLOAT32: np.float32, INT8: np.int8, FLOAT16: np.float16}
"""What the library's numbers for formats stand for."""

LARGEST = 127
"""In int8: what the largest value of a row is rounded to."""

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Variable:
    """A table of numbers; ``kind`` is the library's number for their format."""

    shape: tuple[int, ...]
    kind: int
    content: bytes

    def rows(self, chosen: Sequence[int]) -> "Variable":
        """Give some rows, in the given order."""
        table = np.frombuffer(self.content, np.uint8).reshape(self.shape[0], -1)
        return replace(self, shape=(len(chosen), *self.shape[1:]), content=table[list(chosen)].tobytes())

    def numbers(self) -> npt.NDArray[Any]:
        """Give the table as an array, if its format is known."""
        return np.frombuffer(self.content, FORMATS[self.kind]).reshape(self.shape)


@dataclass(frozen=True)
class Weights:
    """What ``model.bin`` holds; ``aliases`` are further names of variables, since equal tables are written once."""

    name: str
    revision: int
    variables: dict[str, Variable]
    aliases: dict[str, str]

    @property
    def named(self) -> dict[str, Variable]:
        """The variables by all their names."""
        return {**self.variables, **{alias: self.variables[name] for alias, name in self.aliases.items()}}

    def with_variables(self, others: dict[str, Variable]) -> "Weights":
        """Put other variables in the place of those of the same names."""
        aliases = {alias: name for alias, name in self.aliases.items() if alias not in others}
        return replace(self, variables=dict(sorted({**self.variables, **others}.items())), aliases=aliases)


@dataclass(frozen=True)
class OutputLayer:
    """What makes logits of hidden states.

    Attributes:
        weights: (V, D); in int8 whole numbers, so that sums of products are exact in any order (up to a D of 1,040).
        scales: (V,) in int8 what each row of weights was multiplied by before it was rounded; else ``None``.
    """

    weights: FloatArray
    scales: FloatArray | None = None

    def logits(self, states: FloatArray) -> FloatArray:
        """Turn hidden states into logits, as the library itself would: (N, D) to (N, V)."""
        if self.scales is None:
            found: FloatArray = states @ self.weights.T
            return found
        steps = np.abs(states).max(axis=1, keepdims=True) / LARGEST  # the states are whole numbers of them
        found = np.rint(states / steps) @ self.weights.T
        found *= steps / self.scales
        return found


def with_few_tokens(model: bytes, tokens: Sequence[int]) -> bytes:
    r"""Give the model an output layer of some tokens.

    Args:
        model: the content of ``model.bin``.
        tokens: the rows of the output layer to keep; the model's logits are in their order.

    Returns:
        The content of another ``model.bin``. It reads the same texts, and each logit is what it was.

    Raises:
        ValueError: the file is laid out in a way that is not known here.

    Example:
        >>> table = Variable((3, 2), 1, bytes([1, 1, 2, 2, 3, 3]))
        >>> model = write(Weights("spec", 1, {"embeddings": table}, {"decoder/projection/weight": "embeddings"}))
        >>> few = read(with_few_tokens(model, [2, 0]))
        >>> few.variables["decoder/projection/weight"].content, few.variables["embeddings"] == table
        (b'\x03\x03\x01\x01', True)
    """
    weights = read(model)
    layer = _output_layer(weights)
    vocabulary = layer[WEIGHT].shape[0]
    cut = {name: part.rows(tokens) if part.shape[:1] == (vocabulary,) else part for name, part in layer.items()}
    return write(weights.with_variables(cut))


def with_hidden_states(model: bytes) -> tuple[bytes, OutputLayer]:
    r"""Give the model the identity for an output layer, so that its "logits" are the last hidden states.

    In int8 an output layer rounds what it is given, and so does this one.

    Args:
        model: the content of ``model.bin``.

    Returns:
        The content of another ``model.bin``, and the output layer that it had.

    Raises:
        ValueError: the file is laid out, or the output layer is made, in a way that is not known here.

    Example:
        >>> table = Variable((3, 2), FLOAT32, np.arange(6, dtype=np.float32).tobytes())
        >>> model = write(Weights("spec", 1, {"embeddings": table}, {"decoder/projection/weight": "embeddings"}))
        >>> hidden, layer = with_hidden_states(model)
        >>> read(hidden).variables["decoder/projection/weight"].numbers().tolist(), layer.weights.tolist()
        ([[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    """
    weights = read(model)
    layer = _output_layer(weights)
    kinds = {name: part.kind for name, part in layer.items()}
    one = np.eye(layer[WEIGHT].shape[1])
    if kinds == {WEIGHT: INT8, SCALE: FLOAT32}:
        identity = {WEIGHT: _variable(LARGEST * one, INT8), SCALE: _variable(LARGEST * one.sum(0), FLOAT32)}
        scales = layer[SCALE].numbers()
    elif kinds in ({WEIGHT: FLOAT32}, {WEIGHT: FLOAT16}):
        identity, scales = {WEIGHT: _variable(one, kinds[WEIGHT])}, None
    else:
        raise ValueError("an output layer of another make")
    return write(weights.with_variables(identity)), OutputLayer(layer[WEIGHT].numbers().astype(np.float32), scales)


def _variable(table: npt.NDArray[Any], kind: int) -> Variable:
    return Variable(table.shape, kind, table.astype(FORMATS[kind]).tobytes())


def _output_layer(weights: Weights) -> dict[str, Variable]:
    """Give the parts of the output layer by name.

    Where its weights are those of the embeddings, so is the scale beside them, and it has no name of its own.
    """
    found = {name: part for name, part in weights.named.items() if name.startswith(OUTPUT_LAYER)}
    if WEIGHT not in found:
        raise ValueError("there is no output layer")
    shared = weights.aliases.get(WEIGHT)
    scale = weights.named.get(f"{shared}_scale")
    return found if scale is None else {SCALE: scale, **found}


def read(model: bytes) -> Weights:
    """Take a ``model.bin`` apart.

    Raises:
        ValueError: it is laid out in a way that is not known here.
    """
    cursor = _Cursor(model)
    try:
        if cursor.number("I") != VERSION:
            raise ValueError("a model of another version of CTranslate2")
        name, revision = cursor.text(), cursor.number("I")
        variables = {cursor.text(): cursor.variable() for _ in range(cursor.number("I"))}
        aliases = {cursor.text(): cursor.text() for _ in range(cursor.number("I"))}
    except (struct.error, UnicodeDecodeError) as error:
        raise ValueError("the file ends early, or is none of CTranslate2's") from error
    if cursor.place != len(model):
        raise ValueError("the file goes on where it should end")
    return Weights(name, revision, variables, aliases)


def write(weights: Weights) -> bytes:
    """Put a ``model.bin`` together."""
    parts = [
        struct.pack("<I", VERSION),
        _text(weights.name),
        struct.pack("<II", weights.revision, len(weights.variables)),
    ]
    for name, variable in weights.variables.items():
        shape = struct.pack(f"<B{len(variable.shape)}I", len(variable.shape), *variable.shape)
        parts += [_text(name), shape, struct.pack("<BI", variable.kind, len(variable.content)), variable.content]
    parts.append(struct.pack("<I", len(weights.aliases)))
    parts += [_text(name) for pair in weights.aliases.items() for name in pair]
    return b"".join(parts)


def _text(text: str) -> bytes:
    spelled = text.encode() + b"\0"
    return struct.pack("<H", len(spelled)) + spelled


@dataclass
class _Cursor:
    """A place in a file, and what stands there."""

    content: bytes
    place: int = 0

    def number(self, kind: str) -> int:
        (value,) = struct.unpack_from(f"<{kind}", self.content, self.place)
        self.place += struct.calcsize(f"<{kind}")
        return int(value)

    def raw(self, size: int) -> bytes:
        if self.place + size > len(self.content):
            raise struct.error
        self.place += size
        return self.content[self.place - size : self.place]

    def text(self) -> str:
        return self.raw(self.number("H"))[:-1].decode()

    def variable(self) -> Variable:
        shape = tuple(self.number("I") for _ in range(self.number("B")))
        return Variable(shape, self.number("B"), self.raw(self.number("I")))
