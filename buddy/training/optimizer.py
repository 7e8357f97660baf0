"""AdamW with weight decay on matrices only, and its state as plain tensors."""

from torch import Tensor, nn
from torch.optim import AdamW

from buddy.training.sharding import share_of, whole

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

    Where processes share a model, all of them must ask.
    """
    return {
        f"{kind}/{name}": whole(optimizer.state[parameter][kind])
        for name, parameter in model.named_parameters()
        if parameter in optimizer.state
        for kind in STATE_NAMES
    }


def restore_optimizer(model: nn.Module, optimizer: AdamW, tensors: dict[str, Tensor]) -> None:
    """Put back what ``optimizer_tensors`` gave.

    Raises:
        ValueError: it is of another shape than the model's parameters.
    """
    for name, parameter in model.named_parameters():
        if f"step/{name}" in tensors:
            if tensors[f"exp_avg/{name}"].shape != parameter.shape:
                raise ValueError(f"the averages of {name} are not of its shape")
            optimizer.state[parameter] = {
                kind: share_of(tensors[f"{kind}/{name}"].to(parameter.device, copy=True), parameter)
                for kind in STATE_NAMES
            }
