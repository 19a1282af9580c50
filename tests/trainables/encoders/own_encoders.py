"""Encoders of a user's own, one right and others each with one fault."""

import torch
from torch import Tensor, nn


class Right(nn.Module):
    """A linear map of the pixels."""

    def __init__(self, *, channels: int, size: int) -> None:
        super().__init__()
        self.linear = nn.Linear(channels * size * size, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.flatten(1))


class Normalised(Right):
    """Right too: the gradient of the plain sum of these outputs is zero."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).softmax(dim=1)


class NoSize(Right):
    def __init__(self, channels: int) -> None:
        super().__init__(channels=channels, size=4)


class ThreeChannels(Right):
    def __init__(self, *, channels: int, size: int) -> None:
        super().__init__(channels=3, size=size)


class FeatureMap(Right):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)[..., None]


class OneRow(Right):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)[:1]


class Pair(Right):
    """As networks with an auxiliary output in training."""

    def forward(self, x: Tensor) -> object:
        output = super().forward(x)
        return (output, output) if self.training else output


class NotANumber(Right):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * torch.nan


class SteepRoot(Right):
    """Finite, with a gradient that is not."""

    def forward(self, x: Tensor) -> Tensor:
        return (super().forward(x) * 0).abs().sqrt()


class Whole(Right):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).round().long()


class Detached(Right):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).detach()


class Rounded(Right):
    """The gradient is zero everywhere."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).round()


class Frozen(Right):
    def __init__(self, *, channels: int, size: int) -> None:
        super().__init__(channels=channels, size=size)
        self.requires_grad_(False)


class View(Right):
    """`view` fails with the memory format of a trial's images, which are channels-last."""

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.view(len(x), -1))


class Exits(Right):
    def forward(self, x: Tensor) -> Tensor:
        raise SystemExit("no licence")


def function(*, channels: int, size: int) -> str:
    return f"{channels} x {size}"


NOT_CALLABLE = 3


class Half(Right):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).half()


class Double(Right):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).double()


_ONE = Right(channels=1, size=8)


def shared(*, channels: int, size: int) -> nn.Module:
    """The same network in every call."""
    return _ONE


def shared_part(*, channels: int, size: int) -> nn.Module:
    """A new network in every call, around the same one."""
    return nn.Sequential(_ONE, nn.ReLU())


class Stop(BaseException):
    """No `Exception`."""


class RaisesBase(Right):
    def forward(self, x: Tensor) -> Tensor:
        raise Stop("no\nway")


class Lazy(nn.Module):
    """Its parameters get their shape in the first call."""

    def __init__(self, *, channels: int, size: int) -> None:
        super().__init__()
        self.linear = nn.LazyLinear(5)
