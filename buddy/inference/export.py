"""From a checkpoint to a small folder that answers without PyTorch: CTranslate2's format, quantized.

model.bin         the weights; embeddings that are also the output layer are stored once
config.json       vocabulary.json          as CTranslate2 wants them
tokenizer.json    buddy.json               as in the checkpoint, and what was exported
"""

import shutil
from copy import deepcopy
from pathlib import Path
from typing import Any, get_args

from ctranslate2.converters import TransformersConverter

from buddy.errors import UserMistake, quote
from buddy.files import atomic_folder, write_json
from buddy.inference.folder import FACTS_FILE, Quantization, find_model_folder, is_exported, read_record
from buddy.training.backbone import Backbone, load_backbone, quiet_transformers

TOKENIZER_FILE = "tokenizer.json"


def export_model(source: Path, out: Path, quantization: Quantization = "int8") -> None:
    """Convert a trained model for the CPU.

    Args:
        source: a run, whose best checkpoint is taken, or a checkpoint.
        out: the folder to make, all or nothing.
        quantization: ``int8`` is a quarter of the size and on a CPU the quickest;
            ``float32`` answers as the checkpoint does.

    Raises:
        UserMistake: there is no checkpoint, ``out`` holds something, or CTranslate2 does not know such a model.
    """
    if quantization not in get_args(Quantization):
        raise UserMistake(
            f"The quantization must be one of {', '.join(get_args(Quantization))}, not {quote(quantization)}."
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserMistake(f"{out} exists already; remove it, or name another --out.")
    folder = find_model_folder(source)
    record = read_record(folder)
    if is_exported(folder):
        raise UserMistake(f"{folder} was exported already; name the run or the checkpoint that it was made from.")
    quiet_transformers()
    backbone = load_backbone(str(folder))
    with atomic_folder(out) as temporary:
        _convert(backbone, folder, temporary, quantization)
        shutil.copyfile(folder / TOKENIZER_FILE, temporary / TOKENIZER_FILE)
        exported = {"format": "ctranslate2", "quantization": quantization}
        limits = {"max_tokens": min(record["max_tokens"], backbone.positions)}
        write_json(temporary / FACTS_FILE, {**record, **limits, "exported": exported})


def _convert(backbone: Backbone, folder: Path, out: Path, quantization: str) -> None:
    try:
        _Converter(backbone, folder).convert(str(out), quantization=quantization, force=True)
    except (ValueError, KeyError, AttributeError, NotImplementedError) as error:  # raised for what it does not know
        raise UserMistake(f"CTranslate2 cannot convert {folder}: {_first_words(error)}.") from error


def _first_words(error: Exception) -> str:
    return str(error).split("(supported", maxsplit=1)[0].strip().rstrip(".") or type(error).__name__


class _Converter(TransformersConverter):  # type: ignore[misc]
    """CTranslate2's converter, given a model that was loaded from safetensors; its own would also read pickles."""

    def __init__(self, backbone: Backbone, folder: Path) -> None:
        super().__init__(str(folder))
        self.backbone = backbone

    def load_model(self, *_: object, **__: object) -> Any:
        return self.backbone.model

    def load_tokenizer(self, *_: object, **__: object) -> Any:
        """Give a tokenizer with as many tokens as the model has rows, and a word for what is unknown."""
        tokenizer = deepcopy(self.backbone.tokenizer)
        rows = self.backbone.model.get_output_embeddings().weight.shape[0]
        tokenizer.add_tokens([f"<unused-{row}>" for row in range(len(tokenizer), rows)])
        tokenizer.unk_token = tokenizer.unk_token or tokenizer.eos_token
        return tokenizer
