"""K networks as one: the same numbers for every member, and nothing passes between them."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.trainables.training.small import small_model
from trainables.config import EncoderConfig
from trainables.encoders.encoders import build_model
from trainables.encoders.model import ContrastiveModel
from trainables.training.stacked_model import stack_models, unstack_model

_OTHER_HEAD: dict[str, Any] = {"head_hidden": (24, 12), "head_hidden_batch_norm": False}


def models_of(name: str, members: int, **head: Any) -> list[ContrastiveModel]:
    config = EncoderConfig(name=name, width=4, projection_dim=8, head_batch_norm=True, **head)
    return [
        build_model(config, channels=3, size=8, seed_generator=torch.Generator().manual_seed(seed)).train()
        for seed in range(members)
    ]


def inputs(members: int, channels: int) -> Tensor:
    return torch.rand(members, 6, channels, 8, 8, generator=torch.Generator().manual_seed(0))


def stacked_outputs(stacked: nn.Module, x: Tensor) -> Tensor:
    """z as (K, n, d)."""
    _, z = stacked(x.transpose(0, 1).flatten(1, 2))
    return z.unflatten(1, (len(x), -1)).transpose(0, 1)


@pytest.mark.parametrize(
    ("name", "members", "head"),
    [
        ("small_conv", 1, {}), ("small_conv", 2, {}), ("small_conv", 8, {}), ("resnet18", 2, {}),
        ("small_conv", 2, _OTHER_HEAD), ("small_conv", 2, {"head_hidden": ()}),
        pytest.param("resnet18", 8, {}, marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_outputs_gradients_and_statistics_are_the_members_own(
    name: str, members: int, head: dict[str, Any]
) -> None:
    models = [model.double() for model in models_of(name, members, **head)]
    x = inputs(members, 3).double()
    stacked = stack_models(models).train()
    z = stacked_outputs(stacked, x)
    alone = torch.stack([model(part)[1] for model, part in zip(models, x, strict=True)])
    torch.testing.assert_close(z, alone)
    z.pow(3).sum().backward()
    alone.pow(3).sum().backward()
    own = dict(stacked.named_parameters())
    for parameter_name in own:
        expected = torch.cat([dict(model.named_parameters())[parameter_name].grad for model in models])
        torch.testing.assert_close(own[parameter_name].grad, expected)
    statistics = dict(stacked.named_buffers())
    for buffer_name, value in statistics.items():
        expected = [dict(model.named_buffers())[buffer_name] for model in models]
        torch.testing.assert_close(value, torch.cat(expected) if value.ndim else expected[0])


def test_nothing_passes_between_members() -> None:
    """A member of NaNs leaves the others to the bit as they were."""
    models = models_of("small_conv", 3)
    x = inputs(3, 3)
    clean = stacked_outputs(stack_models(models).train(), x)
    with torch.no_grad():
        for parameter in models[1].parameters():
            parameter.fill_(float("nan"))
    spoilt = stacked_outputs(stack_models(models).train(), x)
    assert torch.equal(spoilt[[0, 2]], clean[[0, 2]])
    assert spoilt[1].isnan().all()


def test_a_stack_comes_apart_again() -> None:
    models, others = [small_model(seed) for seed in range(3)], [small_model(9) for _ in range(3)]
    unstack_model(stack_models(models), others)
    for model, other in zip(models, others, strict=True):
        for name, value in model.state_dict().items():
            assert torch.equal(other.state_dict()[name], value), name


def test_unknown_layers_are_refused() -> None:
    with pytest.raises(ValueError, match="no stacked form of the layer LayerNorm"):
        stack_models([nn.Sequential(nn.LayerNorm(4)) for _ in range(2)])


def test_functions_that_mix_channels_are_refused() -> None:
    class Mixes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x).softmax(1)

    with pytest.raises(ValueError, match="Mixes"):
        stack_models([Mixes() for _ in range(2)])
