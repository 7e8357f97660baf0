"""One forward pass of any Hugging Face causal language model, with only the logits that are needed.

Shapes: `B` rows, `T` tokens, `P` columns whose logits are wanted, `V` vocabulary.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from buddy.text.batches import IntArray
from buddy.training.device import Device

BoolArray = npt.NDArray[np.bool_]


def next_token_logits(
    model: nn.Module,
    input_ids: IntArray,
    positions: IntArray,
    mask: BoolArray | None,
    columns: IntArray,
    device: Device,
) -> Tensor:
    """Run the model and give the logits that stand at some columns.

    Args:
        model: a Hugging Face causal language model.
        input_ids: (B, T) padded at the right.
        positions: (B, T) place of each token in its own text.
        mask: (B, 1, T, T) true where a token (third axis) may look at another (fourth); ``None`` for the plain
            causal mask, which is right for rows padded at the right and lets the quickest kernels run.
        columns: (P,) the token in column c predicts the one in c + 1.
        device: where the model is, and in which format it multiplies.

    Returns:
        (B, P, V) logits, in the number format of the device.
    """
    with device.autocast(), device.attention(input_ids.shape[1]):
        output = model(
            input_ids=torch.from_numpy(input_ids).to(device.name),
            position_ids=torch.from_numpy(positions).to(device.name),
            attention_mask=None if mask is None else torch.from_numpy(mask).to(device.name),
            logits_to_keep=torch.from_numpy(columns).to(device.name),
            use_cache=False,
        )
    logits: Tensor = output.logits
    return logits


def same_document_mask(documents: IntArray) -> BoolArray:
    """Say which token may look at which: at itself and earlier ones of its own document.

    Args:
        documents: (B, T) number of the document each token belongs to, -1 for padding.

    Returns:
        (B, 1, T, T) bool; ``[b, 0, i, j]`` is true where token i may look at token j. Padding looks at padding:
        a row that may look at nothing would turn into NaN.

    Example:
        >>> same_document_mask(np.array([[0, 0, 1]]))[0, 0].astype(int).tolist()
        [[1, 0, 0], [1, 1, 0], [0, 0, 1]]
    """
    same = documents[:, None, :, None] == documents[:, None, None, :]
    mask: BoolArray = np.tril(same)
    return mask
