"""The approximate colour operations equal a loop over images, and deviate little from the faithful ones."""

import math

import pytest
import torch
from torch import Tensor

from tests.trainables.views.examples import images, jitter, natural_images, to_images, to_planes
from trainables.views.affine import recolour
from trainables.views.batched import build_views
from trainables.views.colour import LUMA, Jitter


def recolour_one(image: Tensor, amounts: list[float], grey: bool) -> Tensor:
    """Hue, saturation, contrast, brightness and grey one after the other, without cutting in between."""
    brightness, contrast, saturation, hue = amounts
    weights = torch.tensor(LUMA)

    def luma(x: Tensor) -> Tensor:
        return (weights[:, None, None] * x).sum(0, keepdim=True)

    if len(image) == 3:
        axis, angle = torch.full((3,), 1 / math.sqrt(3)), 2 * math.pi * hue
        along = axis[:, None, None] * image.sum(0) / math.sqrt(3)
        across = torch.linalg.cross(axis[:, None, None].expand_as(image), image, dim=0)
        image = along + math.cos(angle) * (image - along) + math.sin(angle) * across
        image = saturation * image + (1 - saturation) * luma(image)
    mean = luma(image).mean() if len(image) == 3 else image.mean()
    image = brightness * (contrast * image + (1 - contrast) * mean)
    image = luma(image).expand(3, -1, -1) if grey and len(image) == 3 else image
    return image.clamp(0, 1)


@pytest.mark.parametrize("channels", [1, 3])
def test_one_matrix_equals_the_operations_one_by_one(channels: int) -> None:
    before, given = images(channels), jitter()
    to_grey = torch.arange(len(before)) % 4 == 0
    after = to_images(recolour(to_planes(before), given, to_grey))
    for row, image in enumerate(before):
        expected = recolour_one(image, given.amounts[row].tolist(), bool(to_grey[row]))
        # The luma's weights, as torchvision rounds them, sum to 0.9999.
        torch.testing.assert_close(after[row], expected, atol=5e-4, rtol=0)


def test_neutral_amounts_change_nothing() -> None:
    neutral = Jitter(amounts=torch.tensor([[1.0, 1.0, 1.0, 0.0]]).repeat(48, 1), order=jitter().order)
    after = recolour(to_planes(images(3)), neutral, torch.zeros(48, dtype=torch.bool))
    torch.testing.assert_close(after, to_planes(images(3)), atol=1e-6, rtol=0)


@pytest.mark.parametrize(("recipe", "mean", "high"), [("cifar", 4.0, 16.0), ("imagenet", 6.0, 26.0)])
def test_deviation_from_the_faithful_form_on_photographs(recipe: str, mean: float, high: float) -> None:
    before = natural_images()
    faithful, approximate = (
        build_views(recipe, channels=3, size=32, form=form) for form in ("faithful", "approximate")
    )
    given = faithful.draw(len(before), torch.Generator().manual_seed(0))
    deviation = 255 * (faithful.apply(before, given) - approximate.apply(before, given)).abs()
    assert 0.1 < deviation.mean() < mean
    assert deviation.flatten()[::5].quantile(0.95) < high


def test_forms_draw_the_same_parameters_and_differ_in_colour_alone() -> None:
    faithful = build_views("digits", channels=1, size=8)
    approximate = build_views("digits", channels=1, size=8, form="approximate")
    one, other = (views.draw(50, torch.Generator().manual_seed(0)) for views in (faithful, approximate))
    assert torch.equal(one.jitter.amounts, other.jitter.amounts)
    assert torch.equal(one.boxes.start, other.boxes.start)
