"""Encoders and heads: shapes, stems, and an initialisation that depends on the given generator alone."""

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from trainables.config import EncoderConfig
from trainables.encoders.encoders import ENCODERS, build_model, check_encoder
from trainables.encoders.model import ContrastiveModel


def build(name: str, *, channels: int = 3, size: int = 8, seed: int = 0, **fields: Any) -> ContrastiveModel:
    config = EncoderConfig(name=name, **fields)
    return build_model(
        config, channels=channels, size=size, seed_generator=torch.Generator().manual_seed(seed)
    )


@pytest.mark.parametrize(
    ("name", "channels", "size", "h_dim"),
    [
        ("small_conv", 1, 8, 64),
        ("small_conv", 3, 16, 64),
        ("small_conv", 3, 32, 64),
        ("resnet18", 3, 32, 512),
        ("resnet18", 1, 8, 512),
        ("resnet18", 1, 96, 512),
        ("resnet50", 3, 16, 2048),
    ],
)
def test_output_shapes(name: str, channels: int, size: int, h_dim: int) -> None:
    model = build(name, channels=channels, size=size, projection_dim=24)
    h, z = model(torch.rand(3, channels, size, size))
    assert (h.shape, z.shape, model.h_dim) == ((3, h_dim), (3, 24), h_dim)


def test_width_sets_the_channels_of_the_small_network() -> None:
    model = build("small_conv", width=5)
    assert [m.out_channels for m in model.modules() if isinstance(m, nn.Conv2d)] == [5, 10, 20]
    assert model.h_dim == 20


def test_head_is_two_layers_with_batch_norm_after_the_hidden_one() -> None:
    head = build("small_conv", projection_dim=7).head
    assert [type(layer) for layer in head] == [nn.Linear, nn.BatchNorm1d, nn.ReLU, nn.Linear]
    assert [tuple(layer.weight.shape) for layer in head if isinstance(layer, nn.Linear)] == [
        (64, 64),
        (7, 64),
    ]


def test_head_may_end_in_a_batch_norm() -> None:
    head = build("small_conv", projection_dim=7, head_batch_norm=True).head
    assert [type(layer) for layer in head][3:] == [nn.Linear, nn.BatchNorm1d]
    assert head[3].bias is None
    assert head[4].num_features == 7


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("widths", [(), (24,), (24, 24, 12)])
def test_head_has_the_given_hidden_layers(widths: tuple[int, ...], batch_norm: bool) -> None:
    model = build("small_conv", projection_dim=7, head_hidden=widths, head_hidden_batch_norm=batch_norm)
    hidden = [nn.Linear, nn.BatchNorm1d, nn.ReLU] if batch_norm else [nn.Linear, nn.ReLU]
    assert [type(layer) for layer in model.head] == [*hidden * len(widths), nn.Linear]
    *inner, last = [layer for layer in model.head if isinstance(layer, nn.Linear)]
    sizes = [(layer.in_features, layer.out_features) for layer in (*inner, last)]
    assert sizes == list(itertools.pairwise((64, *widths, 7)))
    assert [layer.bias is not None for layer in inner] == [not batch_norm] * len(widths)
    assert last.bias is not None
    assert model(torch.rand(3, 3, 8, 8))[1].shape == (3, 7)


def test_the_encoders_width_written_out_gives_the_default_head() -> None:
    """To the bit: the initial weights are those that earlier records have."""
    default, written = build("small_conv"), build("small_conv", head_hidden=(64,))
    assert list(default.state_dict()) == list(written.state_dict())
    for name, value in default.state_dict().items():
        assert torch.equal(value, written.state_dict()[name]), name


def test_stem_follows_the_size_of_the_images() -> None:
    small, large = build("resnet18", size=64).encoder, build("resnet18", size=65).encoder
    assert (small.conv1.kernel_size, small.conv1.stride) == ((3, 3), (1, 1))
    assert isinstance(small.maxpool, nn.Identity)
    assert (large.conv1.kernel_size, large.conv1.stride) == ((7, 7), (2, 2))
    assert isinstance(large.maxpool, nn.MaxPool2d)


@pytest.mark.parametrize("name", ["small_conv", "resnet18"])
def test_initialisation_depends_on_the_generator_alone(name: str) -> None:
    torch.manual_seed(1)
    first = build(name).state_dict()
    torch.manual_seed(2)
    again, other = build(name).state_dict(), build(name, seed=1).state_dict()
    assert all(torch.equal(first[key], again[key]) for key in first)
    random = [key for key in first if first[key].ndim > 1]
    assert not any(torch.equal(first[key], other[key]) for key in random)


def test_building_leaves_global_randomness_untouched() -> None:
    torch.manual_seed(3)
    state = torch.get_rng_state()
    build("small_conv")
    with pytest.raises(ValueError, match="output of shape"):
        build(f"{__name__}:FeatureMap")
    assert torch.equal(torch.get_rng_state(), state)


def test_fresh_model_is_in_training_mode_with_fresh_statistics() -> None:
    model = build("small_conv")
    assert all(module.training for module in model.modules())
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    assert all(norm.num_batches_tracked == 0 and (norm.running_var == 1).all() for norm in norms)


class OwnNetwork(nn.Module):
    """A user's own encoder."""

    def __init__(self, *, channels: int, size: int) -> None:
        super().__init__()
        self.linear = nn.Linear(channels * size * size, 11)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.flatten(1))


class FeatureMap(OwnNetwork):
    """A mistaken one: its output keeps a spatial axis."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)[..., None]


def test_own_encoder_by_import_path() -> None:
    name = f"{__name__}:OwnNetwork"
    check_encoder(name, channels=3, size=8)
    model = build(name)
    assert model.h_dim == 11
    assert torch.equal(model.encoder.linear.weight, build(name).encoder.linear.weight)


def test_own_encoder_with_another_output_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"output of shape \(2, 11, 1\) for 2 images; allowed is \(2, h_dim\)"
    ):
        build(f"{__name__}:FeatureMap")


@pytest.mark.parametrize("name", ["vit", "", ":MyNet", "my.package:"])
def test_unknown_name_lists_what_is_allowed(name: str) -> None:
    with pytest.raises(ValueError, match=rf"encoder.name: got '{name}'; allowed are {', '.join(ENCODERS)}"):
        check_encoder(name, channels=3, size=8)


@pytest.mark.parametrize("name", ["no_such_package.nets:MyNet", "trainables.config:NoSuchNet"])
def test_import_path_that_leads_nowhere_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"encoder.name: got '{name}', which fails to import: "):
        check_encoder(name, channels=3, size=8)


def test_width_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="width: got 0; allowed are integers from 1"):
        build("small_conv", width=0)
