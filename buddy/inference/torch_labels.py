"""The scores of all labels from a PyTorch model, for labels of any number of tokens in one forward pass.

The inner nodes of the labels' trie are appended to the text as if they were one more sentence, and an attention mask
lets each see the text and its own ancestors only: the text is computed once, and one pass gives every
log-probability that any label needs. A model that reads no masks reads the text once for every node instead.

Shapes: `N` texts, `E` labels, `B` rows, `T` tokens of the longest text, `K` inner nodes without the root,
`S` steps of all paths, `V` vocabulary.

Source: the tree-shaped attention mask is that of Miao et al. 2023, "SpecInfer", section 4.2, there for drafts.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from buddy.inference.engine import split_by_length
from buddy.inference.labels import ROOT, LabelTrie, Scores, add_up
from buddy.text.batches import IntArray, pad
from buddy.text.tokenizer import Tokens
from buddy.training.device import Device
from buddy.training.forward import Question, next_token_logits, reads_masks, text_config
from buddy.training.gpt2 import find_quick_gpt2

TOKENS_PER_PASS = {"cpu": 8_192, "mps": 8_192, "cuda": 65_536}
"""As many as keep the device busy."""

TOKENS_PER_PASS_WITH_TRIE = 8_192
"""Where labels have several tokens each text has logits for all of them, and these fill the memory."""

LOGITS_AT_ONCE = {"cpu": 2**26, "mps": 2**26, "cuda": 2**28}
"""Where every token of the vocabulary gets a number, so many are computed at once: 256 MB, and on an accelerator 1 GB.
A text that needs more has a pass of its own."""


def score_labels(
    model: nn.Module, questions: Sequence[Tokens], trie: LabelTrie, device: Device, max_tokens_per_pass: int = 0
) -> Scores:
    """Score every label for every text.

    Args:
        model: a Hugging Face causal language model, in evaluation mode.
        questions: rendered texts that end in ``<EMOTION_TYPE>``.
        trie: of the labels.
        device: where the model is.
        max_tokens_per_pass: how many tokens go through the model at once; changes the speed, not the result. 0: chosen
            by the device.

    Returns:
        (N, E) log-probabilities of the labels given that the answer is one of them: each row's exponentials sum to 1.
    """
    most = max_tokens_per_pass or (TOKENS_PER_PASS_WITH_TRIE if trie.tokens else TOKENS_PER_PASS[device.name])
    read = _read_trie if reads_masks(model) or not trie.tokens else _read_node_by_node
    return add_up(read(model, questions, trie, device, most), trie)


def _read_trie(model: nn.Module, questions: Sequence[Tokens], trie: LabelTrie, device: Device, most: int) -> Scores:
    """Give the log-probability of every step behind every text, (N, S), from one reading of each."""
    at_steps = np.empty((len(questions), len(trie.steps[0])))
    found: list[tuple[list[int], Tensor]] = []
    for together in split_by_length(questions, most, len(trie.tokens)):
        for rows in _split_by_logits(model, together, questions, trie, device):
            with torch.no_grad():  # training asks, too: see loop._count
                found.append((rows, _score_pass(model, [questions[i] for i in rows], trie, device)))
    for rows, of_pass in found:  # not before: an accelerator that is asked for a result waits for the next pass
        at_steps[rows] = of_pass.cpu().double().numpy()
    return at_steps


def _read_node_by_node(
    model: nn.Module, questions: Sequence[Tokens], trie: LabelTrie, device: Device, most: int
) -> Scores:
    """Give the same from a row for each text and node, with the way to the node behind the text, without any mask."""
    at, tokens = trie.steps
    root_alone = LabelTrie((), (), tuple(((ROOT, token),) for token in tokens))
    ways = _ways(trie)
    at_steps = np.empty((len(questions), len(at)))
    for texts in split_by_length(questions, most // len(ways), trie.room):
        rows = [np.array([*questions[i].ids, *way]) for i in texts for way in ways]
        asked = [Tokens(ids, np.zeros(len(ids), np.float32)) for ids in rows]
        found = _read_trie(model, asked, root_alone, device, most).reshape(len(texts), len(ways), -1)  # (n, 1 + K, S)
        at_steps[texts] = found[:, at, np.arange(len(at))]
    return at_steps


def _ways(trie: LabelTrie) -> list[list[int]]:
    """Give the tokens that lead to each node; to the root none do."""
    ways: list[list[int]] = [[]]
    for token, parent in zip(trie.tokens, trie.parents, strict=True):
        ways.append([*ways[parent], token])
    return ways


def _split_by_logits(
    model: nn.Module, together: Sequence[int], questions: Sequence[Tokens], trie: LabelTrie, device: Device
) -> Iterator[list[int]]:
    """Cut a pass into smaller ones, as far as the logits demand it; most models make those of all texts' columns."""
    config, is_quick = text_config(model), find_quick_gpt2(model) is not None
    most = LOGITS_AT_ONCE[device.name] // getattr(config, "vocab_size", 1)
    rows: list[int] = []
    lengths: set[int] = set()
    for i in together:
        lengths.add(len(questions[i]))
        if rows and (len(rows) + 1) * ((1 if is_quick else len(lengths)) + len(trie.tokens)) > most:
            yield rows
            rows, lengths = [], {len(questions[i])}
        rows.append(i)
    yield rows


def _score_pass(model: nn.Module, questions: Sequence[Tokens], trie: LabelTrie, device: Device) -> Tensor:
    """Give the log-probability of every step in the trie: (B, S)."""
    batch = pad(questions)
    ends = np.array([len(question) - 1 for question in questions])  # (B,) column of each <EMOTION_TYPE>
    input_ids, positions, mask, columns = batch.input_ids, batch.positions, None, ends[:, None]
    if trie.tokens:
        width = input_ids.shape[1]
        input_ids, positions, mask = _append_trie(input_ids, positions, ends, trie)
        nodes = np.tile(np.arange(width, width + len(trie.tokens)), (len(ends), 1))
        columns = np.concatenate([columns, nodes], axis=1)  # (B, 1 + K)
    logits = next_token_logits(model, Question(input_ids, positions, mask, columns), device)  # (B, 1 + K, V)
    at, token = (device.tensor(np.array(part)) for part in trie.steps)  # (S,) each
    return logits.float().log_softmax(dim=2)[:, at, token]


def _append_trie(
    input_ids: IntArray, positions: IntArray, ends: IntArray, trie: LabelTrie
) -> tuple[IntArray, IntArray, Tensor]:
    """Put the trie's inner nodes behind every text, each seeing the text and its own ancestors."""
    rows, width = input_ids.shape
    nodes = len(trie.tokens)
    is_text = np.arange(width) <= ends[:, None]  # (B, T)
    mask = np.zeros((rows, 1, width + nodes, width + nodes), np.bool_)
    mask[:, :, :width, :width] = np.tril(is_text[:, None, :, None] == is_text[:, None, None, :])
    mask[:, 0, width:, :width] = is_text[:, None, :]
    mask[:, :, width:, width:] = trie.ancestry
    with_nodes = np.concatenate([input_ids, np.tile(np.array(trie.tokens), (rows, 1))], axis=1)
    with_depths = np.concatenate([positions, ends[:, None] + 1 + trie.depths], axis=1)
    return with_nodes, with_depths, torch.from_numpy(mask)
