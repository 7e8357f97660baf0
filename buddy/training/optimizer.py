"""AdamW with weight decay on matrices only, and its state as plain tensors."""

import torch
from torch import Tensor, nn
from torch.optim import AdamW

from buddy.training.sharding import is_sharded, share_of, whole_in_first

STATE_NAMES = ("step", "exp_avg", "exp_avg_sq")


def make_optimizer(model: nn.Module, weight_decay: float) -> AdamW:
    """Build the optimizer over everything that is trained.

    Biases and layer norms are exempt from decay: they have few entries, and pulling a scale of 1 towards 0
    changes the function instead of regularising it.

    Source:
        Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2.
    """
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
    ]
    return AdamW([group for group in groups if group["params"]], lr=0.0, betas=(0.9, 0.98), fused=True)


def optimizer_tensors(model: nn.Module, optimizer: AdamW) -> dict[str, Tensor]:
    """Give the optimizer's state under readable names, such as ``exp_avg/transformer.wte.weight``.

    Everything that is trained has its ``step/NAME``; it is 0, and stands alone, where there has been no gradient yet.
    Where processes share a model, all of them must ask; the first one alone gets the state, on the CPU.
    """
    named = (
        (f"{kind}/{name}", tensor)
        for name, parameter in _trained(model).items()
        for kind, tensor in (optimizer.state.get(parameter) or {"step": torch.zeros(())}).items()
    )
    return whole_in_first(named) if is_sharded(model) else dict(named)


def restore_optimizer(model: nn.Module, optimizer: AdamW, tensors: dict[str, Tensor]) -> None:
    """Put back what ``optimizer_tensors`` gave.

    Raises:
        ValueError: it is of other parameters than those that are trained, or of another shape.
    """
    trained = _trained(model)
    if {name.removeprefix("step/") for name in tensors if name.startswith("step/")} != trained.keys():
        raise ValueError("the averages are not of what is trained")
    for name, parameter in trained.items():
        if not tensors[f"step/{name}"]:
            continue
        if tensors[f"exp_avg/{name}"].shape != parameter.shape:
            raise ValueError(f"the averages of {name} are not of its shape")
        optimizer.state[parameter] = {
            kind: share_of(tensors[f"{kind}/{name}"].to(parameter.device, copy=True), parameter) for kind in STATE_NAMES
        }


def _trained(model: nn.Module) -> dict[str, nn.Parameter]:
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
