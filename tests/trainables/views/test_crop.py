"""Boxes against torchvision's in distribution, resizing against torchvision and Pillow with equal boxes."""

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp
from torch import Tensor
from torchvision.transforms import InterpolationMode, RandomResizedCrop
from torchvision.transforms import functional as F

from tests.trainables.views.examples import MODES, corner_and_extent, some_images
from trainables.views import crop
from trainables.views.crop import DRAWS, Boxes, boxes_from, crop_and_resize, resample_weights

SCALE, RATIO = (0.08, 1.0), (3 / 4, 4 / 3)


def some_boxes(count: int, size: int) -> Boxes:
    uniform = torch.rand(count, DRAWS, generator=torch.Generator().manual_seed(1))
    return boxes_from(uniform, size, SCALE, RATIO)


def resize(
    images: Tensor,
    boxes: Boxes,
    flip: Tensor,
    output_size: int | None = None,
    interpolation: str = "bicubic",
) -> Tensor:
    """`crop_and_resize` with images (M, C, output, output) back."""
    return crop_and_resize(images, boxes, flip, output_size, interpolation).transpose(0, 1)


@pytest.mark.parametrize("size", [8, 32])
def test_boxes_follow_torchvisions_law(size: int) -> None:
    torch.manual_seed(0)
    image = torch.empty(1, size, size)
    theirs = np.array([RandomResizedCrop.get_params(image, SCALE, RATIO) for _ in range(3000)])
    boxes = some_boxes(3000, size)
    ours = torch.cat([boxes.start, boxes.extent], 1).numpy()
    for column in range(4):
        assert ks_2samp(theirs[:, column], ours[:, column]).pvalue > 0.01
    assert ks_2samp(theirs[:, 2] * theirs[:, 3], ours[:, 2] * ours[:, 3]).pvalue > 0.01


def test_boxes_lie_inside_and_differ_between_images() -> None:
    boxes = some_boxes(2000, 8)
    assert (boxes.start >= 0).all()
    assert ((boxes.start + boxes.extent).amax(0) == 8).all()
    assert boxes.extent.min() >= 1
    assert len({corner_and_extent(boxes, row) for row in range(2000)}) > 100


def test_box_that_never_fits_becomes_the_whole_image() -> None:
    boxes = boxes_from(torch.full((1, DRAWS), 0.999), 32, (1.0, 1.0), (2.0, 3.0))
    assert corner_and_extent(boxes, 0) == (0, 0, 32, 32)


def test_corner_never_leaves_the_image_at_the_largest_draw() -> None:
    largest = torch.full((1, DRAWS), 1 - 2**-24)
    for size in range(8, 257):
        boxes = boxes_from(largest, size, (0.08, 0.08), (1.0, 1.0))
        assert ((boxes.start + boxes.extent) == size).all()


@pytest.mark.parametrize("interpolation", MODES)
@pytest.mark.parametrize(
    ("channels", "size", "output"),
    [(1, 8, 8), (3, 32, 32), (3, 96, 96), (3, 32, 24), (3, 24, 32), (3, 256, 224), (3, 8, 64)],
)
def test_resize_equals_torchvisions_antialiased_one(
    channels: int, size: int, output: int, interpolation: str
) -> None:
    images, boxes = some_images(24, channels, size), some_boxes(24, size)
    flip = torch.arange(24) % 2 == 0
    views = resize(images / 255, boxes, flip, output, interpolation)
    for row, image in enumerate(images / 255):
        box = corner_and_extent(boxes, row)
        expected = F.resized_crop(image, *box, [output, output], MODES[interpolation], antialias=True)
        expected = F.hflip(expected) if flip[row] else expected
        torch.testing.assert_close(views[row], expected.clamp(0, 1), atol=5e-6, rtol=0)


@pytest.mark.parametrize("interpolation", MODES)
def test_looked_up_weights_equal_computed_ones(interpolation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    images, boxes, flip = some_images(64, 3, 16) / 255, some_boxes(64, 16), torch.arange(64) % 3 == 0
    looked_up = resize(images, boxes, flip, None, interpolation)
    monkeypatch.setattr(crop, "_TABLE_BYTES", 0)
    assert torch.equal(resize(images, boxes, flip, None, interpolation), looked_up)


@pytest.mark.parametrize(("channels", "size"), [(1, 8), (3, 32)])
def test_resize_is_a_third_of_a_grey_level_from_pillow(channels: int, size: int) -> None:
    """Pillow rounds to whole levels, and clips overshoots, after each of its two passes."""
    images, boxes = some_images(64, channels, size), some_boxes(64, size)
    views = resize(images / 255, boxes, torch.zeros(64, dtype=torch.bool)) * 255
    deviations = []
    for row, image in enumerate(images):
        box = corner_and_extent(boxes, row)
        pillow = F.resized_crop(F.to_pil_image(image), *box, [size, size], InterpolationMode.BICUBIC)
        deviations.append((views[row] - F.pil_to_tensor(pillow)).abs())
    found = torch.stack(deviations)
    assert found.mean() < 0.33
    assert found.quantile(0.99) < 1
    assert found.max() < 4


def test_weights_of_the_whole_line_are_the_identity_and_rows_sum_to_one() -> None:
    start, extent = torch.tensor([0, 0, 2]), torch.tensor([7, 7, 3])
    whole, backwards, part = resample_weights(start, extent, torch.tensor([False, True, False]), 7, 7)
    torch.testing.assert_close(whole, torch.eye(7))
    torch.testing.assert_close(backwards, torch.eye(7).flip(0))
    torch.testing.assert_close(part.sum(1), torch.ones(7))
    assert (part[:, :2] == 0).all()
    assert (part[:, 5:] == 0).all()


def test_tables_are_kept_for_the_graphs_that_read_them() -> None:
    """A captured graph holds the address of a table, and not the table."""
    device = torch.device("cpu")
    first = crop.weights_table(2, 2, device)
    for size in range(3, 15):
        crop.weights_table(size, 1, device)
    assert crop.weights_table(2, 2, device) is first
