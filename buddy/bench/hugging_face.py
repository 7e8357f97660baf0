"""The model that buddy answers with, as the Hugging Face model that one would otherwise use: the same weights.

Shapes: `D` width, `O` outputs of a layer.
"""

from collections.abc import Mapping
from itertools import count, takewhile
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from buddy.errors import UserMistake
from buddy.inference.folder import EXPORTED_WEIGHTS, is_exported
from buddy.inference.label_head import INT8, Variable, read
from buddy.text.batches import FloatArray
from buddy.training.backbone import load_backbone, quiet_transformers, wrap_tokenizer

NORMS = {"self_attention/layer_norm": "ln_1", "ffn/layer_norm": "ln_2"}
LINEARS = {
    "self_attention/linear_0": "attn.c_attn",
    "self_attention/linear_1": "attn.c_proj",
    "ffn/linear_0": "mlp.c_fc",
    "ffn/linear_1": "mlp.c_proj",
}


def load_as_hugging_face(folder: Path) -> tuple[GPT2LMHeadModel, PreTrainedTokenizerFast]:
    """Load a checkpoint, or what `buddy export` made of a GPT-2, as Hugging Face's own model.

    The 8-bit numbers of an exported model become the floats that they stand for.

    Raises:
        UserMistake: the model is no GPT-2, or was exported in numbers that are not known here.
    """
    quiet_transformers()
    if is_exported(folder):
        model = _from_exported(folder)
        tokenizer = wrap_tokenizer(Tokenizer.from_file(str(folder / "tokenizer.json")))
    else:
        backbone = load_backbone(str(folder))
        if not isinstance(backbone.model.config, GPT2Config):
            raise UserMistake(f"{folder} is no GPT-2, and the comparison knows nothing else.")
        model = GPT2LMHeadModel(backbone.model.config)  # Hugging Face's own forward pass, not buddy's
        model.load_state_dict(backbone.model.state_dict())
        tokenizer = backbone.tokenizer
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.convert_ids_to_tokens(0)
    tokenizer.padding_side = "left"
    model.train(False)
    return model, tokenizer


def _from_exported(folder: Path) -> GPT2LMHeadModel:
    variables = read((folder / EXPORTED_WEIGHTS).read_bytes()).named
    try:
        state = {
            "transformer.wte.weight": _floats(variables, "decoder/embeddings/weight"),
            "transformer.wpe.weight": _floats(variables, "decoder/position_encodings/encodings"),
            **_norm(variables, "decoder/layer_norm", "transformer.ln_f"),
        }
        layers = sum(1 for _ in takewhile(lambda i: f"decoder/layer_{i}/ffn/linear_0/weight" in variables, count()))
        for layer in range(layers):
            ours, theirs = f"decoder/layer_{layer}", f"transformer.h.{layer}"
            for one, other in NORMS.items():
                state |= _norm(variables, f"{ours}/{one}", f"{theirs}.{other}")
            for one, other in LINEARS.items():
                state[f"{theirs}.{other}.weight"] = _floats(variables, f"{ours}/{one}/weight").T  # (D, O)
                state[f"{theirs}.{other}.bias"] = _floats(variables, f"{ours}/{one}/bias")
        heads = int(np.frombuffer(variables["decoder/num_heads"].content, np.int16)[0])
    except KeyError as error:
        raise UserMistake(f"{folder} is no GPT-2 in int8 or floats, and the comparison knows nothing else.") from error
    vocabulary, width = state["transformer.wte.weight"].shape
    model = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=vocabulary,
            n_positions=len(state["transformer.wpe.weight"]),
            n_embd=width,
            n_layer=layers,
            n_head=heads,
            bos_token_id=None,
            eos_token_id=None,
        )
    )
    model.load_state_dict({name: torch.from_numpy(table.copy()) for name, table in state.items()}, strict=False)
    model.tie_weights()
    return model


def _norm(variables: Mapping[str, Variable], ours: str, theirs: str) -> dict[str, FloatArray]:
    return {
        f"{theirs}.weight": _floats(variables, f"{ours}/gamma"),
        f"{theirs}.bias": _floats(variables, f"{ours}/beta"),
    }


def _floats(variables: Mapping[str, Variable], name: str) -> FloatArray:
    """Give a table as floats; of 8-bit numbers each row has a scale by which it was multiplied."""
    variable = variables[name]
    table = variable.numbers().astype(np.float32)
    if variable.kind == INT8:
        table /= _floats(variables, f"{name}_scale")[:, None]
    return table
