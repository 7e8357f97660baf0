"""One forward pass of any Hugging Face causal language model, with only the logits that are needed.

Shapes: `B` rows, `T` tokens, `P` wanted columns of each row, `V` vocabulary.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from buddy.text.batches import IntArray
from buddy.training.device import Device
from buddy.training.gpt2 import is_quick_gpt2

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
        model: a causal language model of Hugging Face's, or the quicker one of ``buddy.training.gpt2``.
        input_ids: (B, T) padded at the right.
        positions: (B, T) place of each token in its own text.
        mask: (B, 1, T, T) true where a token (third axis) may look at another (fourth); ``None`` for the plain
            causal mask, which is right for rows padded at the right and lets the quickest kernels run.
        columns: (B, P) the token in column c predicts the one in c + 1.
        device: where the model is, and in which format it multiplies.

    Returns:
        (B, P, V) logits, in the number format of the device.
    """
    given = {"input_ids": input_ids, "position_ids": positions, "attention_mask": mask}
    tensors = {
        name: None if array is None else torch.from_numpy(array).to(device.name) for name, array in given.items()
    }
    wanted = torch.from_numpy(columns).to(device.name)
    with device.autocast(), device.attention(input_ids.shape[1]):
        if is_quick_gpt2(model):
            logits: Tensor = model(**tensors, columns=wanted).logits
            return logits
        union, place = torch.unique(wanted, return_inverse=True)
        of_all_rows: Tensor = model(**tensors, logits_to_keep=union, use_cache=False).logits
    return of_all_rows[torch.arange(len(columns), device=wanted.device)[:, None], place]


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
