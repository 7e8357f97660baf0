"""Tiny models that cannot be told by a mask what a token may look at: states, convolutions, biases by distance."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedModel

SHAPE: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "initializer_range": 0.3,
    "bos_token_id": 0,
    "eos_token_id": 0,
    "pad_token_id": 0,
}


def tiny_qwen_next(vocabulary: int = 50) -> "PreTrainedModel":
    """A layer of linear attention, which has a state and a convolution, and a layer of attention, as in Qwen 3.5."""
    from transformers import Qwen3NextConfig, Qwen3NextForCausalLM

    config = Qwen3NextConfig(
        **SHAPE,
        vocab_size=vocabulary,
        head_dim=16,
        layer_types=["linear_attention", "full_attention"],
        linear_num_key_heads=2,
        linear_num_value_heads=4,
        linear_key_head_dim=8,
        linear_value_head_dim=8,
        num_experts=0,
        mlp_only_layers=[0, 1],
    )
    return _made(Qwen3NextForCausalLM, config)


def tiny_lfm2(vocabulary: int = 50) -> "PreTrainedModel":
    """A short convolution and a layer of attention."""
    from transformers import Lfm2Config, Lfm2ForCausalLM

    layers = ["conv", "full_attention"]
    return _made(Lfm2ForCausalLM, Lfm2Config(**SHAPE, vocab_size=vocabulary, layer_types=layers))


def tiny_mamba(vocabulary: int = 50) -> "PreTrainedModel":
    """States only, and no positions to be told."""
    from transformers import MambaConfig, MambaForCausalLM

    config = MambaConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        state_size=8,
        num_hidden_layers=2,
        initializer_range=0.3,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
    )
    return _made(MambaForCausalLM, config)


def tiny_bloom(vocabulary: int = 50) -> "PreTrainedModel":
    """Attention that counts the distance in columns."""
    from transformers import BloomConfig, BloomForCausalLM

    config = BloomConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        n_layer=2,
        n_head=4,
        initializer_range=0.3,
        hidden_dropout=0.0,
        attention_dropout=0.0,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
    )
    return _made(BloomForCausalLM, config)


def tiny_mpt(vocabulary: int = 50) -> "PreTrainedModel":
    """The same, another way."""
    from transformers import MptConfig, MptForCausalLM

    config = MptConfig(vocab_size=vocabulary, d_model=32, n_layers=2, n_heads=4, max_seq_len=128, initializer_range=0.3)
    return _made(MptForCausalLM, config)


def tiny_local_gpt_neo(vocabulary: int = 50) -> "PreTrainedModel":
    """A layer that looks back 6 columns only, whatever the mask says: fewer than the tests' texts have."""
    from transformers import GPTNeoConfig, GPTNeoForCausalLM

    config = GPTNeoConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        num_layers=2,
        num_heads=2,
        attention_types=[[["global", "local"], 1]],
        window_size=6,
        max_position_embeddings=128,
        initializer_range=0.15,
        resid_dropout=0.0,
        embed_dropout=0.0,
        attention_dropout=0.0,
        bos_token_id=0,
        eos_token_id=0,
    )
    return _made(GPTNeoForCausalLM, config)


def tiny_gpt1(vocabulary: int = 50) -> "PreTrainedModel":
    """The first GPT: it counts its own columns, and keeps nothing of what it has read."""
    from transformers import OpenAIGPTConfig, OpenAIGPTLMHeadModel

    config = OpenAIGPTConfig(
        vocab_size=vocabulary, n_embd=32, n_layer=2, n_head=2, n_positions=128, initializer_range=0.3
    )
    return _made(OpenAIGPTLMHeadModel, config)


def _made(kind: Any, config: Any) -> "PreTrainedModel":
    import torch

    torch.manual_seed(0)
    model: PreTrainedModel = kind(config)
    model.eval()
    model.reads_masks = False  # type: ignore[assignment]
    return model


MASKLESS: Sequence[Callable[..., "PreTrainedModel"]] = (
    tiny_qwen_next,
    tiny_lfm2,
    tiny_mamba,
    tiny_bloom,
    tiny_mpt,
    tiny_local_gpt_neo,
    tiny_gpt1,
)
