"""Documents to batches: rows of similar length, or several conversations packed into one row.

A batch never needs an attention mask for its padding. Padding stands at the right, a causal model only
looks to the left, and no padding token is ever learned, so what a row gives cannot depend on it.

Shapes: `B` rows, `T` tokens in the longest row.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from buddy.text.tokenizer import Tokens

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]

STEPS_SORTED_TOGETHER = 50
"""Documents are sorted by length within the shuffled documents of this many steps: enough that rows of one
batch are nearly equally long, few enough that a batch can hold any mixture of labels."""

LENGTH_BLUR = 0.03
"""Lengths count as up to this share longer or shorter while sorting, so that every epoch makes different batches
even when all documents fit into one sorting."""


@dataclass(frozen=True)
class Batch:
    """What one forward pass reads.

    Attributes:
        input_ids: (B, T) token ids; 0 where a row is padded.
        weights: (B, T) how strongly each token is learned; 0 for what is only read, and for padding.
        positions: (B, T) place of each token in its own document.
        documents: (B, T) which document of its row a token belongs to, -1 for padding; ``None`` when each row
            holds one document and the plain causal mask is right.
        soft_labels: what a teacher says about some of the tokens; ``None`` when no document has a teacher.
    """

    input_ids: IntArray
    weights: FloatArray
    positions: IntArray
    documents: IntArray | None = None
    soft_labels: "SoftLabels | None" = None


@dataclass(frozen=True)
class SoftLabels:
    """The soft labels of a batch: S of them, over the E tokens that a label can begin with."""

    probabilities: FloatArray  # (S, E)
    which: IntArray  # (B, T) the soft label that a token is learned from, -1 for none
    token_ids: IntArray  # (E,)


def pad(documents: Sequence[Tokens], label_ids: Sequence[int] = ()) -> Batch:
    """Put one document into each row.

    Args:
        documents: at least one.
        label_ids: the first token of each label, in the order of the probabilities of soft labels.

    Example:
        >>> one = Tokens(np.array([5, 6, 7]), np.array([0, 0, 1], np.float32))
        >>> two = Tokens(np.array([8, 9]), np.array([0, 1], np.float32))
        >>> pad([one, two]).input_ids.tolist()
        [[5, 6, 7], [8, 9, 0]]
    """
    return _fill([[document] for document in documents], label_ids, keep_apart=False)


def pack(documents: Sequence[Tokens], width: int, label_ids: Sequence[int] = ()) -> Batch:
    """Put as many documents into each row as fit; ``documents`` in the batch tells them apart.

    Args:
        documents: each at most ``width`` tokens long.
        width: tokens per row.
        label_ids: as for ``pad``.

    Raises:
        ValueError: a document is longer than a row; cutting it here would silently lose text.

    Source:
        Krell et al. 2021, "Efficient Sequence Packing without Cross-contamination", section 3: first-fit decreasing.

    Example:
        >>> pieces = [Tokens(np.arange(n), np.ones(n, np.float32)) for n in (3, 2, 4)]
        >>> pack(pieces, width=6).documents.tolist()
        [[0, 0, 0, 0, 1, 1], [0, 0, 0, -1, -1, -1]]
    """
    rows = first_fit([len(document) for document in documents], width)
    return _fill([[documents[i] for i in row] for row in rows], label_ids, keep_apart=True, most=width)


def first_fit(lengths: Sequence[int], width: int) -> list[list[int]]:
    """Share documents out among rows, the longest first, each into the first row that has room for it.

    Raises:
        ValueError: a document is longer than a row.

    Example:
        >>> first_fit([3, 2, 4], width=6)
        [[2, 1], [0]]
    """
    if max(lengths) > width:
        raise ValueError(f"a document of {max(lengths)} tokens does not fit a row of {width}")
    rows: list[list[int]] = []
    room = np.zeros(0, np.int64)
    for document in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        row = int((room >= lengths[document]).argmax()) if len(room) else 0
        if not len(room) or room[row] < lengths[document]:
            row = len(rows)
            rows.append([])
            room = np.append(room, width)
        rows[row].append(document)
        room[row] -= lengths[document]
    return rows


def keep_apart(rows: Sequence[Tokens], end_id: int) -> Batch:
    """Make a batch of rows that hold several documents each, one behind the other; each ends in ``end_id``.

    Example:
        >>> row = Tokens(np.array([5, 6, 1, 7, 1]), np.ones(5, np.float32))
        >>> batch = keep_apart([row], end_id=1)
        >>> batch.documents.tolist(), batch.weights.tolist()
        ([[0, 0, 0, 1, 1]], [[0.0, 1.0, 1.0, 0.0, 1.0]])
    """
    return _fill([_documents_of(row, end_id) for row in rows], (), keep_apart=True)


def _documents_of(row: Tokens, end_id: int) -> list[Tokens]:
    cuts = np.flatnonzero(row.ids[:-1] == end_id) + 1
    return [Tokens(*both) for both in zip(np.split(row.ids, cuts), np.split(row.weights, cuts), strict=True)]


def _fill(
    rows: Sequence[Sequence[Tokens]], label_ids: Sequence[int], keep_apart: bool, most: int = sys.maxsize
) -> Batch:
    shape = (len(rows), min(round_up(max(sum(map(len, row)) for row in rows)), most))
    input_ids, positions = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    weights, documents = np.zeros(shape, np.float32), np.full(shape, -1, np.int64)
    which = np.full(shape, -1, np.int64)
    probabilities: list[FloatArray] = []
    for i, row in enumerate(rows):
        start = 0
        for number, document in enumerate(row):
            place = slice(start, start + len(document))
            input_ids[i, place], weights[i, place] = document.ids, document.weights
            positions[i, place], documents[i, place] = np.arange(len(document)), number
            weights[i, start] = 0.0  # nothing of its own document stands before the first token
            if document.soft_label is not None:
                which[i, start + document.soft_label.at] = len(probabilities)
                probabilities.append(document.soft_label.probabilities)
            start = place.stop
    soft = SoftLabels(np.array(probabilities), which, np.array(label_ids)) if probabilities else None
    return Batch(input_ids, weights, positions, documents if keep_apart else None, soft)


def round_up(width: int) -> int:
    """Round a row's width up by at most an eighth, so that few different widths occur.

    For each new shape a matrix product prepares code of its own, which costs milliseconds and megabytes. The
    extra padding costs about a thirtieth of the work.

    Example:
        >>> [round_up(width) for width in (7, 15, 17, 33, 100)]
        [7, 15, 18, 36, 104]
    """
    step = 1 << max(0, width.bit_length() - 4)
    return -(-width // step) * step


def plan_epoch(lengths: Sequence[int], batch_size: int, seed: int, epoch: int, chapter: int = 0) -> list[list[int]]:
    """Decide which documents each step of an epoch, or of a chapter of it, learns from, every document once.

    The plan is a pure function of its arguments, so a resumed run finds its place by counting steps.

    Args:
        lengths: tokens of each document.
        batch_size: documents per step.
        seed: of the run.
        epoch: 0 for the first; every epoch has another order.
        chapter: 0 for the first, or for an epoch that is not in chapters.

    Returns:
        For each step the indices of its documents, longest first.

    Example:
        >>> sorted(sum(plan_epoch([3, 9, 4, 8, 5], batch_size=2, seed=1, epoch=0), []))
        [0, 1, 2, 3, 4]
    """
    random = np.random.default_rng((seed, epoch, chapter))
    order = random.permutation(len(lengths))
    together = STEPS_SORTED_TOGETHER * batch_size
    blurred = np.array(lengths) * random.uniform(1 - LENGTH_BLUR, 1 + LENGTH_BLUR, len(lengths))
    by_length = [
        sorted(order[start : start + together].tolist(), key=lambda i: -blurred[i])
        for start in range(0, len(order), together)
    ]
    steps = [group[start : start + batch_size] for group in by_length for start in range(0, len(group), batch_size)]
    return [sorted(steps[i], key=lambda document: -lengths[document]) for i in random.permutation(len(steps))]


def split_by_tokens(indices: Sequence[int], lengths: Sequence[int], max_tokens: int) -> Iterator[list[int]]:
    """Cut the documents of a step into forward passes of at most ``max_tokens`` tokens, padding included.

    A document longer than ``max_tokens`` gets a pass of its own.

    Example:
        >>> list(split_by_tokens([0, 1, 2], lengths=[5, 4, 2], max_tokens=10))
        [[0, 1], [2]]
    """
    chunk: list[int] = []
    widest = 0
    for index in indices:
        widest = max(widest, lengths[index])
        if chunk and widest * (len(chunk) + 1) > max_tokens:
            yield chunk
            chunk, widest = [], lengths[index]
        chunk.append(index)
    if chunk:
        yield chunk
