"""One forward pass of any Hugging Face causal language model, with only the logits that are needed.

Shapes: `B` rows, `T` tokens, `P` wanted columns of each row, `V` vocabulary.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel

from buddy.text.batches import IntArray, round_up
from buddy.training.device import Device
from buddy.training.gpt2 import Borders, can_keep_within_borders, find_quick_gpt2


@dataclass(frozen=True)
class Question:
    """What a model reads, and where its next token is wanted.

    Attributes:
        input_ids: (B, T) padded at the right.
        positions: (B, T) place of each token in its own text.
        mask: (B, 1, T, T) bool, true where a token (third axis) may look at another (fourth); or the borders that
            none may look across; ``None`` for the plain causal mask, which is right for rows padded at the right. The
            latter two let the quickest kernels run. Or, for a model that reads no masks, (B, T) the document of each
            token as a batch names it: every document is then read in a row of its own.
        columns: (B, P) the token in column c predicts the one in c + 1.
    """

    input_ids: IntArray
    positions: IntArray
    mask: Tensor | Borders | IntArray | None
    columns: IntArray


def next_token_logits(model: nn.Module, question: Question, device: Device) -> Tensor:
    """Run the model and give the logits that stand at the wanted columns.

    Args:
        model: a causal language model of Hugging Face's, or the quicker one of ``buddy.training.gpt2``.
        question: what it reads.
        device: where the model is, and in which format it multiplies.

    Returns:
        (B, P, V) logits, in the number format of the device.
    """
    quick = find_quick_gpt2(model)
    if quick is not None:
        with device.autocast():
            return quick.lm_head(top_vectors(model, question, device))  # type: ignore[no-any-return]
    with device.autocast(), device.attention(question.input_ids.shape[1]):
        if reads_masks(model):
            row, columns = np.arange(len(question.columns))[:, None], question.columns
            tensors = _tensors(question, device)
            if tensors["attention_mask"] is not None:
                tensors["attention_mask"] = _masks_of_layers(model, tensors, device)
        else:  # padding stands behind, so that neither mask nor positions have anything to say
            input_ids, row, columns = _one_document_a_row(question)
            tensors = {"input_ids": device.tensor(input_ids)}
        union, place = np.unique(columns, return_inverse=True)
        place = place.reshape(columns.shape)  # NumPy 1 gives it flat
        of_all_rows: Tensor = model(**tensors, logits_to_keep=device.tensor(union), use_cache=False).logits
    return of_all_rows[device.tensor(row), device.tensor(place)]


def top_vectors(model: nn.Module, question: Question, device: Device) -> Tensor:
    """Run a quick GPT-2 up to the vectors of which ``lm_head`` makes logits: (B, P, D)."""
    columns = device.tensor(question.columns)
    with device.autocast(), device.attention(question.input_ids.shape[1]):
        return model(**_tensors(question, device), columns=columns)  # type: ignore[no-any-return]


def _tensors(question: Question, device: Device) -> dict[str, Any]:
    return {
        "input_ids": device.tensor(question.input_ids),
        "position_ids": device.tensor(question.positions),
        "attention_mask": question.mask.to(device.name) if isinstance(question.mask, Tensor) else question.mask,
    }


def reads_masks(model: nn.Module) -> bool:
    """Say whether a model honours masks of four axes and positions; ``load_backbone`` has tried it.

    Attention does. Convolutions and states that run along a row do not know where a document begins.
    """
    return getattr(_language_model(model), "reads_masks", True)


def text_config(model: nn.Module) -> PreTrainedConfig | None:
    """Find the facts about a model, also when adapters are wrapped around it, or it can look at images, too."""
    inner = _language_model(model)
    return None if inner is None else inner.config.get_text_config()


def _language_model(model: nn.Module) -> PreTrainedModel | None:
    return next((module for module in model.modules() if isinstance(module, PreTrainedModel)), None)


def _one_document_a_row(question: Question) -> tuple[IntArray, IntArray, IntArray]:
    """Lay packed documents out one by one, padded at the right.

    Returns:
        The rows (one of each document, its tokens), and the row and the column at which each wanted column now stands:
        (B, P) both, or what stretches to it. What was wanted of padding stands anywhere.
    """
    documents = question.mask
    if documents is None:
        return question.input_ids, np.arange(len(question.columns))[:, None], question.columns
    assert isinstance(documents, np.ndarray)  # noqa: S101  (a mask would be passed over in silence)
    here = np.nonzero(documents >= 0)  # N tokens, row by row
    column = question.positions[here]  # (N,)
    row = np.cumsum(column == 0) - 1
    input_ids = np.zeros((row[-1] + 1, round_up(int(column.max()) + 1)), np.int64)
    input_ids[row, column] = question.input_ids[here]
    place = np.zeros((2, *documents.shape), np.int64)
    place[:, here[0], here[1]] = row, column
    rows, columns = np.take_along_axis(place, question.columns[None], axis=2)
    return input_ids, rows, columns


def _masks_of_layers(model: nn.Module, tensors: Mapping[str, Tensor], device: Device) -> Tensor | dict[str, Tensor]:
    """Give the mask as the model adds it to its scores; two of them where some layers look back a few tokens only.

    A model takes a mask of four axes as it is, and forgets its own window (Gemma 3, Mistral). How far back a token
    lies is told by the positions, so that neither packed documents nor branches of labels count twice.
    """
    mask, positions = tensors["attention_mask"], tensors["position_ids"]
    config = text_config(model)
    window, kinds = getattr(config, "sliding_window", None), getattr(config, "layer_types", None)
    if not window or mask.shape[-1] <= window or (kinds and "sliding_attention" not in kinds):
        return _to_add(mask, device)
    is_near = positions[:, None, :, None] - positions[:, None, None, :] < window  # (B, 1, T, T)
    if not kinds:
        return _to_add(mask & is_near, device)
    return {"full_attention": _to_add(mask, device), "sliding_attention": _to_add(mask & is_near, device)}


def _to_add(mask: Tensor, device: Device) -> Tensor:
    """Turn true and false into numbers to add; some architectures add the mask to their scores as it is."""
    return (~mask).to(device.dtype) * torch.finfo(device.dtype).min


def mask_between_documents(
    model: nn.Module, documents: IntArray | None, device: Device
) -> Tensor | Borders | IntArray | None:
    """Say which tokens may look at which, in the way that lets the model run quickest; results differ by rounding.

    Args:
        model: which runs.
        documents: as for ``same_document_mask``; ``None`` when each row holds one document.
        device: where the model is.

    Returns:
        What ``Question`` takes as its mask.
    """
    if documents is None or not reads_masks(model):
        return documents
    quick = find_quick_gpt2(model)
    if quick is not None and can_keep_within_borders(quick, device.name, device.dtype):
        return _borders(documents, device)
    return same_document_mask(documents, device.name)


def _borders(documents: IntArray, device: Device) -> Borders:
    """Find where documents begin; the padding of a row counts as one."""
    begins = np.ones(documents.shape, np.bool_)
    begins[:, 1:] = documents[:, 1:] != documents[:, :-1]
    starts = np.append(np.flatnonzero(begins), documents.size).astype(np.int32)
    return Borders(device.tensor(starts), int(np.diff(starts).max()))


def same_document_mask(documents: IntArray, device_name: str = "cpu") -> Tensor:
    """Say which token may look at which: at itself and earlier ones of its own document.

    Args:
        documents: (B, T) number of the document each token belongs to, -1 for padding.
        device_name: where the mask is wanted; it is made there, being T times as large as ``documents``.

    Returns:
        (B, 1, T, T) bool; ``[b, 0, i, j]`` is true where token i may look at token j. Padding looks at padding:
        a row that may look at nothing would turn into NaN.

    Example:
        >>> same_document_mask(np.array([[0, 0, 1]]))[0, 0].int().tolist()
        [[1, 0, 0], [1, 1, 0], [0, 0, 1]]
    """
    of_token = torch.from_numpy(documents).to(device_name)  # (B, T)
    return (of_token[:, None, :, None] == of_token[:, None, None, :]).tril()
