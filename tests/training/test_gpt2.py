"""The quick GPT-2 is GPT-2. Its logits and gradients are compared in `test_forward.py` and `test_loss.py`."""

from typing import Any

import numpy as np
import pytest
import torch
import transformers
from torch import nn

from buddy.text.batches import Batch, pack, pad
from buddy.training.device import choose_device
from buddy.training.gpt2 import GPT2LMHeadModel, _drop, can_be_quick, find_quick_gpt2
from buddy.training.loss import ROWS_AT_ONCE, learned_loss
from tests.conftest import random_tokens, tiny_gpt2, tiny_quick_gpt2


class TestDropout:
    @pytest.mark.parametrize("share", [0.1, 0.5])
    def test_drops_the_share_and_keeps_the_mean(self, share):
        torch.manual_seed(0)
        x = torch.ones(1000, 300)
        dropped = _drop(x, nn.Dropout(share))
        assert float((dropped == 0).float().mean()) == pytest.approx(share, abs=0.005)
        assert float(dropped.mean()) == pytest.approx(1.0, abs=0.01)
        assert len(set(dropped.flatten().tolist())) == 2

    def test_depends_on_no_neighbour(self):
        torch.manual_seed(0)
        kept = (_drop(torch.ones(4000, 64), nn.Dropout(0.5)) != 0).float().numpy()
        correlation = np.corrcoef(kept.T) - np.eye(64)
        assert np.abs(correlation).max() < 0.08

    def test_is_repeated_by_the_seed(self):
        draws = []
        for seed in (1, 1, 2):
            torch.manual_seed(seed)
            draws.append(_drop(torch.ones(50, 7), nn.Dropout(0.3)))
        assert torch.equal(draws[0], draws[1])
        assert not torch.equal(draws[0], draws[2])

    def test_rests_when_the_model_does(self):
        x = torch.randn(3, 5)
        assert torch.equal(_drop(x, nn.Dropout(0.9).eval()), x)
        assert torch.equal(_drop(x, nn.Dropout(0.0)), x)

    def test_drops_the_gradient_with_the_value(self):
        x = torch.ones(100, 10, requires_grad=True)
        dropped = _drop(x, nn.Dropout(0.5))
        dropped.sum().backward()
        assert x.grad is not None
        assert torch.equal(x.grad, dropped)


def test_it_answers_as_hugging_faces_when_asked_as_hugging_faces():
    model: Any = tiny_quick_gpt2()
    theirs: Any = tiny_gpt2()
    ids = torch.arange(12)[None]
    torch.testing.assert_close(model(ids).logits, theirs(ids).logits)
    ours, expected = (m.generate(ids, max_new_tokens=5, do_sample=False, pad_token_id=0) for m in (model, theirs))
    assert ours.tolist() == expected.tolist()


def test_it_is_saved_as_what_every_program_knows(tmp_path):
    model = tiny_quick_gpt2()
    model.save_pretrained(tmp_path)
    loaded: Any = transformers.AutoModelForCausalLM.from_pretrained(tmp_path)
    assert type(loaded) is transformers.GPT2LMHeadModel
    assert loaded.config.architectures == ["GPT2LMHeadModel"]
    for name, weight in loaded.state_dict().items():
        assert torch.equal(weight, model.state_dict()[name])


@pytest.mark.parametrize("unusual", ["scale_attn_by_inverse_layer_idx", "scale_attn_weights"])
def test_a_model_that_scales_its_attention_otherwise_is_left_to_hugging_face(tmp_path, unusual):
    model = tiny_gpt2()
    setattr(model.config, unusual, not getattr(model.config, unusual))
    assert not can_be_quick(model.config)
    assert can_be_quick(tiny_gpt2().config)
    assert not can_be_quick(transformers.LlamaConfig())


def test_it_drops_attention_as_its_config_says():
    model: Any = tiny_quick_gpt2()
    for layer in model.transformer.h:
        layer.attn.attn_dropout.p = 0.5
    model.train()
    losses = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        losses.append(float(learned_loss(model, pad([random_tokens(30)]), choose_device("cpu", "fp32")).total.detach()))
    assert losses[0] == losses[1] != losses[2]


def test_it_is_found_inside_wrappers():
    model = tiny_quick_gpt2()
    assert find_quick_gpt2(nn.Sequential(model)) is model
    assert isinstance(model, GPT2LMHeadModel)
    assert find_quick_gpt2(tiny_gpt2()) is None


@pytest.mark.parametrize("arrange", [pad, lambda documents: pack(documents, 120)], ids=["padded", "packed"])
def test_many_rows_of_logits_in_bf16_are_near_the_truth(arrange):
    """More learned tokens than are computed at once, in the format in which a machine with bf16 trains."""
    documents = [random_tokens(length, seed) for seed in range(5) for length in (119, 77, 40)]
    assert sum(len(document) - 1 for document in documents) > 2 * ROWS_AT_ONCE["cpu"]
    ours, truth = (loss_and_gradients(arrange(documents), number_format) for number_format in ("bf16", "fp32"))
    for found, expected in zip(ours, truth, strict=True):
        assert float((found - expected).norm() / expected.norm()) < 0.05


def loss_and_gradients(batch: Batch, number_format: str) -> list[torch.Tensor]:
    model = tiny_quick_gpt2()
    total = learned_loss(model, batch, choose_device("cpu", number_format)).total
    total.backward()
    return [total.detach(), *(p.grad for p in model.parameters() if p.grad is not None)]
