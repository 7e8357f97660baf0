"""A model in shares: each process keeps a part of weights, gradients and averages, and borrows the rest when needed.

That is PyTorch's FSDP2. A layer's weights are whole while the layer is computed and nowhere else, so a model trains
that no single device holds. What is written to the disk is whole, as always; one process may go on with it, or ten.

Source:
    Zhao et al. 2023, "PyTorch FSDP: Experiences on Scaling Fully Sharded Data Parallel".
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from types import MethodType
from typing import Any

import torch.distributed as dist
from accelerate import Accelerator
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor, distribute_tensor

from buddy.training.device import Device
from buddy.training.gpt2 import find_quick_gpt2


def shard(model: nn.Module, device: Device) -> None:
    """Share a model out among the processes, in place; its parameters are ``DTensor`` from now on.

    With one process it stays whole.
    """
    if not dist.is_initialized() or dist.get_world_size() == 1:
        return
    mesh = init_device_mesh(device.name, (dist.get_world_size(),))
    for layer in _layers(model):
        fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)  # what is outside of the layers
    quick = find_quick_gpt2(model)
    if quick is not None:  # it computes its layers by a function of its own, which must borrow weights, too
        for layer in quick.transformer.h:
            layer.run = MethodType(quick.run_layer, layer)  # type: ignore[assignment]
            register_fsdp_forward_method(layer, "run")
        quick.run_layer = lambda layer, *inputs: layer.run(*inputs)


def is_sharded(model: nn.Module) -> bool:
    """Tell whether a model was shared out."""
    return isinstance(model, FSDPModule)


def whole(tensor: Tensor) -> Tensor:
    """Put the shares of a tensor together; all processes must ask for the same one at the same time."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def whole_weights(model: nn.Module) -> dict[str, Tensor] | None:
    """Put all weights together, on the CPU, in the first process; all must ask. ``None`` if they are whole anyway."""
    if not is_sharded(model):
        return None
    names = {name for name, _ in [*model.named_parameters(), *model.named_buffers()]}  # a tied tensor once
    return whole_in_first((name, tensor) for name, tensor in model.state_dict().items() if name in names)


def whole_in_first(tensors: Iterable[tuple[str, Tensor]]) -> dict[str, Tensor]:
    """Put tensors together, one after the other, and keep them on the CPU of the first process; all must ask."""
    together = ((name, whole(tensor)) for name, tensor in tensors)
    return {name: tensor.cpu() for name, tensor in together if dist.get_rank() == 0}


def share_of(tensor: Tensor, like: Tensor) -> Tensor:
    """Give this process its share of a whole tensor, cut as another one is."""
    if not isinstance(like, DTensor) or tensor.shape != like.shape:
        return tensor
    return distribute_tensor(tensor, like.device_mesh, like.placements)


def without_exchange(model: nn.Module, accelerator: Accelerator, is_last: bool) -> AbstractContextManager[Any]:
    """While a step takes several passes, exchange gradients in the last one only."""
    if isinstance(model, FSDPModule):
        model.set_requires_gradient_sync(is_last)
        return nullcontext()
    return nullcontext() if is_last else accelerator.no_sync(model)


def _layers(model: nn.Module) -> list[nn.Module]:
    """Find the layers: the longest list of modules that a model has."""
    lists = [module for module in model.modules() if isinstance(module, nn.ModuleList)]
    return list(max(lists, key=len, default=()))
