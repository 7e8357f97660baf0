"""The one loss: next-token cross-entropy over learned tokens, as a sum and a count.

Shapes: `B` rows, `T` tokens, `P` columns in which any row learns something, `N` learned tokens, `V` vocabulary.
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
        model: a Hugging Face causal language model (its ``logits_to_keep`` takes column numbers).
        batch: as ``pad`` or ``pack`` make it.
        device: where the model is, and in which format it multiplies.
    """
    learned = np.flatnonzero((batch.weights > 0).any(axis=0))  # (P,) columns of the targets
    if len(learned) == 0:
        return LossSum(torch.zeros((), device=device.name), 0.0)
    mask = None if batch.documents is None else same_document_mask(batch.documents)
    logits = next_token_logits(model, batch.input_ids, batch.positions, mask, learned - 1, device)  # (B, P, V)
    targets = torch.from_numpy(batch.input_ids[:, learned]).to(device.name)  # (B, P)
    weights = torch.from_numpy(batch.weights[:, learned]).to(device.name)  # (B, P)
    here = weights > 0
    losses = functional.cross_entropy(logits[here].float(), targets[here], reduction="none")  # (N,)
    return LossSum((losses * weights[here]).sum(), float(batch.weights.sum()))
