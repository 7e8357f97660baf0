"""Layers that are computed again: the same gradient and the same curves, with less kept for the backward pass."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.autograd.profiler import profile
from transformers import PreTrainedModel

from buddy.errors import UserMistake
from buddy.text.batches import Batch, pad
from buddy.training.backbone import add_lora, load_backbone, recompute_layers
from buddy.training.loss import learned_loss
from tests.conftest import random_tokens, tiny_gemma, tiny_gpt2, tiny_llama, tiny_quick_gpt2
from tests.training.conftest import assert_same_run
from tests.training.test_backbone import write_foreign_model

MODELS = [tiny_gpt2, tiny_quick_gpt2, tiny_llama, tiny_gemma]


@pytest.fixture
def batch() -> Batch:
    return pad([random_tokens(100, seed) for seed in range(4)])


def kept_bytes(model: nn.Module, batch: Batch, cpu) -> int:
    """What the forward pass has allocated and not given back: it waits for the backward pass."""
    learned_loss(model, batch, cpu)  # what is made once is made now
    with profile(use_kineto=False, profile_memory=True) as watched:
        loss = learned_loss(model, batch, cpu)
    kept: int = sum(event.self_cpu_memory_usage for event in watched.key_averages())
    assert loss.total.requires_grad
    return kept


def gradients(model: nn.Module, batch: Batch, cpu) -> list[torch.Tensor]:
    torch.manual_seed(3)
    model.zero_grad()
    with cpu.attention(batch.input_ids.shape[1]):
        learned_loss(model, batch, cpu).total.backward()
    return [p.grad for p in model.parameters() if p.grad is not None]


def with_dropout(model: Any, share: float) -> Any:
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = share
    return model.train()


@pytest.mark.parametrize("make", MODELS)
def test_gradient_is_the_same_with_its_dropout_and_less_is_kept(make, batch, cpu):
    plain, twice = (with_dropout(make(), 0.2) for _ in range(2))
    recompute_layers(twice)
    for found, expected in zip(gradients(twice, batch, cpu), gradients(plain, batch, cpu), strict=True):
        assert torch.equal(found, expected)
    assert kept_bytes(twice, batch, cpu) < 0.5 * kept_bytes(plain, batch, cpu)


def test_adapters_of_a_frozen_model_get_the_same_gradient_too(tmp_path, batch, cpu):
    write_foreign_model(tmp_path)
    found = []
    for is_recomputed in (False, True):
        torch.manual_seed(1)
        model = add_lora(load_backbone(str(tmp_path)), rank=2).model
        with_dropout(model, 0.1)
        if is_recomputed:
            recompute_layers(model)
        found.append((gradients(model, batch, cpu), kept_bytes(model, batch, cpu)))
    (plain, plain_bytes), (twice, twice_bytes) = found
    assert len(plain) > 8
    assert all(torch.equal(a, b) for a, b in zip(plain, twice, strict=True))
    assert twice_bytes < 0.6 * plain_bytes


@pytest.mark.parametrize("max_tokens", [32, 128])
def test_a_run_ends_with_the_same_weights(train, resume, max_tokens):
    plain = train("plain", epochs=1.0, max_tokens=max_tokens)
    twice = train("twice", epochs=1.0, max_tokens=max_tokens, gradient_checkpointing=True)
    assert_same_run(plain, twice)


def test_a_run_of_another_architecture_ends_with_the_same_weights(train, tmp_path):
    from tests.training.foreign_models import FAMILIES, write_foreign

    backbone = str(write_foreign(FAMILIES[1], tmp_path / "llama", tied=True))
    options: dict[str, Any] = {"epochs": 1.0, "backbone": backbone, "dropout": None}
    assert_same_run(train("plain", **options), train("twice", **options, gradient_checkpointing=True))


def test_the_old_name_of_the_switch_may_be_gone(monkeypatch):
    model, asked = tiny_llama(), []
    monkeypatch.setattr(type(model), "activation_checkpointing_enable", lambda _, options: asked.append(options))
    monkeypatch.delattr(PreTrainedModel, "gradient_checkpointing_enable")
    recompute_layers(model)
    assert asked == [{"use_reentrant": False}]


def test_an_architecture_that_cannot_is_told_plainly(monkeypatch):
    model = tiny_llama()
    monkeypatch.setattr(type(model), "supports_gradient_checkpointing", False)
    with pytest.raises(UserMistake, match="of the kind llama has no gradient checkpointing; leave the option out"):
        recompute_layers(model)
