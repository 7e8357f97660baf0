"""From a checkpoint to a small folder that answers without PyTorch: CTranslate2's format, quantized.

model.bin         the weights; embeddings that are also the output layer are stored once
config.json       vocabulary.json          as CTranslate2 wants them
tokenizer.json    buddy.json               as in the checkpoint, and what was exported
"""

import shutil
from copy import deepcopy
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from ctranslate2 import Generator
from ctranslate2.converters import TransformersConverter

from buddy.errors import UserMistake, quote
from buddy.files import atomic_folder, write_json
from buddy.inference.folder import FACTS_FILE, Quantization, find_model_folder, is_exported, read_record
from buddy.text.render import render_example
from buddy.training.backbone import Backbone, load_backbone, quiet_transformers

TOKENIZER_FILE = "tokenizer.json"

SAMPLE = "I lost my old cat, and it rained all day. What now?"

SAME_ANSWER = 0.01
"""Nats by which two computations of one model in fp32 may differ; in the tests it is less than a thousandth."""


def export_model(source: Path, out: Path, quantization: Quantization = "int8") -> None:
    """Convert a trained model for the CPU.

    Args:
        source: a run, whose best checkpoint is taken, or a checkpoint.
        out: the folder to make, all or nothing.
        quantization: ``int8`` is a quarter of the size and on a CPU the quickest;
            ``float32`` answers as the checkpoint does.

    Raises:
        UserMistake: there is no checkpoint, ``out`` holds something or has no name, or CTranslate2 does not know
            such a model.
    """
    if quantization not in get_args(Quantization):
        raise UserMistake(
            f"The quantization must be one of {', '.join(get_args(Quantization))}, not {quote(quantization)}."
        )
    if not out.name:
        raise UserMistake(f"{out} has no name of its own; name the folder to make with --out.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserMistake(f"{out} exists already; remove it, or name another --out.")
    folder = find_model_folder(source)
    record = read_record(folder)
    if is_exported(folder):
        raise UserMistake(f"{folder} was exported already; name the run or the checkpoint that it was made from.")
    quiet_transformers()
    backbone = load_backbone(str(folder))
    limits = {"max_tokens": min(record["max_tokens"], backbone.positions)}
    _require_reach(backbone, limits["max_tokens"])
    with atomic_folder(out) as temporary:
        _convert(backbone, folder, temporary, "float32")
        _require_same_answers(backbone, temporary, limits["max_tokens"])
        if quantization != "float32":
            _convert(backbone, folder, temporary, quantization)
        shutil.copyfile(folder / TOKENIZER_FILE, temporary / TOKENIZER_FILE)
        exported = {"format": "ctranslate2", "quantization": quantization}
        write_json(temporary / FACTS_FILE, {**record, **limits, "exported": exported})


def _require_reach(backbone: Backbone, max_tokens: int) -> None:
    """Refuse texts that are longer than what some layers look back: CTranslate2 breaks off in the middle of them."""
    config = backbone.model.config
    reach = getattr(config, "sliding_window", None) or max_tokens
    if "sliding_attention" in (getattr(config, "layer_types", None) or ["sliding_attention"]) and max_tokens > reach:
        raise UserMistake(
            f"Some layers of this model look back {reach} tokens only, and CTranslate2 reads no longer texts; "
            f"train it with --max-tokens {reach}."
        )


def _require_same_answers(backbone: Backbone, folder: Path, max_tokens: int) -> None:
    """Refuse an export that says something else than its model: a part of it is unknown to CTranslate2.

    The library converts what it knows and is silent about the rest (the soft caps of Gemma 2).
    """
    (document,) = backbone.codec.encode([render_example(SAMPLE, SAMPLE)], max_tokens)
    ids = document.ids.tolist()
    with torch.inference_mode():
        expected = backbone.model.eval()(torch.tensor([ids])).logits[0].log_softmax(dim=1)
    logits = np.asarray(Generator(str(folder), device="cpu", compute_type="float32").forward_batch([ids]))
    found = torch.from_numpy(logits)[0].log_softmax(dim=1)
    difference = float((found - expected).abs().max())
    if not difference < SAME_ANSWER:
        raise UserMistake(
            f"CTranslate2 computes this kind of model ({backbone.model.config.model_type}) otherwise than PyTorch "
            f"(by {difference:.2g} nats), so it is not exported; use the checkpoint itself."
        )


def _convert(backbone: Backbone, folder: Path, out: Path, quantization: str) -> None:
    converter = _Converter(backbone, folder)
    try:
        converter.convert(str(out), quantization=quantization, force=True)
    except (ValueError, NotImplementedError, KeyError) as error:  # a kind of model, a part, an activation unknown to it
        raise UserMistake(f"CTranslate2 cannot convert {folder}: {_first_words(error)}.") from error


def _first_words(error: Exception) -> str:
    return str(error).split("(supported", maxsplit=1)[0].strip().rstrip(".") or type(error).__name__


def _name_rotary_base(config: Any) -> None:
    """Put the base of rotary positions where the converter looks for it: where transformers 4 had it."""
    rotary = getattr(config, "rope_parameters", None) or {}
    of_layers = {"rope_theta": rotary.get("full_attention", rotary)}
    of_layers["rope_local_base_freq"] = rotary.get("sliding_attention", {})
    for name, parameters in of_layers.items():
        if "rope_theta" in parameters:
            setattr(config, name, parameters["rope_theta"])


class _Converter(TransformersConverter):  # type: ignore[misc]
    """CTranslate2's converter, given a model that was loaded from safetensors; its own would also read pickles."""

    def __init__(self, backbone: Backbone, folder: Path) -> None:
        super().__init__(str(folder))
        self.model = _to_take_apart(backbone)
        self.tokenizer = _as_many_tokens_as_rows(backbone)

    def load_model(self, *_: object, **__: object) -> Any:
        return self.model

    def load_tokenizer(self, *_: object, **__: object) -> Any:
        return self.tokenizer


def _to_take_apart(backbone: Backbone) -> Any:
    """Give a model with the same weights, not a copy of them: the converter takes it apart while it reads it."""
    model = backbone.model
    weights = {id(weight): weight for weight in (*model.parameters(), *model.buffers())}
    taken_apart = deepcopy(model, weights)
    _name_rotary_base(taken_apart.config)
    return taken_apart


def _as_many_tokens_as_rows(backbone: Backbone) -> Any:
    """Give a tokenizer with as many tokens as the model has rows, and a word for what is unknown."""
    tokenizer = deepcopy(backbone.tokenizer)
    rows = backbone.model.get_output_embeddings().weight.shape[0]
    tokenizer.add_tokens([f"<unused-{row}>" for row in range(len(tokenizer), rows)])
    tokenizer.unk_token = tokenizer.unk_token or tokenizer.eos_token
    return tokenizer
