"""Views as a whole: against a per-image torchvision pipeline, and what their randomness depends on."""

import pytest
import torch
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F

from tests.trainables.views.test_colour import jitter_one
from tests.trainables.views.test_crop import corner_and_extent, some_images
from trainables.views import batched
from trainables.views.batched import ViewParameters, Views
from trainables.views.catalogue import VIEWS, ViewRecipe, build_views, check_views_name, plain

SHAPES = {"digits": (1, 8), "cifar": (3, 32), "imagenet": (3, 48)}
BLUR_KERNEL = {48: 5}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def one_view(image: Tensor, given: ViewParameters, row: int) -> Tensor:
    """What a loop over images with torchvision's functions makes of the same parameters."""
    size = list(image.shape[1:])
    view = F.resized_crop(
        image / 255, *corner_and_extent(given.boxes, row), size, InterpolationMode.BICUBIC, antialias=True
    ).clamp(0, 1)
    view = F.hflip(view) if given.flip[row] else view
    view = jitter_one(view, given.jitter, row)
    view = F.rgb_to_grayscale(view, len(view)) if given.grey[row] else view
    if given.blur is not None and given.blur.chosen[row]:
        view = F.gaussian_blur(view, BLUR_KERNEL[size[0]], float(given.blur.sigma[row]))
    return view if given.noise is None else (view + given.noise[row]).clamp(0, 1)


@pytest.mark.parametrize(
    ("recipe", "channels", "size"), [("digits", 1, 8), ("cifar", 3, 32), ("cifar", 1, 8), ("imagenet", 3, 48)]
)
def test_views_equal_torchvisions_with_the_same_parameters(recipe: str, channels: int, size: int) -> None:
    images = some_images(80, channels, size)
    views = build_views(recipe, channels=channels, size=size)
    given = views.draw(80, generator())
    after = views.apply(images, given)
    assert after.dtype == torch.float32
    for row in range(80):
        torch.testing.assert_close(after[row], one_view(images[row], given, row), atol=2e-5, rtol=0)


@pytest.mark.parametrize("recipe", SHAPES)
def test_views_depend_on_the_generator_alone(recipe: str) -> None:
    channels, size = SHAPES[recipe]
    images, views = some_images(8, channels, size), build_views(recipe, channels=channels, size=size)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = views(images, generator())
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    assert torch.equal(views(images, generator()), first)
    assert not torch.equal(views(images, generator(1)), first)


@pytest.mark.parametrize("recipe", SHAPES)
def test_each_image_has_parameters_of_its_own(recipe: str) -> None:
    channels, size = SHAPES[recipe]
    same = some_images(1, channels, size).expand(64, -1, -1, -1)
    found = build_views(recipe, channels=channels, size=size)(same, generator())
    assert len({view.numpy().tobytes() for view in found}) == 64
    assert -1e-6 <= found.min() < found.max() <= 1 + 1e-6


def test_large_batches_are_worked_on_in_blocks_that_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    views, images = build_views("cifar", channels=3, size=32), some_images(100, 3, 32)
    given = views.draw(100, generator())
    whole = views.apply(images, given)
    monkeypatch.setattr(batched, "_BLOCK_PIXELS", 7 * 3 * 32 * 32)
    torch.testing.assert_close(views.apply(images, given), whole, atol=1e-6, rtol=0)


def test_parameters_follow_the_recipe() -> None:
    given = build_views("cifar", channels=3, size=32).draw(20_000, generator())
    recipe, jitter = VIEWS["cifar"], given.jitter
    assert float(given.flip.float().mean()) == pytest.approx(0.5, abs=0.015)
    assert float(given.grey.float().mean()) == pytest.approx(0.2, abs=0.012)
    assert float((jitter.hue != 0).float().mean()) == pytest.approx(0.8, abs=0.012)
    # All four jitters of an image are left out together.
    assert torch.equal(
        jitter.hue == 0, (jitter.brightness == 1) & (jitter.contrast == 1) & (jitter.saturation == 1)
    )
    for name in ("brightness", "contrast", "saturation"):
        strength = getattr(recipe, name)
        applied = getattr(jitter, name)[jitter.hue != 0] - 1
        assert float(applied.abs().max()) == pytest.approx(strength, abs=0.001)
        assert float(applied.std()) == pytest.approx(strength / 3**0.5, abs=0.005)
    orders, counts = torch.unique(jitter.order, dim=0, return_counts=True)
    assert len(orders) == 24
    assert counts.min() > 0.8 * 20_000 / 24


def test_recipe_without_randomness_changes_nothing() -> None:
    images = some_images(5, 3, 8)
    views = Views(recipe=ViewRecipe(), channels=3, size=8)
    torch.testing.assert_close(views(images, generator()), plain(images), atol=1e-6, rtol=0)


def test_digits_are_never_mirrored() -> None:
    assert not build_views("digits", channels=1, size=8).draw(1000, generator()).flip.any()


def test_plain_scales_to_one_and_leaves_its_input() -> None:
    images = torch.tensor([0, 51, 255], dtype=torch.uint8)
    assert plain(images).tolist() == pytest.approx([0, 0.2, 1])
    assert images.tolist() == [0, 51, 255]


def test_wrong_name_channels_and_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"views: got 'cifra'; allowed are digits, cifar, imagenet"):
        check_views_name("cifra")
    with pytest.raises(ValueError, match=r"channels: got 4; allowed are 1 \(grey\) and 3"):
        build_views("cifar", channels=4, size=8)
    with pytest.raises(ValueError, match=r"images: got shape \(2, 1, 8, 8\); allowed is \(M, 3, 8, 8\)"):
        build_views("cifar", channels=3, size=8)(some_images(2, 1, 8), generator())
