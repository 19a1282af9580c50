"""Blur against torchvision's, with the same width, up to the ends of the line."""

import pytest
import torch
from torchvision.transforms import functional as F

from trainables.views.blur import Blur, apply_blur, blur_weights


@pytest.mark.parametrize(("size", "kernel"), [(8, 3), (32, 3), (48, 5), (96, 9), (224, 23)])
def test_blur_equals_torchvisions_where_chosen(size: int, kernel: int) -> None:
    images = torch.rand(6, 3, size, size, generator=torch.Generator().manual_seed(0))
    sigma = torch.linspace(0.1, 2.0, 6)
    blurred = apply_blur(images, Blur(sigma=sigma, chosen=torch.arange(6) != 4))
    for row, image in enumerate(images):
        expected = image if row == 4 else F.gaussian_blur(image, kernel, float(sigma[row]))
        torch.testing.assert_close(blurred[row], expected, atol=2e-6, rtol=0)


def test_weights_sum_to_one() -> None:
    sums = blur_weights(torch.tensor([0.1, 2.0]), 48).sum(2)
    torch.testing.assert_close(sums, torch.ones(2, 48))
