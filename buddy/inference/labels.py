"""Exact probabilities over whole labels, for labels of any number of tokens, in one forward pass.

The score of a label is the log-probability that the model goes on with it: the sum over its tokens. Where one
label is the beginning of another ("sad", "sad and tired"), the shorter one must also be followed by the end of
text, else its score would contain the longer one's. The softmax of the scores is the answer.

All labels share the text, and labels share their first tokens, so they form a trie. Its inner nodes are appended
to the text as if they were one more sentence, and an attention mask lets each see the text and its own ancestors
only: the text is computed once, and one pass gives every log-probability that any label needs. When all labels
are single tokens the trie has no inner node and nothing is appended.

    text: I lost my cat <EMOTION_TYPE>        labels: sad · very sad · very angry
                                 │
                  sad ──────── root ──────── very          logits at the root:  sad, very
                                              ├── sad      logits at "very":    sad, angry
                                              └── angry

Shapes: `N` texts, `E` labels, `B` rows, `T` tokens of the longest text, `K` inner nodes without the root.

Source: the tree-shaped attention mask is that of Miao et al. 2023, "SpecInfer", section 4.2, there for drafts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from buddy.text.batches import IntArray, pad, split_by_tokens
from buddy.text.tokenizer import Tokens
from buddy.training.device import Device
from buddy.training.forward import BoolArray, Question, next_token_logits, same_document_mask

ROOT = 0


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


def score_labels(
    model: nn.Module, questions: Sequence[Tokens], trie: LabelTrie, device: Device, max_tokens_per_pass: int = 8192
) -> npt.NDArray[np.float64]:
    """Score every label for every text.

    Args:
        model: a Hugging Face causal language model, in evaluation mode.
        questions: rendered texts that end in ``<EMOTION_TYPE>``.
        trie: of the labels.
        device: where the model is.
        max_tokens_per_pass: how many tokens go through the model at once; changes the speed, not the result.

    Returns:
        (N, E) log-probabilities of the labels given that the answer is one of them: each row's exponentials sum to 1.
    """
    scores = np.empty((len(questions), len(trie.paths)))
    for rows in _passes(questions, len(trie.tokens), max_tokens_per_pass):
        with torch.inference_mode():
            scores[rows] = _score_pass(model, [questions[i] for i in rows], trie, device).cpu().numpy()
    return scores


def _passes(questions: Sequence[Tokens], appended: int, max_tokens: int) -> Iterator[list[int]]:
    lengths = [len(question) + appended for question in questions]
    by_length = sorted(range(len(questions)), key=lambda i: -lengths[i])
    return split_by_tokens(by_length, lengths, max_tokens)


def _score_pass(model: nn.Module, questions: Sequence[Tokens], trie: LabelTrie, device: Device) -> Tensor:
    batch = pad(questions)
    ends = np.array([len(question) - 1 for question in questions])  # (B,) column of each <EMOTION_TYPE>
    input_ids, positions, mask, columns = batch.input_ids, batch.positions, None, ends[:, None]
    if trie.tokens:
        width = input_ids.shape[1]
        input_ids, positions, mask = _append_trie(input_ids, positions, ends, trie)
        nodes = np.tile(np.arange(width, width + len(trie.tokens)), (len(ends), 1))
        columns = np.concatenate([columns, nodes], axis=1)  # (B, 1 + K)
    return _add_up(next_token_logits(model, Question(input_ids, positions, mask, columns), device), trie)


def _append_trie(
    input_ids: IntArray, positions: IntArray, ends: IntArray, trie: LabelTrie
) -> tuple[IntArray, IntArray, BoolArray]:
    """Put the trie's inner nodes behind every text, each seeing the text and its own ancestors."""
    rows, width = input_ids.shape
    nodes = len(trie.tokens)
    is_text = np.arange(width) <= ends[:, None]  # (B, T)
    mask = np.zeros((rows, 1, width + nodes, width + nodes), np.bool_)
    mask[:, :, :width, :width] = same_document_mask(np.where(is_text, 0, -1))
    mask[:, 0, width:, :width] = is_text[:, None, :]
    mask[:, :, width:, width:] = trie.ancestry
    with_nodes = np.concatenate([input_ids, np.tile(np.array(trie.tokens), (rows, 1))], axis=1)
    with_depths = np.concatenate([positions, ends[:, None] + 1 + trie.depths], axis=1)
    return with_nodes, with_depths, mask


def _add_up(at_nodes: Tensor, trie: LabelTrie) -> Tensor:
    """Sum each label's log-probabilities along its path: (B, 1 + K, V) logits to (B, E)."""
    log_probabilities = at_nodes.float().cpu().double().log_softmax(dim=-1)  # MPS has no double
    scores = [sum(log_probabilities[:, node, token] for node, token in path) for path in trie.paths]
    return torch.stack([torch.as_tensor(score) for score in scores], dim=1).log_softmax(dim=-1)
