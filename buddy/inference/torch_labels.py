"""The scores of all labels from a PyTorch model, for labels of any number of tokens in one forward pass.

The inner nodes of the labels' trie are appended to the text as if they were one more sentence, and an attention mask
lets each see the text and its own ancestors only: the text is computed once, and one pass gives every
log-probability that any label needs.

Shapes: `N` texts, `E` labels, `B` rows, `T` tokens of the longest text, `K` inner nodes without the root.

Source: the tree-shaped attention mask is that of Miao et al. 2023, "SpecInfer", section 4.2, there for drafts.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from buddy.inference.engine import split_by_length
from buddy.inference.labels import LabelTrie, Scores, add_up
from buddy.text.batches import IntArray, pad
from buddy.text.tokenizer import Tokens
from buddy.training.device import Device
from buddy.training.forward import Question, next_token_logits

TOKENS_PER_PASS = {"cpu": 8_192, "mps": 8_192, "cuda": 65_536}
"""As many as keep the device busy."""

TOKENS_PER_PASS_WITH_TRIE = 8_192
"""Where labels have several tokens each text has logits for all of them, and these fill the memory."""


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
    scores = np.empty((len(questions), len(trie.paths)))
    most = max_tokens_per_pass or (TOKENS_PER_PASS_WITH_TRIE if trie.tokens else TOKENS_PER_PASS[device.name])
    found: list[tuple[list[int], Tensor]] = []
    for rows in split_by_length(questions, most, len(trie.tokens)):
        with torch.no_grad():  # training asks, too: see loop._count
            found.append((rows, _score_pass(model, [questions[i] for i in rows], trie, device)))
    for rows, at_steps in found:  # not before: an accelerator that is asked for a result waits for the next pass
        scores[rows] = add_up(at_steps.cpu().double().numpy(), trie)
    return scores


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
