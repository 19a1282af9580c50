"""The C function makes the batched views, up to rounding, and trains as they do."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.benchmarks.trainings import random_data, trainer, trials
from tests.trainables.views.examples import some_images
from trainables.config import EncoderConfig
from trainables.runtime import Runtime
from trainables.views import cpu_kernel
from trainables.views.batched import Views, build_views
from trainables.views.cpu_kernel import NoCompilerError, views_on_cpu
from trainables.views.fused import fused_views
from trainables.views.recipes import ViewRecipe

with_compiler = pytest.mark.skipif(
    shutil.which(os.environ.get("CC", "cc")) is None, reason="needs a C compiler"
)


def both(views: Views, images: Tensor) -> tuple[Tensor, Tensor]:
    """The views of images (U, M, 3, H, H) by the C function and by the batched form."""
    ours, batched = ([torch.Generator().manual_seed(seed) for seed in range(len(images))] for _ in range(2))
    made = views_on_cpu(views, images, ours, torch.float32)
    return made, fused_views(views, images, batched, torch.float32)


@with_compiler
@pytest.mark.parametrize("size", [3, 8, 24, 32])
def test_the_views_are_the_batched_ones(size: int) -> None:
    images = some_images(60, 3, size)
    images[:20] = images[:20] // 200 * 255  # saturated colours, at the edges of the hues
    images[20:30] = images[20:30, :1]  # grey
    made, expected = both(build_views("cifar", channels=3, size=size), images.unflatten(0, (2, 30)))
    torch.testing.assert_close(made, expected, rtol=0, atol=3e-6)
    assert made.is_contiguous(memory_format=torch.channels_last)


@with_compiler
@pytest.mark.parametrize(
    "recipe",
    [
        ViewRecipe(crop_scale=(0.08, 1.0), jitter_probability=1.0, hue=0.5, flip_probability=0.5),
        ViewRecipe(jitter_probability=1.0, brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2),
        ViewRecipe(jitter_probability=0.2, hue=0.1, grey_probability=1.0),
        ViewRecipe(
            crop_scale=(0.2, 1.0),
            interpolation="bilinear",
            jitter_probability=0.5,
            hue=0.1,
            solarise_probability=0.5,
            mean=(0.5, 0.4, 0.3),
            deviation=(0.2, 0.3, 0.4),
        ),
    ],
)
def test_every_step_of_a_recipe_is_the_batched_one(recipe: ViewRecipe) -> None:
    made, expected = both(Views(recipe=recipe, channels=3, size=32), some_images(40, 3, 32)[None])
    torch.testing.assert_close(made, expected, rtol=0, atol=3e-6)


def test_other_views_and_images_are_refused() -> None:
    images, one = some_images(2, 3, 8)[None], [torch.Generator()]
    for views in (build_views("imagenet", channels=3, size=8), build_views("cifar", channels=3, size=16)):
        with pytest.raises(ValueError, match=r"views: got .* for images of shape \(3, 8, 8\)"):
            views_on_cpu(views, images, one, torch.float32)


@with_compiler
@pytest.mark.parametrize("members", [1, 2])
def test_fused_training_is_eager_training_up_to_rounding(members: int) -> None:
    data = random_data(32, count=64)
    configs = trials(EncoderConfig(name="small_conv", width=4, projection_dim=8), data, 16, members)
    fused, eager = (trainer(configs, data, Runtime(execution=execution)) for execution in ("fused", "eager"))
    for _ in range(3):
        fused.advance()
        eager.advance()
    torch.testing.assert_close(fused.losses[:, :3], eager.losses[:, :3], rtol=1e-4, atol=1e-5)


@pytest.fixture
def nothing_compiled() -> Iterator[None]:
    cpu_kernel.compiled.cache_clear()
    yield
    cpu_kernel.compiled.cache_clear()


@pytest.mark.usefixtures("nothing_compiled")
def test_without_a_compiler_the_message_names_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STUDY_CACHE_ROOT", str(tmp_path))
    monkeypatch.setenv("CC", "no-such-compiler")
    views = build_views("cifar", channels=3, size=8)
    with pytest.raises(NoCompilerError, match="no-such-compiler cannot compile the views"):
        views_on_cpu(views, some_images(2, 3, 8)[None], [torch.Generator()], torch.float32)


@with_compiler
@pytest.mark.usefixtures("nothing_compiled")
@pytest.mark.parametrize("cached", [True, False])
def test_the_library_is_compiled_once_into_the_cache(
    cached: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STUDY_CACHE_ROOT", str(tmp_path) if cached else "")
    cpu_kernel.compiled()
    assert len(list(tmp_path.glob("compiled/views-*.so"))) == cached
    cpu_kernel.compiled.cache_clear()
    if cached:
        monkeypatch.setattr(cpu_kernel.subprocess, "run", lambda *_, **__: pytest.fail("compiled again"))
    cpu_kernel.compiled()
