import pytest
import torch
from torch import nn
from torch.optim import AdamW

from buddy.training.optimizer import STATE_NAMES, make_optimizer, optimizer_tensors, restore_optimizer
from tests.conftest import tiny_gpt2


def take_step(model: nn.Module, optimizer: AdamW, seed: int) -> None:
    torch.manual_seed(seed)
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter) if parameter.requires_grad else None
    optimizer.step()


def test_only_matrices_decay():
    model = tiny_gpt2()
    optimizer = make_optimizer(model, weight_decay=0.5)
    decayed = {id(p) for group in optimizer.param_groups if group["weight_decay"] for p in group["params"]}
    exempt = {id(p) for group in optimizer.param_groups if not group["weight_decay"] for p in group["params"]}
    assert decayed == {id(p) for name, p in model.named_parameters() if p.ndim == 2}
    assert exempt == {id(p) for name, p in model.named_parameters() if name.endswith("bias") or ".ln_" in name}
    assert len(decayed) + len(exempt) == len(list(model.parameters()))
    assert optimizer.param_groups[0]["weight_decay"] == 0.5


def test_what_is_frozen_is_left_out():
    model = tiny_gpt2()
    for name, parameter in model.named_parameters():
        parameter.requires_grad = "ln_f" in name
    (group,) = make_optimizer(model, 0.5).param_groups
    assert {p.shape for p in group["params"]} == {(32,)}
    assert len(group["params"]) == 2


def test_restored_optimizer_goes_on_exactly_where_the_other_was():
    one, other = tiny_gpt2(), tiny_gpt2()
    optimizer = make_optimizer(one, 0.1)
    optimizer.param_groups[0]["lr"] = optimizer.param_groups[1]["lr"] = 1e-2
    take_step(one, optimizer, seed=1)
    other.load_state_dict(one.state_dict())
    restored = make_optimizer(other, 0.1)
    restored.param_groups[0]["lr"] = restored.param_groups[1]["lr"] = 1e-2
    state = optimizer_tensors(one, optimizer)
    assert "exp_avg_sq/transformer.h.0.attn.c_attn.weight" in state
    restore_optimizer(other, restored, state)
    take_step(one, optimizer, seed=2)
    take_step(other, restored, seed=2)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_restoring_takes_a_copy():
    model = tiny_gpt2()
    optimizer = make_optimizer(model, 0.1)
    take_step(model, optimizer, seed=1)
    state = {name: tensor.clone() for name, tensor in optimizer_tensors(model, optimizer).items()}
    given = {name: tensor.clone() for name, tensor in state.items()}
    restore_optimizer(model, optimizer, given)
    take_step(model, optimizer, seed=2)
    assert all(torch.equal(given[name], state[name]) for name in state)


def test_state_of_another_model_is_refused():
    model = tiny_gpt2()
    optimizer = make_optimizer(model, 0.1)
    take_step(model, optimizer, seed=1)
    state = optimizer_tensors(model, optimizer)
    with pytest.raises(ValueError, match=r"averages of transformer\.wte\.weight are not of its shape"):
        restore_optimizer(tiny_gpt2(vocabulary=51), optimizer, state)


@pytest.mark.parametrize("change", [lambda names: names.pop(), lambda names: names.append("another.weight")])
def test_state_of_other_parameters_is_refused(change):
    model = tiny_gpt2()
    optimizer = make_optimizer(model, 0.1)
    take_step(model, optimizer, seed=1)
    state = optimizer_tensors(model, optimizer)
    names = [name for name, _ in model.named_parameters()]
    change(names)
    other = {f"{kind}/{name}": state.get(f"{kind}/{name}", torch.zeros(1)) for kind in STATE_NAMES for name in names}
    with pytest.raises(ValueError, match="averages are not of what is trained"):
        restore_optimizer(model, optimizer, other)


def test_what_has_had_no_gradient_yet_is_restored_as_that():
    model = tiny_gpt2()
    optimizer = make_optimizer(model, 0.1)
    assert {*optimizer_tensors(model, optimizer)} == {f"step/{name}" for name, _ in model.named_parameters()}
    used = model.transformer.wte.weight
    used.grad = torch.ones_like(used)
    optimizer.step()
    state = optimizer_tensors(model, optimizer)
    restored = make_optimizer(model, 0.1)
    restore_optimizer(model, restored, state)
    assert {*restored.state} == {used}
