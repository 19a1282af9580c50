"""K models of equal shapes as one network. The `Trainer` uses it, so that small trials share kernel launches.

Every parameter and buffer of the stacked network concatenates those of its members along dimension 0. Every
activation concatenates the members' channels: `(n, K * C, H, W)` or `(n, K * d)`, member 0 first. A convolution
becomes a grouped convolution, a batch norm covers K times the channels, and a linear layer becomes a batched
product. Layers without parameters do not change. No member's values affect another member.
"""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class StackedLinear(nn.Module):
    """K linear layers: `(n, K * in) -> (n, K * out)`."""

    def __init__(self, layer: nn.Linear, members: int) -> None:
        super().__init__()
        self.members = members
        self.weight = nn.Parameter(layer.weight.new_empty(members * layer.out_features, layer.in_features))
        self.bias = None if layer.bias is None else nn.Parameter(layer.bias.new_empty(len(self.weight)))

    def forward(self, x: Tensor) -> Tensor:
        inputs = x.view(len(x), self.members, -1).transpose(0, 1)
        weights = self.weight.view(self.members, -1, self.weight.shape[1]).transpose(1, 2)
        outputs = torch.bmm(inputs, weights).transpose(0, 1).flatten(1)
        return outputs if self.bias is None else outputs + self.bias


def stack_models(models: Sequence[nn.Module]) -> nn.Module:
    """One network from K models of one architecture. Each member keeps its own weights and statistics.

    Raises `ValueError` with the name of a layer type that cannot be stacked.
    """
    weight = next(models[0].parameters())
    stacked = _stacked_layer(models[0], len(models)).to(weight.device, weight.dtype)
    states = [model.state_dict() for model in models]
    stacked.load_state_dict({name: _joined([state[name] for state in states]) for name in states[0]})
    channels_last: nn.Module = stacked.to(memory_format=torch.channels_last)
    return channels_last


def unstack_model(stacked: nn.Module, models: Sequence[nn.Module]) -> None:
    """Copy each member's share of the stacked weights and statistics into its own model."""
    state = stacked.state_dict()
    for member, model in enumerate(models):
        model.load_state_dict({name: _share(value, member, len(models)) for name, value in state.items()})


def _joined(values: list[Tensor]) -> Tensor:
    return torch.cat(values) if values[0].ndim else values[0]  # batch norm's counter is equal for all members


def _share(value: Tensor, member: int, members: int) -> Tensor:
    return value.chunk(members)[member] if value.ndim else value


def _stacked_layer(layer: nn.Module, members: int) -> nn.Module:
    """The layer for K times the channels. The caller loads its parameters afterwards."""
    if isinstance(layer, nn.Conv2d):
        return _stacked_convolution(layer, members)
    if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
        wider = copy.deepcopy(layer)
        wider.__init__(layer.num_features * members, layer.eps, layer.momentum, layer.affine)  # type: ignore[misc]
        return wider
    if isinstance(layer, nn.Linear):
        return StackedLinear(layer, members)
    if not isinstance(layer, _CHANNEL_BY_CHANNEL) and type(layer).__qualname__ not in _CONTAINERS:
        raise ValueError(f"stacked training: no stacked form of the layer {type(layer).__name__}")
    stacked = copy.copy(layer)
    stacked._modules = {name: _stacked_layer(child, members) for name, child in layer.named_children()}
    return stacked


#: Layers without parameters that treat every channel independently.
_CHANNEL_BY_CHANNEL = (nn.Identity, nn.ReLU, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)

#: Modules whose own code treats every channel independently. Other modules may mix the channels of members.
_CONTAINERS = frozenset({"Sequential", "ContrastiveModel", "SmallConv", "ResNet", "BasicBlock", "Bottleneck"})


def _stacked_convolution(layer: nn.Conv2d, members: int) -> nn.Conv2d:
    return nn.Conv2d(
        layer.in_channels * members,
        layer.out_channels * members,
        layer.kernel_size,  # type: ignore[arg-type]
        layer.stride,  # type: ignore[arg-type]
        layer.padding,  # type: ignore[arg-type]
        layer.dilation,  # type: ignore[arg-type]
        layer.groups * members,
        layer.bias is not None,
        layer.padding_mode,
    )
