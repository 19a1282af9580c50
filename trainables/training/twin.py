"""The form of a network that a step on CUDA calls: bfloat16 copies of its weights, and one operator for all counters.

Under autocast, every forward pass of a bfloat16 training casts each weight to bfloat16, and the backward pass casts
each gradient back: 47 kernels a step of ResNet-18. The twin of a network holds the bfloat16 weights instead, and the
optimiser writes them after its update. Values and gradients are those of autocast, bit for bit, because the same
numbers are rounded once. In each training step, a batch norm also adds 1 to its counter of batches. The twin adds
1 to all counters in one operator.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from trainables.training.stacked_model import StackedLinear

#: The parameters that autocast casts, by layer. Subclasses may use their weights in another way, so types are exact.
_CAST = {nn.Conv2d: ("weight", "bias"), nn.Linear: ("weight", "bias"), StackedLinear: ("weight",)}

#: Modules whose code is known: a layer of a user may hold state of its own, which a twin would not share.
_KNOWN_MODULES = ("torch.nn.modules.", "torchvision.models.", "trainables.")


class TwinNetwork(nn.Module):
    """Calls `twin`, which shares its parameters and buffers with another network except for `counters`."""

    def __init__(self, twin: nn.Module, counters: Sequence[Tensor]) -> None:
        super().__init__()
        self.twin = twin
        for index, counter in enumerate(counters):
            self.register_buffer(f"counter_{index}", counter)  # state that a step changes
        self._counters = list(counters)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if self._counters:
            torch._foreach_add_(self._counters, 1)
        h, z = self.twin(x)
        return h, z


@dataclass(frozen=True, kw_only=True)
class Twin:
    """The network that a step calls, and the bfloat16 copy of each weight of the original that has one."""

    network: nn.Module
    copies: dict[Tensor, nn.Parameter]
    input_dtype: torch.dtype = torch.float32


def twin_on(device: torch.device, network: nn.Module, precision: str) -> Twin:
    """The twin on CUDA. Elsewhere the network itself, which a step then calls under autocast."""
    return make_twin(network, precision) if device.type == "cuda" else Twin(network=network, copies={})


def make_twin(network: nn.Module, precision: str) -> Twin:
    """The twin of a network that trains in `precision`; the network itself if it contains layers of a user."""
    if not _is_known(network):
        return Twin(network=network, copies={})
    shared: dict[int, Tensor] = {id(each): each for each in (*network.parameters(), *network.buffers())}
    twin = copy.deepcopy(network, shared)
    counters = [_without_counter(module) for module in twin.modules() if isinstance(module, _BatchNorm)]
    copies: dict[Tensor, nn.Parameter] = {}
    if precision == "bfloat16":
        for module in twin.modules():
            copies |= _with_copies(module, _CAST.get(type(module), ()))
    return Twin(
        network=TwinNetwork(twin, [counter for counter in counters if counter is not None]),
        copies=copies,
        input_dtype=torch.bfloat16 if copies and _casts_its_input(twin) else torch.float32,
    )


def _casts_its_input(network: nn.Module) -> bool:
    """Whether the first layer is one whose input autocast casts."""
    first = next(module for module in network.modules() if not list(module.children()))
    return type(first) in _CAST


def _without_counter(layer: _BatchNorm) -> Tensor | None:
    """Remove and return the counter of batches of a batch norm.

    If the layer's running statistics depend on it, leave it there and return None.
    """
    counter = layer.num_batches_tracked
    if counter is None or layer.momentum is None:
        return None
    layer.num_batches_tracked = None
    return counter


def _with_copies(layer: nn.Module, names: Sequence[str]) -> dict[Tensor, nn.Parameter]:
    """Replace these parameters of a layer by bfloat16 copies, and return the copies by their originals."""
    copies: dict[Tensor, nn.Parameter] = {}
    for name, original in list(layer.named_parameters(recurse=False)):
        if name not in names:
            continue
        copies[original] = nn.Parameter(original.detach().to(torch.bfloat16), original.requires_grad)
        setattr(layer, name, copies[original])
    return copies


def _is_known(network: nn.Module) -> bool:
    """Whether all modules have known code and no hooks, and no two modules share a parameter."""
    names = [name for name, _ in network.named_parameters(remove_duplicate=False)]
    return len(names) == len(list(network.parameters())) and all(
        type(module).__module__.startswith(_KNOWN_MODULES)
        and not (module._forward_hooks or module._forward_pre_hooks or module._backward_hooks)
        for module in network.modules()
    )
