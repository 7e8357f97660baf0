"""GPT-2 as it is trained and asked here: the weights of Hugging Face's, the same logits, less work.

The model reads a text from the left to the right. Every token becomes a vector; every layer lets each token look at
those before it (attention) and then thinks about what it saw (the MLP), adding both to the vector; the vector of the
last layer says which token comes next.

What is saved against the general implementation:

- The top layer works only on the tokens whose next one is wanted. A labelled text has two of them, `<EMOTION_TYPE>`
  and the label; the others are needed below, where the two look at them, and no further.
- Dropout draws its random numbers in bulk. One at a time, on a CPU, they cost more than all GELUs, there and back.
- On request a layer keeps only what it was given, and is computed once more when its gradient is wanted.
- Documents that share a row are kept apart without a mask where flash attention knows how, which saves the work that a
  mask throws away.
- On request a layer is compiled: on an accelerator its many small steps then run as a few large ones.

Shapes: `B` rows, `T` tokens, `P` wanted columns of each row, `D` width, `H` heads, `V` vocabulary, `N` documents.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import transformers
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint
from transformers import GPT2Config, PreTrainedConfig

STEPS_OF_CHANCE = 1 << 16
"""Dropout draws 16 bits a number: the share that is dropped is exact to 1/65,536."""

FLASH_WITHIN_BORDERS = "2.11"
"""The first PyTorch whose flash attention takes borders, and a window beside them."""

HEAD_WIDTHS_OF_FLASH = range(8, 257, 8)
"""What flash attention computes; a model with other heads gets a mask."""

ITSELF_AND_BEFORE = (-1, 0)
"""What a token looks at, in tokens to the left and to the right; -1: all."""


class Borders(NamedTuple):
    """Where documents begin when all rows are read as one; no token looks across a border."""

    starts: Tensor  # (N + 1,) int32: the first token of each document among the B * T, and B * T
    longest: int


class GPT2LMHeadModel(transformers.GPT2LMHeadModel):  # type: ignore[no-untyped-call]
    """Hugging Face's model of the same name, with a way to ask for the next token of some columns only.

    Asked as Hugging Face's it is Hugging Face's. Adapters of PEFT work in both.
    """

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        self.run_layer: Callable[..., Tensor] = run_layer
        self.recomputes_layers = False

    def forward(self, *arguments: Any, columns: Tensor | None = None, **named: Any) -> Any:
        """Give what Hugging Face's model gives; with ``columns`` (B, P) the top vectors there, (B, P, D).

        The vectors times ``lm_head`` are the logits. Whoever needs them for a loss can do that in small pieces.
        """
        if columns is None:
            return super().forward(*arguments, **named)
        return self._read(named["input_ids"], named["position_ids"], named["attention_mask"], columns)

    def _read(self, input_ids: Tensor, positions: Tensor, mask: Tensor | Borders | None, columns: Tensor) -> Tensor:
        """Run all layers: (B, T) tokens in, the (B, P, D) vectors of the wanted columns out."""
        body = self.transformer
        x = _drop(body.wte(input_ids) + body.wpe(positions), body.drop)  # (B, T, D)
        for layer in body.h[:-1]:
            x = self._run(layer, x, mask)
        return body.ln_f(self._run(body.h[-1], x, mask, columns))  # type: ignore[no-any-return]

    def _run(self, *arguments: Any) -> Tensor:
        if not self.recomputes_layers or not torch.is_grad_enabled():
            return self.run_layer(*arguments)
        return checkpoint(self.run_layer, *arguments, use_reentrant=False)  # type: ignore[no-any-return]

    def compile_layers(self) -> None:
        """Learn with compiled code from now on: one piece of it serves all layers, and rows of any size.

        Without gradients the layers run as they did. That would be code of its own, and compiling takes longer than
        what evaluations during training would gain.
        """
        compiled = torch.compile(run_layer, dynamic=True)

        def run(*inputs: Any) -> Tensor:
            return compiled(*inputs) if torch.is_grad_enabled() else run_layer(*inputs)

        self.run_layer = run


def run_layer(layer: Any, x: Tensor, mask: Tensor | Borders | None, columns: Tensor | None = None) -> Tensor:
    """Let tokens look at those before them, then think: (B, T, D) in, (B, T, D) or (B, P, D) out."""
    query, key, value = layer.attn.c_attn(layer.ln_1(x)).chunk(3, dim=2)  # (B, T, D) each
    if isinstance(mask, Borders):
        seen = _look_within(mask, query, key, value, layer.attn.num_heads)
        if columns is not None:
            seen, x = _at(columns, seen), _at(columns, x)  # (B, P, D)
    else:
        if columns is not None:
            mask = _looks_back(columns, x.shape[1]) if mask is None else _at(columns, mask[:, 0])[:, None]
            query, x = _at(columns, query), _at(columns, x)  # (B, P, D)
        query, key, value = (_split_heads(part, layer.attn.num_heads) for part in (query, key, value))
        dropout = layer.attn.attn_dropout.p if layer.training else 0.0
        seen = functional.scaled_dot_product_attention(query, key, value, mask, dropout, is_causal=mask is None)
        seen = seen.transpose(1, 2).reshape(x.shape)
    x = x + _drop(layer.attn.c_proj(seen), layer.attn.resid_dropout)
    thought = layer.mlp.c_proj(layer.mlp.act(layer.mlp.c_fc(layer.ln_2(x))))
    return x + _drop(thought, layer.mlp.dropout)


def _look_within(borders: Borders, query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """Let tokens look at those before them in their own document: (B, T, D) in, (B, T, D) out."""
    from torch.nn.attention.varlen import varlen_attn

    in_one_row = (-1, heads, query.shape[2] // heads)
    seen = varlen_attn(
        query.reshape(in_one_row),
        key.reshape(in_one_row),
        value.reshape(in_one_row),
        borders.starts,
        borders.starts,
        borders.longest,
        borders.longest,
        window_size=ITSELF_AND_BEFORE,
    )
    return seen.reshape(query.shape)  # type: ignore[union-attr]


def can_keep_within_borders(model: "GPT2LMHeadModel", device_name: str, dtype: torch.dtype) -> bool:
    """Say whether borders can keep documents apart: by flash attention, which wants bf16 and drops nothing."""
    config = model.config
    drops = model.training and config.attn_pdrop > 0
    has_it = torch.__version__ >= FLASH_WITHIN_BORDERS and config.n_embd // config.n_head in HEAD_WIDTHS_OF_FLASH
    return device_name == "cuda" and dtype == torch.bfloat16 and has_it and not drops


def _at(columns: Tensor, x: Tensor) -> Tensor:
    """Take the wanted columns of each row: (B, T, …) to (B, P, …)."""
    return x[torch.arange(len(columns), device=x.device)[:, None], columns]


def _looks_back(columns: Tensor, tokens: int) -> Tensor:
    """Say which tokens each of the columns may look at: (B, P) in, (B, 1, P, T) bool out."""
    return torch.arange(tokens, device=columns.device) <= columns[:, None, :, None]


def _split_heads(x: Tensor, heads: int) -> Tensor:
    """(B, T, D) to (B, H, T, D / H)."""
    return x.view(*x.shape[:2], heads, -1).transpose(1, 2)


def _drop(x: Tensor, dropout: nn.Dropout) -> Tensor:
    """Dropout with 64 random bits a draw for four numbers; PyTorch's own draws one after the other on a CPU."""
    if not dropout.training or dropout.p == 0 or x.device.type != "cpu":
        return dropout(x)  # type: ignore[no-any-return]
    bits = torch.empty(x.numel() // 4 + 1, dtype=torch.int64).random_(-(2**63), None).view(torch.int16)
    dropped = round(dropout.p * STEPS_OF_CHANCE)
    keep = bits[: x.numel()].view(x.shape) >= dropped - STEPS_OF_CHANCE // 2
    return x * (keep.to(x.dtype) * (STEPS_OF_CHANCE / (STEPS_OF_CHANCE - dropped)))


def can_be_quick(config: PreTrainedConfig) -> bool:
    """Say whether a model is a GPT-2 as OpenAI trained it; a few later ones scale their attention otherwise."""
    unusual = ("scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn", "add_cross_attention")
    return (
        config.model_type == "gpt2"
        and getattr(config, "scale_attn_weights", True)
        and not any(getattr(config, name, False) for name in unusual)
    )


def find_quick_gpt2(model: nn.Module) -> GPT2LMHeadModel | None:
    """Find the quick model, also when adapters or several processes are wrapped around it."""
    return next((module for module in model.modules() if isinstance(module, GPT2LMHeadModel)), None)
