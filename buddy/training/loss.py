"""The one loss: next-token cross-entropy over learned tokens, as a sum and a count.

Where a teacher says how likely every label is, its probabilities are learned like a token that is a bit of each.

Shapes: `B` rows, `T` tokens, `P` learned tokens of the row that has most, `N` of all rows, `D` width, `V` vocabulary,
`E` labels.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from buddy.text.batches import Batch, IntArray, SoftLabels
from buddy.training.device import Device
from buddy.training.forward import Question, mask_between_documents, next_token_logits, top_vectors
from buddy.training.gpt2 import find_quick_gpt2

ROWS_AT_ONCE = {"cpu": 512, "mps": 512, "cuda": 8192}
"""So many rows of logits are computed, used and forgotten at a time: on a CPU 17 MB with 8k tokens. An accelerator
wants larger pieces: 1.6 GB with GPT-2's 50k."""

ROWS_IN_STEPS_OF = 32
"""The rows are filled up with some that weigh nothing, so that few different shapes occur (see ``round_up``)."""


@dataclass(frozen=True)
class LossSum:
    """A loss that can be added up over batches of any size before it is divided once."""

    total: Tensor  # () summed weighted cross-entropy in nats, with its graph when training
    weight: float  # the summed weights: the number of learned tokens when each counts 1


def learned_loss(model: nn.Module, batch: Batch, device: Device) -> LossSum:
    """Sum the cross-entropy of the tokens that are learned.

    Logits are only computed for the columns that predict one: with a vocabulary of 50,000 the output layer is
    a third of GPT-2's arithmetic, and a labelled text has two learned tokens.

    Args:
        model: as ``next_token_logits`` takes it.
        batch: as ``pad`` or ``pack`` make it.
        device: where the model is, and in which format it multiplies.
    """
    soft = batch.soft_labels
    learned = batch.weights > 0 if soft is None else (batch.weights > 0) | (soft.which >= 0)  # (B, T)
    most = max(1, int(learned.sum(axis=1).max()))  # at least one, so that a loss of nothing has a gradient, too
    targets = np.argsort(~learned, axis=1, kind="stable")[:, :most]  # (B, P) learned columns first, in order
    here = np.take_along_axis(learned, targets, axis=1)  # (B, P) false where a row has fewer learned tokens
    ids, weights = (
        device.tensor(np.take_along_axis(values, targets, axis=1)[here])  # (N,)
        for values in (batch.input_ids, batch.weights)
    )
    teaching = None if soft is None else _teaching(soft, np.take_along_axis(soft.which, targets, axis=1)[here], device)
    mask = mask_between_documents(model, batch.documents, device)
    question = Question(batch.input_ids, batch.positions, mask, np.maximum(targets - 1, 0))
    targets_of_rows = Targets(ids, weights, teaching)
    places = device.tensor(np.flatnonzero(here))  # (N,) of the B * P
    total = _sum_losses(model, question, places, targets_of_rows, device)
    return LossSum(total, learned_weight(batch))


@dataclass(frozen=True)
class Targets:
    """What N rows of logits are to learn: a token with a weight, and, where there is a teacher, a soft label."""

    ids: Tensor  # (N,)
    weights: Tensor  # (N,)
    teaching: tuple[Tensor, Tensor] | None  # (E,) tokens of the labels, (N, E) probabilities, 0 without a teacher


def learned_weight(batch: Batch) -> float:
    """Give what the loss of a batch is divided by: the weights of its tokens, and 1 for each soft label."""
    return float(batch.weights.sum()) + (0 if batch.soft_labels is None else len(batch.soft_labels.probabilities))


def _teaching(soft: SoftLabels, which: IntArray, device: Device) -> tuple[Tensor, Tensor]:
    """Give the labels' tokens, and for each learned token (N,) the teacher's probabilities: (E,), (N, E)."""
    probabilities = soft.probabilities[which] * (which >= 0)[:, None]
    return device.tensor(soft.token_ids), device.tensor(probabilities)


def _sum_losses(model: nn.Module, question: Question, places: Tensor, targets: Targets, device: Device) -> Tensor:
    quick = find_quick_gpt2(model)
    if quick is None or not isinstance(quick.lm_head, nn.Linear):
        logits = next_token_logits(model, question, device).flatten(0, 1)[places]  # (N, V)
        log_probabilities = logits.float().log_softmax(dim=1)
        return -_weighted_sum(log_probabilities, targets, slice(None))
    vectors = top_vectors(model, question, device).flatten(0, 1)[places].to(device.dtype)  # (N, D)
    extra = -len(vectors) % ROWS_IN_STEPS_OF
    vectors = functional.pad(vectors, (0, 0, 0, extra))
    total: Tensor = _OutputLayerLoss.apply(  # type: ignore[no-untyped-call]
        vectors, quick.lm_head.weight, _lengthened(targets, extra), torch.is_grad_enabled()
    )
    return total


def _lengthened(targets: Targets, extra: int) -> Targets:
    """Add rows that weigh nothing."""
    teaching = targets.teaching
    return Targets(
        functional.pad(targets.ids, (0, extra)),
        functional.pad(targets.weights, (0, extra)),
        None if teaching is None else (teaching[0], functional.pad(teaching[1], (0, 0, 0, extra))),
    )


def _weighted_sum(log_probabilities: Tensor, targets: Targets, rows: slice) -> Tensor:
    """Sum the log-probabilities of what some rows (n) are to learn; ``log_probabilities`` (n, V) are theirs."""
    of_tokens = log_probabilities.gather(1, targets.ids[rows, None])[:, 0]  # (n,)
    total = (of_tokens * targets.weights[rows]).sum()
    if targets.teaching is not None:
        label_ids, probabilities = targets.teaching
        total = total + (log_probabilities[:, label_ids] * probabilities[rows]).sum()
    return total


class _OutputLayerLoss(torch.autograd.Function):
    """Output layer, softmax and cross-entropy in one, a few rows at a time.

    The gradient of a cross-entropy is the softmax minus the truth, so it can be had while the logits are at hand;
    the (N, V) logits, many times larger than all else in a small model, are never kept.
    """

    @staticmethod
    def forward(context: Any, vectors: Tensor, output: Tensor, targets: Targets, is_learning: bool) -> Tensor:
        """Sum weighted losses: vectors (N, D), output (V, D)."""
        total = torch.zeros((), device=vectors.device)
        to_vectors = torch.empty_like(vectors) if is_learning else None
        to_output = torch.zeros_like(output) if is_learning and context.needs_input_grad[1] else None
        output = output.to(vectors.dtype)
        rows_at_once = ROWS_AT_ONCE[vectors.device.type]
        for start in range(0, len(vectors), rows_at_once):
            rows = slice(start, start + rows_at_once)
            log_probabilities = (vectors[rows] @ output.T).float().log_softmax(dim=1)  # (n, V)
            total -= _weighted_sum(log_probabilities, targets, rows)
            if to_vectors is None:
                continue
            to_logits = _gradient(log_probabilities, targets, rows).to(output.dtype)
            to_vectors[rows] = to_logits @ output
            if to_output is not None:
                to_output += to_logits.T @ vectors[rows]
        context.save_for_backward(to_vectors, to_output)
        return total

    @staticmethod
    def backward(context: Any, *scale: Tensor) -> tuple[Tensor, Tensor | None, None, None]:
        """Scale the gradients that are there already."""
        to_vectors, to_output = context.saved_tensors
        return to_vectors.mul_(scale[0]), None if to_output is None else to_output.mul_(scale[0]), None, None


def _gradient(log_probabilities: Tensor, targets: Targets, rows: slice) -> Tensor:
    """Give what the logits of some rows must change: (n, V); ``log_probabilities`` is overwritten."""
    weights = targets.weights[rows, None]  # (n, 1)
    if targets.teaching is None:
        return log_probabilities.exp_().mul_(weights).scatter_add_(1, targets.ids[rows, None], -weights)
    label_ids, probabilities = targets.teaching[0], targets.teaching[1][rows]
    gradient = log_probabilities.exp_().mul_(weights + probabilities.sum(dim=1, keepdim=True))
    gradient.scatter_add_(1, targets.ids[rows, None], -weights)
    return gradient.index_add_(1, label_ids, -probabilities)
