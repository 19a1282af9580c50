"""Colour operations against torchvision's, image by image, with the same factors in the same order."""

import pytest
import torch
from torchvision.transforms import functional as F

from tests.trainables.views.examples import COUNT, images, jitter, jitter_one, to_images, to_planes
from trainables.views.colour import (
    HUE,
    Jitter,
    grey_where_,
    jitter_,
    shift_hue_,
    solarise_where,
)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("operations", [0, 2, 3, 4])
def test_jitter_equals_torchvisions(channels: int, operations: int) -> None:
    before, given = images(channels), jitter(operations)
    after = to_images(jitter_(to_planes(before), given))
    for row in range(COUNT):
        torch.testing.assert_close(after[row], jitter_one(before[row], given, row), atol=2e-5, rtol=0)


def test_neutral_jitter_changes_nothing() -> None:
    neutral = Jitter(amounts=torch.tensor([[1.0, 1.0, 1.0, 0.0]]).repeat(COUNT, 1), order=jitter().order)
    after = to_images(jitter_(to_planes(images(3)), neutral))
    torch.testing.assert_close(after, images(3), atol=1e-6, rtol=0)


def test_hue_shift_equals_torchvisions_and_a_full_turn_is_none() -> None:
    shift = jitter().amounts[:, HUE]
    turned = to_images(shift_hue_(to_planes(images(3)), shift))
    for row in range(COUNT):
        expected = F.adjust_hue(images(3)[row], float(shift[row]))
        torch.testing.assert_close(turned[row], expected, atol=1e-5, rtol=0)
    around = to_images(shift_hue_(to_planes(images(3)), torch.ones(COUNT)))
    torch.testing.assert_close(around, images(3), atol=1e-6, rtol=0)


def test_hue_shift_of_almost_grey_pixels_stays_between_their_channels() -> None:
    almost = 0.3 + 1e-7 * torch.rand(3, COUNT, 4, generator=torch.Generator().manual_seed(2))
    turned = shift_hue_(almost.clone(), jitter().amounts[:, HUE])
    torch.testing.assert_close(turned, almost, atol=2e-7, rtol=0)


def test_grey_equals_torchvisions_where_chosen() -> None:
    chosen = torch.arange(COUNT) % 3 == 0
    after = to_images(grey_where_(to_planes(images(3)), chosen))
    torch.testing.assert_close(after[chosen], F.rgb_to_grayscale(images(3)[chosen], 3), atol=1e-6, rtol=0)
    assert torch.equal(after[~chosen], images(3)[~chosen])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("threshold", [0.0, 0.4, 128 / 255, 1.0])
def test_solarised_images_equal_torchvisions_where_chosen(channels: int, threshold: float) -> None:
    chosen = torch.arange(COUNT) % 3 == 0
    after = solarise_where(images(channels), chosen, threshold)
    assert torch.equal(after[chosen], F.solarize(images(channels)[chosen], threshold))
    assert torch.equal(after[~chosen], images(channels)[~chosen])
