"""Tiny models of four families as they lie on the hub, with tokenizers of their kind, and nothing of ours."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
)

CHAT_TEMPLATE = "{{ bos_token }}{% for message in messages %}<turn>{{ message['content'] }}{% endfor %}"
LETTERS = ["I was so sad that I lost my old cat and it rained", "We won the game, what a day!", "very furious joy"]
SPARE_ROWS = 200
"""Models on the hub often have more rows than tokens."""


@dataclass(frozen=True)
class Family:
    """How the models of a family are made.

    Attributes:
        name: as a test's name says it.
        tokenizer_class: what the files on the hub call it; the library then builds some of its parts anew.
        tokenizer: makes a tokenizer of its kind.
        model: makes a model with so many embedding rows, tied to the output layer or not.
    """

    name: str
    tokenizer_class: str
    tokenizer: Callable[[], PreTrainedTokenizerFast]
    model: Callable[[int, bool], PreTrainedModel]


def write_foreign(family: Family, folder: Path, tied: bool) -> Path:
    """Write a model of a family with loud weights, so that a wrong mask or position shows in its answers.

    With tied embeddings it has rows to spare, with untied ones exactly as many as tokens.
    """
    torch.manual_seed(5)
    tokenizer = family.tokenizer()
    family.model(len(tokenizer) + (SPARE_ROWS if tied else 0), tied).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    config = folder / "tokenizer_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "tokenizer_class": family.tokenizer_class}))
    return folder


def _gpt2_tokenizer() -> PreTrainedTokenizerFast:
    """Bytes as letters, one special token, nothing before a text."""
    end = "<|endoftext|>"
    return _wrap(_byte_level([end]), bos_token=end, eos_token=end)


def _qwen_tokenizer() -> PreTrainedTokenizerFast:
    """Bytes as letters, a normalizer, tokens for chats, no start, and padding that is no end."""
    backend = _byte_level(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    backend.normalizer = normalizers.NFC()
    return _wrap(backend, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=CHAT_TEMPLATE)


def _llama_tokenizer() -> PreTrainedTokenizerFast:
    """Words with a mark for their space, bytes for unknown letters, ``<s>`` before every text."""
    backend = _byte_fallback(["<unk>", "<s>", "</s>"], unknown="<unk>")
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    backend.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    _start_with(backend, "<s>")
    return _wrap(backend, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def _gemma_tokenizer() -> PreTrainedTokenizerFast:
    """The same with other marks: spaces are only replaced, and ``<bos>`` stands before every text."""
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"]
    backend = _byte_fallback(special, unknown="<unk>")
    backend.normalizer = normalizers.Replace(" ", "▁")
    backend.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    _start_with(backend, "<bos>")
    names = {"bos_token": "<bos>", "eos_token": "<eos>", "unk_token": "<unk>", "pad_token": "<pad>"}
    return _wrap(backend, **names, chat_template=CHAT_TEMPLATE)


def _byte_level(special: Sequence[str]) -> Tokenizer:
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=[*special], initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(LETTERS * 3, trainer)
    return backend


def _byte_fallback(special: Sequence[str], unknown: str) -> Tokenizer:
    """Make what sentencepiece makes: letters and their merges, and a token for each byte."""
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.Split(Regex("(?=▁)"), "isolated")
    trainer = trainers.BpeTrainer(vocab_size=200, show_progress=False)
    learner.train_from_iterator([f"▁{text}".replace(" ", "▁") for text in LETTERS * 3], trainer)
    learned = json.loads(learner.to_str())["model"]
    names = [*special, *(f"<0x{byte:02X}>" for byte in range(256)), *learned["vocab"]]
    backend = Tokenizer(
        models.BPE(
            vocab={name: number for number, name in enumerate(names)},
            merges=[tuple(pair) for pair in learned["merges"]],
            unk_token=unknown,
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    backend.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in special])
    return backend


def _start_with(backend: Tokenizer, start: str) -> None:
    backend.post_processor = processors.TemplateProcessing(
        single=f"{start} $A", pair=f"{start} $A {start} $B", special_tokens=[(start, backend.token_to_id(start))]
    )


def _wrap(backend: Tokenizer, **names: Any) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(tokenizer_object=backend, **names)


def _gpt2(rows: int, tied: bool) -> PreTrainedModel:
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=rows,
            n_embd=32,
            n_layer=2,
            n_head=2,
            n_positions=64,
            initializer_range=0.2,
            tie_word_embeddings=tied,
            embd_pdrop=0.0,
            resid_pdrop=0.0,
            attn_pdrop=0.0,
            bos_token_id=0,
            eos_token_id=0,
        )
    )


SHAPE: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "initializer_range": 0.2,
}


def _llama(rows: int, tied: bool) -> PreTrainedModel:
    """With the rotary base of Llama 3: one that a reader takes for 10,000 gives other answers."""
    rope = {"rope_type": "default", "rope_theta": 500_000.0}
    config = LlamaConfig(**SHAPE, vocab_size=rows, tie_word_embeddings=tied, rope_parameters=rope)
    config.bos_token_id, config.eos_token_id = 1, 2
    return LlamaForCausalLM(config)


def _qwen(rows: int, tied: bool) -> PreTrainedModel:
    rope = {"rope_type": "default", "rope_theta": 1_000_000.0}
    config = Qwen3Config(**SHAPE, head_dim=16, vocab_size=rows, tie_word_embeddings=tied, rope_parameters=rope)
    config.bos_token_id, config.eos_token_id = None, 2
    return Qwen3ForCausalLM(config)


def _gemma(rows: int, tied: bool) -> PreTrainedModel:
    """With a layer that looks back 32 tokens, and rotary bases that are not the library's."""
    config = Gemma3TextConfig(
        **SHAPE,
        head_dim=16,
        vocab_size=rows,
        tie_word_embeddings=tied,
        sliding_window=32,
        layer_types=["sliding_attention", "full_attention"],
        query_pre_attn_scalar=16,
        rope_parameters={
            "full_attention": {"rope_type": "default", "rope_theta": 30_000.0},
            "sliding_attention": {"rope_type": "default", "rope_theta": 300.0},
        },
    )
    config.pad_token_id, config.eos_token_id, config.bos_token_id = 0, [1, 5], 2
    return Gemma3ForCausalLM(config)


FAMILIES = [
    Family("gpt2", "GPT2Tokenizer", _gpt2_tokenizer, _gpt2),
    Family("llama", "LlamaTokenizerFast", _llama_tokenizer, _llama),
    Family("qwen", "Qwen2Tokenizer", _qwen_tokenizer, _qwen),
    Family("gemma", "GemmaTokenizerFast", _gemma_tokenizer, _gemma),
]
