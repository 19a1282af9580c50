"""Colour operations against torchvision's, image by image, with the same factors in the same order."""

import pytest
import torch
from torch import Tensor
from torchvision.transforms import functional as F

from trainables.views.colour import (
    BRIGHTNESS,
    CONTRAST,
    HUE,
    SATURATION,
    Jitter,
    apply_grey,
    apply_jitter,
    shift_hue,
)

COUNT = 48


def images(channels: int) -> Tensor:
    values = torch.rand(COUNT, channels, 9, 9, generator=torch.Generator().manual_seed(0))
    values[0] = 0.4  # without colour: hue is undefined
    values[1] = 0.0
    values[2] = 1.0
    return values.mul(255).round() / 255  # ties between channels, as real pixels have


def jitter() -> Jitter:
    generator = torch.Generator().manual_seed(1)
    uniform = torch.rand(COUNT, 8, generator=generator)
    return Jitter(
        brightness=0.3 + 1.4 * uniform[:, 0],
        contrast=0.3 + 1.4 * uniform[:, 1],
        saturation=0.3 + 1.4 * uniform[:, 2],
        hue=uniform[:, 3] - 0.5,
        order=uniform[:, 4:].argsort(dim=1),
    )


def jitter_one(image: Tensor, given: Jitter, row: int) -> Tensor:
    steps = {
        BRIGHTNESS: lambda x: F.adjust_brightness(x, float(given.brightness[row])),
        CONTRAST: lambda x: F.adjust_contrast(x, float(given.contrast[row])),
        SATURATION: lambda x: F.adjust_saturation(x, float(given.saturation[row])),
        HUE: lambda x: F.adjust_hue(x, float(given.hue[row])),
    }
    for step in given.order[row].tolist():
        image = steps[step](image)
    return image


@pytest.mark.parametrize("channels", [1, 3])
def test_jitter_equals_torchvisions(channels: int) -> None:
    before, given = images(channels), jitter()
    after = apply_jitter(before, given)
    for row in range(COUNT):
        torch.testing.assert_close(after[row], jitter_one(before[row], given, row), atol=2e-5, rtol=0)


def test_neutral_jitter_changes_nothing() -> None:
    ones, order = torch.ones(COUNT), jitter().order
    neutral = Jitter(brightness=ones, contrast=ones, saturation=ones, hue=0 * ones, order=order)
    torch.testing.assert_close(apply_jitter(images(3), neutral), images(3), atol=1e-6, rtol=0)


def test_jitter_leaves_its_input_alone() -> None:
    before = images(3)
    apply_jitter(before, jitter())
    torch.testing.assert_close(before, images(3), atol=0, rtol=0)


def test_hue_shift_equals_torchvisions_and_a_full_turn_is_none() -> None:
    shift = jitter().hue
    turned = shift_hue(images(3), shift)
    for row in range(COUNT):
        expected = F.adjust_hue(images(3)[row], float(shift[row]))
        torch.testing.assert_close(turned[row], expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(shift_hue(images(3), torch.ones(COUNT)), images(3), atol=1e-6, rtol=0)


def test_grey_equals_torchvisions_where_chosen() -> None:
    chosen = torch.arange(COUNT) % 3 == 0
    after = apply_grey(images(3), chosen)
    torch.testing.assert_close(after[chosen], F.rgb_to_grayscale(images(3)[chosen], 3), atol=1e-6, rtol=0)
    torch.testing.assert_close(after[~chosen], images(3)[~chosen], atol=0, rtol=0)
