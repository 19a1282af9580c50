"""Parameters that are drawn or applied for several trials at once equal those of one trial after the other."""

import pytest
import torch

from tests.trainables.views.examples import WRITTEN_OUT, concatenated, some_images
from trainables.views.batched import build_views
from trainables.views.parameters import split_parameters
from trainables.views.recipes import FORMS, ViewChoice

SHAPES: dict[ViewChoice, tuple[int, int]] = {
    "digits": (1, 8),
    "cifar": (3, 32),
    "imagenet": (3, 48),
    WRITTEN_OUT: (3, 16),
}
COUNTS = [16, 1, 40]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("recipe", SHAPES)
def test_views_of_concatenated_trials_equal_those_one_by_one(recipe: ViewChoice, form: str) -> None:
    channels, size = SHAPES[recipe]
    views = build_views(recipe, channels=channels, size=size, form=form)
    images = some_images(sum(COUNTS), channels, size).split(COUNTS)
    drawn = [views.draw(count, generator(seed)) for seed, count in enumerate(COUNTS)]
    together = views.apply(torch.cat(images), concatenated(drawn))
    alone = [views.apply(*part) for part in zip(images, drawn, strict=True)]
    assert torch.equal(together, torch.cat(alone))


@pytest.mark.parametrize("recipe", SHAPES)
def test_stacked_draws_equal_draws_put_together(recipe: ViewChoice) -> None:
    channels, size = SHAPES[recipe]
    views, images = build_views(recipe, channels=channels, size=size), some_images(24, channels, size)
    stacked = views.draw_stacked(8, [generator(seed) for seed in range(3)])
    drawn = concatenated([views.draw(8, generator(seed)) for seed in range(3)])
    assert torch.equal(stacked.jitter.amounts, drawn.jitter.amounts)
    assert torch.equal(stacked.boxes.start, drawn.boxes.start)
    assert torch.equal(views.apply(images, stacked), views.apply(images, drawn))


def test_split_parameters_put_together_are_the_whole() -> None:
    whole = build_views(WRITTEN_OUT, channels=3, size=16).draw(11, generator())
    parts = split_parameters(whole, 4)
    assert [len(part.flip) for part in parts] == [4, 4, 3]
    again = concatenated(parts)
    assert torch.equal(again.jitter.order, whole.jitter.order)
    assert torch.equal(again.boxes.extent, whole.boxes.extent)
    assert whole.blur is not None
    assert torch.equal(again.blur.sigma, whole.blur.sigma)
    assert torch.equal(again.solarise, whole.solarise)
    assert torch.equal(again.noise, whole.noise)
    assert (
        split_parameters(build_views("imagenet", channels=3, size=16).draw(2, generator()), 1)[0].noise
        is None
    )
