"""Views agree with a torchvision pipeline per image, and their randomness depends on the generator alone."""

import dataclasses

import pytest
import torch
from scipy.stats import ks_2samp, kstest
from torch import Tensor
from torchvision.transforms import ColorJitter
from torchvision.transforms import functional as F

from tests.trainables.views.examples import MODES, WRITTEN_OUT, corner_and_extent, jitter_one, some_images
from trainables.views import batched
from trainables.views.batched import Views, build_views
from trainables.views.parameters import ViewParameters
from trainables.views.recipes import FORMS, VIEWS, ViewChoice, ViewRecipe, recipe_of

SHAPES: dict[ViewChoice, tuple[int, int]] = {
    "digits": (1, 8),
    "cifar": (3, 32),
    "imagenet": (3, 48),
    WRITTEN_OUT: (3, 32),
}
BLUR_KERNEL = {32: 3, 48: 5}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def one_view(
    image: Tensor, given: ViewParameters, row: int, recipe: ViewRecipe, output: int | None = None
) -> Tensor:
    """What a loop over images with torchvision's functions makes of the same parameters."""
    size, mode = [output or image.shape[1]] * 2, MODES[recipe.interpolation]
    box = corner_and_extent(given.boxes, row)
    view = F.resized_crop(image / 255, *box, size, mode, antialias=True).clamp(0, 1)
    view = F.hflip(view) if given.flip[row] else view
    view = jitter_one(view, given.jitter, row)
    view = F.rgb_to_grayscale(view, len(view)) if given.grey[row] else view
    if given.blur is not None and given.blur.chosen[row]:
        view = F.gaussian_blur(view, BLUR_KERNEL[size[0]], float(given.blur.sigma[row]))
    if given.solarise is not None and given.solarise[row]:
        view = F.solarize(view, recipe.solarise_threshold)
    if given.noise is not None:
        view = (view + given.noise[row]).clamp(0, 1)
    return F.normalize(view, recipe.mean, recipe.deviation) if recipe.mean else view


@pytest.mark.parametrize(
    ("recipe", "channels", "size", "output"),
    [
        ("digits", 1, 8, 8),
        ("cifar", 3, 32, 32),
        ("cifar", 1, 8, 8),
        ("imagenet", 3, 64, 48),
        (WRITTEN_OUT, 3, 32, 32),
        (WRITTEN_OUT, 3, 64, 48),
    ],
)
def test_views_equal_torchvisions_with_the_same_parameters(
    recipe: ViewChoice, channels: int, size: int, output: int
) -> None:
    images = some_images(80, channels, size)
    views = build_views(recipe, channels=channels, size=size, output_size=output)
    given = views.draw(80, generator())
    after = views.apply(images, given)
    assert after.dtype == torch.float32
    spread = max(1 / each for each in views.recipe.deviation or (1.0,))
    for row in range(80):
        expected = one_view(images[row], given, row, views.recipe, output)
        torch.testing.assert_close(after[row], expected, atol=2e-5 * spread, rtol=0)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("output", [None, 20])
def test_views_are_of_the_output_size(form: str, output: int | None) -> None:
    views = build_views("digits", channels=1, size=24, form=form, output_size=output)
    found = views(some_images(3, 1, 24), generator())
    assert found.shape == (3, 1, output or 24, output or 24)
    assert found.is_contiguous()


@pytest.mark.parametrize("form", FORMS)
def test_views_after_a_restart_are_those_of_an_uninterrupted_run(form: str) -> None:
    views, images = build_views("digits", channels=1, size=8, form=form), some_images(16, 1, 8)
    randomness = generator()
    for _ in range(3):
        views(images, randomness)
    state = randomness.get_state()
    expected = [views(images, randomness) for _ in range(2)]
    restarted = generator(99)
    restarted.set_state(state)
    for view in expected:
        assert torch.equal(views(images, restarted), view)


@pytest.mark.parametrize("recipe", SHAPES)
def test_views_depend_on_the_generator_alone(recipe: ViewChoice) -> None:
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
def test_each_image_has_parameters_of_its_own(recipe: ViewChoice) -> None:
    channels, size = SHAPES[recipe]
    same = some_images(1, channels, size).expand(64, -1, -1, -1)
    found = build_views(recipe, channels=channels, size=size)(same, generator())
    assert len({view.numpy().tobytes() for view in found}) == 64
    if not recipe_of(recipe).mean:
        assert -1e-6 <= found.min() < found.max() <= 1 + 1e-6


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("recipe", SHAPES)
def test_blocks_change_nothing(recipe: ViewChoice, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    channels, size = SHAPES[recipe]
    views, images = (
        build_views(recipe, channels=channels, size=size, form=form),
        some_images(40, channels, size),
    )
    given = views.draw(40, generator())
    monkeypatch.setattr(batched, "_BLOCK_PIXELS", 40 * images[0].numel())
    whole = views.apply(images, given)
    monkeypatch.setattr(batched, "_BLOCK_PIXELS", 7 * images[0].numel())
    assert torch.equal(views.apply(images, given), whole)


def test_parameters_follow_the_recipe() -> None:
    given = build_views("cifar", channels=3, size=32).draw(20_000, generator())
    neutral = given.jitter.amounts == torch.tensor([1.0, 1.0, 1.0, 0.0])
    assert float(given.flip.float().mean()) == pytest.approx(0.5, abs=0.015)
    assert float(given.grey.float().mean()) == pytest.approx(0.2, abs=0.012)
    assert float((~neutral[:, 3]).float().mean()) == pytest.approx(0.8, abs=0.012)
    assert torch.equal(neutral.all(1), neutral[:, 3])  # all four jitters of an image are left out together
    orders, counts = torch.unique(given.jitter.order, dim=0, return_counts=True)
    assert len(orders) == 24
    assert counts.min() > 0.8 * 20_000 / 24


@pytest.mark.parametrize("recipe", ["cifar", "imagenet"])
def test_jitter_follows_torchvisions_law(recipe: str) -> None:
    torch.manual_seed(0)
    strengths = VIEWS[recipe]
    amounts = build_views(recipe, channels=3, size=32).draw(3000, generator()).jitter.amounts
    applied = amounts[amounts[:, 3] != 0]
    theirs = ColorJitter(strengths.brightness, strengths.contrast, strengths.saturation, strengths.hue)
    drawn = [
        ColorJitter.get_params(theirs.brightness, theirs.contrast, theirs.saturation, theirs.hue)
        for _ in range(3000)
    ]
    for column in range(4):
        their_column = [parameters[column + 1] for parameters in drawn]
        assert ks_2samp(applied[:, column].numpy(), their_column).pvalue > 0.01
    positions = applied_positions(torch.stack([parameters[0] for parameters in drawn]))
    found = applied_positions(build_views(recipe, channels=3, size=32).draw(3000, generator()).jitter.order)
    torch.testing.assert_close(found, positions, atol=0.03, rtol=0)


def applied_positions(order: Tensor) -> Tensor:
    """Share (4, 4) of the images whose k-th operation is o."""
    return torch.nn.functional.one_hot(order, 4).float().mean(dim=0)


def test_blur_follows_its_law() -> None:
    blur = build_views("imagenet", channels=3, size=32).draw(3000, generator()).blur
    assert blur is not None
    assert float(blur.chosen.float().mean()) == pytest.approx(0.5, abs=0.03)
    assert kstest(blur.sigma.numpy(), "uniform", args=(0.1, 1.9)).pvalue > 0.01


def test_recipe_without_randomness_changes_nothing() -> None:
    images = some_images(5, 3, 8)
    views = Views(recipe=ViewRecipe(), channels=3, size=8)
    torch.testing.assert_close(views(images, generator()), images / 255, atol=1e-6, rtol=0)


def test_digits_are_never_mirrored() -> None:
    assert not build_views("digits", channels=1, size=8).draw(1000, generator()).flip.any()


def test_solarisation_follows_its_law_and_moves_no_other_draw() -> None:
    recipe = dataclasses.replace(WRITTEN_OUT, solarise_probability=0.0)
    without = build_views(recipe, channels=3, size=8).draw(1, generator())
    given = build_views(WRITTEN_OUT, channels=3, size=8).draw(1, generator())
    assert torch.equal(given.boxes.extent, without.boxes.extent)
    assert torch.equal(given.jitter.amounts, without.jitter.amounts)
    assert without.solarise is None
    many = build_views(WRITTEN_OUT, channels=3, size=8).draw(3000, generator()).solarise
    assert many is not None
    assert float(many.float().mean()) == pytest.approx(0.3, abs=0.03)


def test_plain_images_are_scaled_and_left_as_they_are() -> None:
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).view(3, 1, 1, 1)
    found = Views(recipe=ViewRecipe(), channels=1, size=1).plain(images)
    assert found.flatten().tolist() == pytest.approx([0, 0.2, 1])
    assert images.flatten().tolist() == [0, 51, 255]


@pytest.mark.parametrize("channels", [1, 3])
def test_plain_images_are_normalised_as_torchvision_does(channels: int) -> None:
    recipe = dataclasses.replace(
        WRITTEN_OUT, mean=WRITTEN_OUT.mean[:channels], deviation=WRITTEN_OUT.deviation[:channels]
    )
    images = some_images(5, channels, 8)
    found = Views(recipe=recipe, channels=channels, size=8).plain(images)
    assert torch.equal(found, F.normalize(images / 255, recipe.mean, recipe.deviation))


def test_wrong_name_channels_and_shape_are_refused() -> None:
    with pytest.raises(
        ValueError,
        match=r"views: got 'cifra' \(did you mean cifar\?\); allowed are digits, cifar, imagenet, none",
    ):
        build_views("cifra", channels=3, size=8)
    with pytest.raises(
        ValueError, match="mean: got 3 numbers, must be one for each channel, and the images have 1"
    ):
        build_views(WRITTEN_OUT, channels=1, size=8)
    with pytest.raises(ValueError, match=r"channels: got 4; allowed are 1 \(grey\) and 3"):
        build_views("cifar", channels=4, size=8)
    with pytest.raises(ValueError, match=r"form: got 'exact'; allowed are faithful, approximate"):
        build_views("cifar", channels=3, size=8, form="exact")
    with pytest.raises(ValueError, match=r"output_size: got 0; allowed is None or at least 1"):
        build_views("cifar", channels=3, size=8, output_size=0)
    with pytest.raises(ValueError, match=r"images: got shape \(2, 1, 8, 8\); allowed is \(M, 3, 8, 8\)"):
        build_views("cifar", channels=3, size=8)(some_images(2, 1, 8), generator())
