"""Labels as a trie of their tokens, and exact probabilities over whole labels.

The score of a label is the log-probability that the model goes on with it: the sum over its tokens. Where one
label is the beginning of another ("sad", "sad and tired"), the shorter one must also be followed by what ends a
label in the layout, else its score would contain the longer one's. The softmax of the scores is the answer.

All labels share the text, and labels share their first tokens, so they form a trie. An engine gives the logits at the
root and at the inner nodes; what remains is adding up along the paths. When all labels are single tokens there is
no inner node, and the logits behind the text are all that is needed.

    text: I lost my cat <EMOTION_TYPE>        labels: sad · very sad · very angry
                                 │
                  sad ──────── root ──────── very          logits at the root:  sad, very
                                              ├── sad      logits at "very":    sad, angry
                                              └── angry

Shapes: `B` texts, `E` labels, `K` inner nodes without the root, `S` steps of all paths.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from buddy.errors import UserMistake, quote
from buddy.text.batches import IntArray
from buddy.text.render import END
from buddy.text.tokenizer import Codec

ROOT = 0

BoolArray = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float64]
Floats = TypeVar("Floats", npt.NDArray[np.float32], npt.NDArray[np.float64])


@dataclass(frozen=True)
class LabelTrie:
    """The labels' tokens as a trie; node 0 is the root, the end of the text.

    Attributes:
        tokens: (K,) the token of each inner node but the root; node k + 1 stands in ``tokens[k]``.
        parents: (K,) the node before it.
        paths: for each label the (node, token) pairs whose log-probabilities add up to its score.
    """

    tokens: tuple[int, ...]
    parents: tuple[int, ...]
    paths: tuple[tuple[tuple[int, int], ...], ...]

    @property
    def steps(self) -> tuple[list[int], list[int]]:
        """The nodes and the tokens of all paths, one path behind the other: S of each."""
        nodes, tokens = zip(*(step for path in self.paths for step in path), strict=True)
        return list(nodes), list(tokens)

    @property
    def depths(self) -> IntArray:
        """(K,) tokens between the end of the text and the node: 0 for a child of the root."""
        depths: list[int] = []
        for parent in self.parents:
            depths.append(0 if parent == ROOT else depths[parent - 1] + 1)
        return np.array(depths, np.int64)

    @property
    def room(self) -> int:
        """Positions that the labels need behind the text: one for each level of inner nodes."""
        return 1 + max(self.depths, default=-1)

    @property
    def ancestry(self) -> BoolArray:
        """(K, K) true where a node (first axis) may look at another: at itself and its ancestors."""
        sees = np.eye(len(self.tokens), dtype=np.bool_)
        for node, parent in enumerate(self.parents):
            if parent != ROOT:
                sees[node] |= sees[parent - 1]
        return sees


def make_trie(labels: Sequence[tuple[int, ...]], end: int) -> LabelTrie:
    """Arrange labels, given as their tokens, in a trie.

    Args:
        labels: the tokens of each label.
        end: the token that must follow a label which is the beginning of another one.

    Raises:
        ValueError: two labels have the same tokens, or a label has none: no score could tell them apart.

    Example:
        >>> trie = make_trie([(1,), (2, 3), (2, 4), (2,)], end=9)
        >>> trie.tokens, trie.paths[1], trie.paths[3]
        ((2,), ((0, 2), (1, 3)), ((0, 2), (1, 9)))
    """
    if len(set(labels)) < len(labels) or () in labels:
        raise ValueError("every label needs tokens of its own")
    inner = sorted({label[:size] for label in labels for size in range(1, len(label))}, key=lambda p: (len(p), p))
    node_of = {(): ROOT, **{prefix: number for number, prefix in enumerate(inner, start=1)}}
    paths = tuple(
        tuple((node_of[label[:i]], token) for i, token in enumerate(label))
        + (((node_of[label], end),) if label in node_of else ())
        for label in labels
    )
    return LabelTrie(tuple(p[-1] for p in inner), tuple(node_of[p[:-1]] for p in inner), paths)


def label_trie(codec: Codec, labels: Sequence[str]) -> LabelTrie:
    """Arrange labels in a trie as the tokenizer spells them.

    What must follow a label that is the beginning of another is ``END``, in a conversation too: there a mark stands
    behind it that is always given and never learned, so that a model would take any label with more words for likelier.

    Args:
        codec: the tokenizer.
        labels: at least one.

    Raises:
        UserMistake: the tokenizer spells two labels alike, such as Sad and sad when it knows no capitals.
    """
    spelled: dict[tuple[int, ...], str] = {}
    for label in labels:
        tokens = codec.encode_label(label)
        if tokens in spelled:
            raise UserMistake(
                f"The model cannot tell the labels {quote(spelled[tokens])} and {quote(label)} apart; rename one."
            )
        spelled[tokens] = label
    return make_trie(list(spelled), codec.special_ids[END])


def add_up(log_probabilities: Scores, trie: LabelTrie) -> Scores:
    """Sum each label's log-probabilities along its path.

    Args:
        log_probabilities: (B, S) of ``trie.steps``.
        trie: of the labels.

    Returns:
        (B, E) log-probabilities of the labels, given that the answer is one of them.

    Example:
        >>> half_and_quarter = np.log(np.array([[0.5, 0.25]]))
        >>> np.exp(add_up(half_and_quarter, make_trie([(0,), (1,)], end=2))).round(3).tolist()
        [[0.667, 0.333]]
    """
    starts = np.cumsum([0, *map(len, trie.paths[:-1])])
    return log_softmax(np.add.reduceat(log_probabilities, starts, axis=1))


def log_softmax(values: Floats) -> Floats:
    """Turn the last axis into log-probabilities.

    Example:
        >>> np.exp(log_softmax(np.array([0.0, 0.0]))).tolist()
        [0.5, 0.5]
    """
    below_the_largest = values - values.max(axis=-1, keepdims=True)
    logs: Floats = below_the_largest - np.log(np.exp(below_the_largest).sum(axis=-1, keepdims=True))
    return logs
