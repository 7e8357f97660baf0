"""The model that a run starts from: from the hub, from a folder, or new."""

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GPT2Config,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)
from transformers.utils import logging as transformers_logging

from buddy.errors import UserMistake
from buddy.models import find_model
from buddy.text.batches import IntArray
from buddy.text.render import EMOTION_TYPE, END, LISTENER, SPEAKER
from buddy.text.tokenizer import Codec, make_codec, train_tokenizer
from buddy.training.device import Device
from buddy.training.forward import Question, next_token_logits, same_document_mask, text_config
from buddy.training.gpt2 import GPT2LMHeadModel, can_be_quick, find_quick_gpt2

if TYPE_CHECKING:
    from peft import PeftModel

LORA_SCALE = 2
"""alpha = 2 × rank, the usual choice: the size of an update does not change when the rank does."""

ROUNDING = 1e-4
"""Logits of one text in another layout differ by less than this share of the largest; fp32 has seven digits."""

FIRST_ASKED = 3
"""A trial does not ask for all columns: a model that gives all of them, whatever is asked, must not go unnoticed."""

WINDOWS_OF_COLUMNS = ("window_size", "attention_chunk_size")
"""What GPT-Neo and Llama 4 call how far some layers look back, whatever a mask says: a short trial would not notice."""


@dataclass(frozen=True)
class Shape:
    """The size of a new GPT-2."""

    layers: int
    width: int
    heads: int
    positions: int = 512
    embedding_rows: int = 0  # 0: as many as the tokenizer has tokens


SCRATCH_SHAPES = {
    "scratch:tiny": Shape(layers=2, width=64, heads=2),  # a toy that trains in seconds, to try things out
    "scratch:small": Shape(layers=6, width=384, heads=6),  # 14M parameters with 8k tokens
    "scratch:gpt2": Shape(layers=12, width=768, heads=12, positions=1024, embedding_rows=50_257),  # GPT-2: 124M
}


@dataclass(frozen=True)
class Backbone:
    """A causal language model with its tokenizer, both knowing our special tokens."""

    model: "PreTrainedModel | PeftModel"
    tokenizer: PreTrainedTokenizerFast
    codec: Codec

    @property
    def positions(self) -> int:
        """How many tokens the model can read at once."""
        limit = getattr(text_config(self.model), "max_position_embeddings", None)
        return int(limit) if limit else sys.maxsize

    def parameters(self) -> tuple[int, int]:
        """Count all parameters and the trained ones."""
        sizes = [(p.numel(), p.requires_grad) for p in self.model.parameters()]
        return sum(n for n, _ in sizes), sum(n for n, trained in sizes if trained)


def new_tokenizer(texts: Iterable[str], labels: Sequence[str], vocabulary_size: int) -> PreTrainedTokenizerFast:
    """Train a tokenizer.

    Args:
        texts: what it learns from; the *training* texts, or the split would leak.
        labels: their words become one token each.
        vocabulary_size: upper limit.
    """
    return wrap_tokenizer(train_tokenizer(texts, labels, vocabulary_size))


def wrap_tokenizer(backend: Tokenizer) -> PreTrainedTokenizerFast:
    """Give a tokenizer the form in which it is saved beside a model."""
    return PreTrainedTokenizerFast(tokenizer_object=backend, bos_token=END, eos_token=END)  # type: ignore[no-untyped-call]


def new_backbone(name: str, tokenizer: PreTrainedTokenizerFast) -> Backbone:
    """Make a GPT-2-shaped model with random weights.

    Args:
        name: a key of ``SCRATCH_SHAPES``.
        tokenizer: with our special tokens.

    Raises:
        UserMistake: there is no such shape.
    """
    if name not in SCRATCH_SHAPES:
        raise UserMistake(f"There is no shape {name!r}; choose one of {', '.join(SCRATCH_SHAPES)}.")
    shape, backend = SCRATCH_SHAPES[name], tokenizer.backend_tokenizer
    end = backend.token_to_id(END)
    config = GPT2Config(
        vocab_size=max(shape.embedding_rows, backend.get_vocab_size()),
        n_layer=shape.layers,
        n_embd=shape.width,
        n_head=shape.heads,
        n_positions=shape.positions,
        activation_function="gelu_pytorch_tanh",  # the same function as GPT-2's "gelu_new", in one kernel
        attn_pdrop=0.0,
        bos_token_id=end,
        eos_token_id=end,
    )
    return Backbone(GPT2LMHeadModel(config), tokenizer, make_codec(backend))


def set_dropout(model: "PreTrainedModel | PeftModel", dropout: float) -> None:
    """Set the dropout of a GPT-2, on embeddings and residual branches; other architectures keep their own.

    None inside attention, where it would rule out the fused kernels and has little to hold back.
    """
    if not isinstance(model, GPT2LMHeadModel):
        return
    model.config.embd_pdrop = model.config.resid_pdrop = dropout
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = model.config.attn_pdrop if name.endswith("attn_dropout") else dropout


def recompute_layers(model: "PreTrainedModel | PeftModel") -> None:
    """Let a model keep only what each layer was given, and compute the layer again when its gradient is wanted.

    The result is the same, dropout included: chance is put back to where it was before a layer is run again. So must
    the choice of attention be: what surrounds the forward pass (``Device.attention``) must surround the backward pass.

    Raises:
        UserMistake: the architecture cannot; training would run out of the memory that was to be saved.

    Source:
        Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost", section 3, with the layers as segments.
    """
    quick = find_quick_gpt2(model)
    if quick is not None:
        quick.recomputes_layers = True
        return
    try:
        enable = getattr(model, "activation_checkpointing_enable", None)
        enable = enable or model.gradient_checkpointing_enable  # its old name, which goes with transformers 6
        enable({"use_reentrant": False})
    except ValueError as error:
        kind = model.config.model_type
        raise UserMistake(f"A model of the kind {kind} has no gradient checkpointing; leave the option out.") from error


def load_backbone(name: str) -> Backbone:
    """Load a causal language model from a folder or the hub, and teach its tokenizer our special tokens.

    Only safetensors are read: a pickle from a stranger can run code.

    Args:
        name: ``base``, which comes with buddy; a folder in Hugging Face format; or a hub name such as ``gpt2``.
            ``HF_ENDPOINT`` and ``HF_HUB_OFFLINE`` are honoured.

    Raises:
        UserMistake: there is no such model, or it is no causal language model, or one that cannot be asked.
    """
    name = str(find_model(name) or name)
    os.environ["DISABLE_SAFETENSORS_CONVERSION"] = "1"  # else a robot of the hub is asked to convert pickles
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
        config = AutoConfig.from_pretrained(name)
        if getattr(config, "activation_function", None) == "gelu_new":
            config.activation_function = "gelu_pytorch_tanh"
        kind = GPT2LMHeadModel if can_be_quick(config) else AutoModelForCausalLM
        model = _load_whole(kind, name, config)
    except Exception as error:  # the libraries raise whatever they like, down to a bare Exception
        raise UserMistake(_explain_missing(name, error)) from error
    _try_out(model, name)
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise UserMistake(f"The tokenizer of {name!r} has no fast form (tokenizer.json); choose another model.")
    special_ids = _add_special_tokens(model, tokenizer)
    return Backbone(model, tokenizer, make_codec(tokenizer.backend_tokenizer, special_ids))


def quiet_transformers() -> None:
    """Keep the library from drawing bars of its own into ours."""
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def add_lora(backbone: Backbone, rank: int) -> Backbone:
    """Freeze a model and train low-rank adapters beside its matrices, and the rows of our special tokens.

    Raises:
        UserMistake: a rank above the model's width: such adapters are larger than what they adapt.

    Source:
        Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models".
    """
    from peft import LoraConfig, get_peft_model

    model = backbone.model
    assert isinstance(model, PreTrainedModel)  # noqa: S101  (a model is adapted once)
    width = _embedding_tables(model)[0].shape[1]
    if rank > width:
        raise UserMistake(f"lora_rank must be at most the model's width, {width}, not {rank}.")
    config = LoraConfig(
        r=rank,
        lora_alpha=LORA_SCALE * rank,
        target_modules="all-linear",
        trainable_token_indices=_rows_to_train(model, sorted(set(backbone.codec.special_ids.values()))),
        task_type="CAUSAL_LM",
        fan_in_fan_out=model.config.model_type == "gpt2",  # GPT-2 stores its matrices transposed
    )
    return Backbone(get_peft_model(model, config), backbone.tokenizer, backbone.codec)


def _rows_to_train(model: PreTrainedModel, ids: list[int]) -> dict[str, list[int]]:
    """Name the rows of tokens in the input embeddings and, where they have rows of their own, the output embeddings.

    An output row that stays at the mean of its spelling could never become the likeliest: no reply would end.
    """
    ends = (model.get_input_embeddings(), model.get_output_embeddings())  # type: ignore[no-untyped-call]
    modules = ends if len(_embedding_tables(model)) == len(ends) else ends[:1]
    return {name: ids for name, module in model.named_modules() if any(module is one for one in modules)}


def _add_special_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> dict[str, int]:
    """Give every special token an id; the end of text is the tokenizer's own, a habit that a model should keep."""
    end = tokenizer.eos_token if isinstance(tokenizer.eos_token, str) else END
    spelled = {
        token: tokenizer.backend_tokenizer.encode(token, add_special_tokens=False).ids
        for token in (EMOTION_TYPE, SPEAKER, LISTENER, end)
        if tokenizer.backend_tokenizer.token_to_id(token) is None
    }
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in spelled], special_tokens=True)
    tables = _embedding_tables(model)
    if len(tokenizer) > tables[0].shape[0]:
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
        tables = _embedding_tables(model)
    ids = dict(tokenizer.backend_tokenizer.get_vocab(with_added_tokens=True))
    for table in tables:
        _start_at_mean_of_spelling(table, {ids[token]: spelling for token, spelling in spelled.items()})
    return {EMOTION_TYPE: ids[EMOTION_TYPE], SPEAKER: ids[SPEAKER], LISTENER: ids[LISTENER], END: ids[end]}


def _embedding_tables(model: PreTrainedModel) -> list[torch.Tensor]:
    """Give the input embeddings and, where they are not the same tensor, the output embeddings."""
    modules = [model.get_input_embeddings(), model.get_output_embeddings()]  # type: ignore[no-untyped-call]
    tables = {id(module.weight): module.weight for module in modules if isinstance(module.weight, torch.Tensor)}
    return list(tables.values())


def _start_at_mean_of_spelling(table: torch.Tensor, spelled: dict[int, list[int]]) -> None:
    """Put a new token where the tokens that spell it lie: random rows start as loud noise.

    Where the tokenizer has no letters for it, it starts at the mean of all: the mean of nothing is no number.
    """
    with torch.no_grad():
        means = {number: table[spelling or slice(None)].mean(dim=0) for number, spelling in spelled.items()}
        for number, mean in means.items():
            table[number] = mean


def _load_whole(kind: Any, name: str, config: PreTrainedConfig) -> PreTrainedModel:
    """Load a model and refuse one that lacks weights: the library would go on with random numbers in their place."""
    model: PreTrainedModel
    model, loading = kind.from_pretrained(
        name,
        config=config,
        dtype=torch.float32,
        use_safetensors=True,
        ignore_mismatched_sizes=True,
        output_loading_info=True,
    )
    for what, keys in (("are missing", "missing_keys"), ("do not fit its config.json", "mismatched_keys")):
        if loading[keys]:
            raise ValueError(f"{len(loading[keys])} of its weights {what}")
    return model


def _try_out(model: PreTrainedModel, name: str) -> None:
    """Ask a model a little in the ways that are needed, and leave with it whether it reads masks.

    Raises:
        UserMistake: it takes no plain rows of tokens, or looks ahead.
    """
    model.eval()  # type: ignore[no-untyped-call]
    vocabulary = _embedding_tables(model)[0].shape[0]
    one, other = np.linspace(0, vocabulary - 1, 12).astype(np.int64)[1:-1].reshape(2, 5)
    rows = np.stack([one, other, np.append(other[:3], one[:2])])  # two documents; the second can go on in two ways
    try:
        with torch.inference_mode():
            alone = model(input_ids=torch.from_numpy(rows), use_cache=False).logits  # (3, 5, V)
    except Exception as error:
        raise UserMistake(f"{name!r} cannot be asked with tokens alone ({_reason(error)}); choose another.") from error
    if _looks_ahead(alone):
        raise UserMistake(f"{name!r} reads in both directions and would see its answers; choose a model such as gpt2.")
    model.reads_masks = _reads_masks(model, rows, alone)  # type: ignore[assignment]
    if not model.reads_masks and not _reads_padded_rows(model, rows, alone):
        raise UserMistake(f"{name!r} gives other answers to a text beside others than alone; choose another model.")


def _looks_ahead(alone: torch.Tensor) -> bool:
    """Tell whether what a model says of a token depends on those that follow, as BERT's answers do: (3, 5, V)."""
    return not torch.allclose(alone[1, :3], alone[2, :3], atol=1e-4)


def _reads_masks(model: PreTrainedModel, rows: IntArray, alone: torch.Tensor) -> bool:
    """Tell whether two documents in one row, the second with two ways to go on, get the logits that they get alone."""
    if any(getattr(text_config(model), name, None) for name in WINDOWS_OF_COLUMNS):
        return False
    input_ids = np.concatenate([rows[0], rows[1], rows[2, 3:]])[None]
    positions = np.array([[0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 3, 4]])
    mask = same_document_mask(np.array([[0] * 5 + [1] * 7]))
    mask[:, :, 10:, 8:10] = False  # one way does not see the other
    columns = np.arange(FIRST_ASKED, 12)[None]
    return _answers(model, Question(input_ids, positions, mask, columns), torch.cat([alone[0], alone[1], alone[2, 3:]]))


def _reads_padded_rows(model: PreTrainedModel, rows: IntArray, alone: torch.Tensor) -> bool:
    """Tell whether documents of unlike lengths, each in a row of its own, get the logits that they get alone."""
    input_ids = np.concatenate([rows[0, :2], rows[1]])[None]
    positions, documents = np.array([[0, 1, 0, 1, 2, 3, 4]]), np.array([[0] * 2 + [1] * 5])
    columns = np.arange(FIRST_ASKED, 7)[None]
    return _answers(model, Question(input_ids, positions, documents, columns), torch.cat([alone[0, :2], alone[1]]))


def _answers(model: PreTrainedModel, question: Question, expected: torch.Tensor) -> bool:
    """Tell whether a question of one row gets the expected logits, but for rounding, and not an error."""
    try:
        with torch.inference_mode():
            found = next_token_logits(model, question, Device("cpu", "fp32", "as loaded"))[0]
    except Exception:  # models raise whatever they like
        return False
    return bool((found - expected[FIRST_ASKED:]).abs().max() <= ROUNDING * expected.abs().max())


def _explain_missing(name: str, error: Exception) -> str:
    reason = _reason(error)
    if os.path.isdir(name):  # noqa: PTH112
        return (
            f"The folder {name} holds no causal language model in Hugging Face format with safetensors ({reason}); "
            "name another one, or make it anew."
        )
    return f"There is no folder or hub model {name!r} that can be loaded ({reason}); offline, try scratch:small."


def _reason(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
