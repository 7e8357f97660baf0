"""The one loss: next-token cross-entropy over learned tokens, as a sum and a count.

Shapes: `B` rows, `T` tokens, `P` learned tokens of the row that has most, `N` of all rows, `V` vocabulary.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from buddy.text.batches import Batch
from buddy.training.device import Device
from buddy.training.forward import next_token_logits, same_document_mask


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
    learned = batch.weights > 0  # (B, T)
    most = int(learned.sum(axis=1).max())
    if most == 0:
        return LossSum(torch.zeros((), device=device.name), 0.0)
    targets = np.argsort(~learned, axis=1, kind="stable")[:, :most]  # (B, P) learned columns first, in order
    mask = None if batch.documents is None else same_document_mask(batch.documents)
    before = np.maximum(targets - 1, 0)
    logits = next_token_logits(model, batch.input_ids, batch.positions, mask, before, device)  # (B, P, V)
    here = np.take_along_axis(learned, targets, axis=1)  # (B, P) false where a row has fewer learned tokens
    ids = torch.from_numpy(np.take_along_axis(batch.input_ids, targets, axis=1)[here]).to(device.name)  # (N,)
    weights = torch.from_numpy(np.take_along_axis(batch.weights, targets, axis=1)[here]).to(device.name)  # (N,)
    losses = functional.cross_entropy(logits[torch.from_numpy(here)].float(), ids, reduction="none")  # (N,)
    return LossSum((losses * weights).sum(), float(batch.weights.sum()))
