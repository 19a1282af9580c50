"""Built-in corruptions: stronger by severity, the same every time, on grey and colour images of any size."""

import itertools

import numpy as np
import pytest
import torch

from trainables.evaluation.corruptions.built_in import BUILT_IN, corrupt


def smooth_images(channels: int, size: int, count: int = 6) -> np.ndarray:
    """Random blobs with pixels of all brightnesses: closer to photographs than noise is."""
    generator = torch.Generator().manual_seed(size)
    coarse = torch.rand(count, channels, 4, 4, generator=generator)
    fine = torch.nn.functional.interpolate(coarse, size=(size, size), mode="bilinear")
    fine += 0.1 * torch.rand(fine.shape, generator=generator)
    return fine.mul(220).to(torch.uint8).numpy()


@pytest.mark.parametrize(("channels", "size"), [(1, 8), (3, 8), (1, 28), (3, 32), (3, 75), (3, 224)])
@pytest.mark.parametrize("name", BUILT_IN)
def test_a_higher_severity_changes_more(name: str, channels: int, size: int) -> None:
    images = smooth_images(channels, size)
    copies = [corrupt(images, name, severity, "test") for severity in range(1, 6)]
    assert all(each.shape == images.shape and each.dtype == np.uint8 for each in copies)
    changes = [np.abs(each.astype(float) - images).mean() for each in copies]
    assert changes[0] > 0
    assert all(weaker < stronger for weaker, stronger in itertools.pairwise(changes))
    assert changes[-1] < 90  # of 255: the image is still there


@pytest.mark.parametrize("name", BUILT_IN)
def test_copies_repeat_and_draws_differ_by_split_and_image(name: str) -> None:
    images = np.repeat(smooth_images(3, 16, count=1), 2, axis=0)
    first, again, other = (corrupt(images, name, 3, split) for split in ("test", "test", "val"))
    assert np.array_equal(first, again)
    drawn = name in ("gaussian_noise", "impulse_noise", "elastic")
    assert np.array_equal(first, other) != drawn
    assert np.array_equal(first[0], first[1]) != drawn


def test_severities_share_their_draws() -> None:
    images = np.full((2, 1, 16, 16), 128, np.uint8)
    weak, strong = (corrupt(images, "impulse_noise", severity, "test") != images for severity in (2, 4))
    assert weak.any()
    assert strong[weak].all()


def test_blocks_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    images = smooth_images(3, 16, count=7)
    whole = corrupt(images, "jpeg", 3, "test")
    monkeypatch.setattr("trainables.evaluation.corruptions.built_in._BLOCK", 2 * images[0].size)
    assert np.array_equal(corrupt(images, "jpeg", 3, "test"), whole)


def test_the_originals_stay() -> None:
    images = smooth_images(3, 16)
    before = images.copy()
    images.setflags(write=False)
    for name in BUILT_IN:
        corrupt(images, name, 5, "test")
    assert np.array_equal(images, before)


def test_the_blur_is_torchvisions() -> None:
    from torchvision.transforms.v2 import functional as transforms

    images = smooth_images(3, 32)
    sigma = 0.25 + 0.015 * 32
    theirs = transforms.gaussian_blur(torch.from_numpy(images).float(), [7, 7], [sigma, sigma])
    assert np.abs(corrupt(images, "gaussian_blur", 3, "test") - theirs.numpy()).max() <= 0.51


@pytest.mark.parametrize(
    ("name", "severity", "message"),
    [
        ("snow", 3, r"corruption: got 'snow'; allowed are gaussian_noise, .*jpeg"),
        ("jpeg", 0, r"severity: got 0; allowed are 1 to 5"),
        ("jpeg", 6, r"severity: got 6; allowed are 1 to 5"),
    ],
)
def test_unknown_corruptions(name: str, severity: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        corrupt(smooth_images(1, 8), name, severity, "test")
