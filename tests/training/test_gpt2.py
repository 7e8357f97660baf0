"""The quick GPT-2 is GPT-2. Its logits and gradients are compared in `test_forward.py` and `test_loss.py`."""

import numpy as np
import pytest
import torch
import transformers
from torch import nn

from buddy.text.batches import pack, pad
from buddy.training.device import choose_device
from buddy.training.gpt2 import GPT2LMHeadModel, _drop, can_be_quick, find_quick_gpt2
from buddy.training.loss import learned_loss
from tests.conftest import random_tokens, tiny_gpt2, tiny_quick_gpt2


class TestDropout:
    @pytest.mark.parametrize("share", [0.1, 0.5])
    def test_drops_the_share_and_keeps_the_mean(self, share):
        torch.manual_seed(0)
        x = torch.ones(1000, 300)
        dropped = _drop(x, nn.Dropout(share))
        assert float((dropped == 0).float().mean()) == pytest.approx(share, abs=0.005)
        assert float(dropped.mean()) == pytest.approx(1.0, abs=0.01)
        assert len(dropped.unique()) == 2

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
    model, theirs = tiny_quick_gpt2(), tiny_gpt2()
    ids = torch.arange(12)[None]
    torch.testing.assert_close(model(ids).logits, theirs(ids).logits)
    generated = [each.generate(ids, max_new_tokens=5, do_sample=False, pad_token_id=0) for each in (model, theirs)]
    assert torch.equal(*generated)


def test_it_is_saved_as_what_every_program_knows(tmp_path):
    model = tiny_quick_gpt2()
    model.save_pretrained(tmp_path)
    loaded = transformers.AutoModelForCausalLM.from_pretrained(tmp_path)
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
    model = tiny_quick_gpt2()
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


@pytest.mark.parametrize("arrange", [pad, lambda documents: pack(documents, 700)], ids=["padded", "packed"])
def test_many_rows_of_logits_in_bf16_are_near_the_truth(arrange):
    """More learned tokens than are computed at once, in the format in which a machine with bf16 trains."""
    documents = [random_tokens(length) for length in (300, 200, 120)]
    found, expected = [], []
    for number_format, into in (("bf16", found), ("fp32", expected)):
        model = transformers_positions(tiny_quick_gpt2())
        loss = learned_loss(model, arrange(documents), choose_device("cpu", number_format))
        loss.total.backward()
        into += [loss.total.detach(), *(parameter.grad for parameter in model.parameters())]
    for ours, truth in zip(found, expected, strict=True):
        assert float((ours - truth).norm() / truth.norm()) < 0.05


def transformers_positions(model: GPT2LMHeadModel) -> GPT2LMHeadModel:
    """Give a tiny model more positions than it has, so that it can read longer texts."""
    model.transformer.wpe = nn.Embedding(512, 32)
    torch.manual_seed(0)
    nn.init.normal_(model.transformer.wpe.weight, std=0.3)
    return model
