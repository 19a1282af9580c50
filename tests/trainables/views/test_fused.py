"""The views as one operator are the batched views, and the kernel computes them too, in Triton's interpreter."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.trainables.views.examples import FUSED, WRITTEN_OUT, some_images
from trainables.views.batched import build_views
from trainables.views.fused import can_fuse, fused_views
from trainables.views.recipes import ViewChoice


@pytest.mark.parametrize("recipe", ["cifar", FUSED])
def test_the_operator_is_two_batched_views_of_every_image_of_every_seed(recipe: ViewChoice) -> None:
    views, images = build_views(recipe, channels=3, size=16), some_images(12, 3, 16).unflatten(0, (2, 6))
    assert can_fuse(views)
    one, other = ([torch.Generator().manual_seed(seed) for seed in (3, 4)] for _ in range(2))
    found = fused_views(views, images, one, torch.bfloat16)
    twice = torch.cat([images, images], dim=1).flatten(0, 1)
    expected = views.apply(twice, views.draw_stacked(12, other))
    assert torch.equal(found, expected.bfloat16())
    assert found.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("recipe", [WRITTEN_OUT, "imagenet", "none"])
def test_steps_that_the_kernel_lacks_are_left_to_the_batched_views(recipe: ViewChoice) -> None:
    assert not can_fuse(build_views(recipe, channels=3, size=16))


def run_alone(module: str, tmp_path: Path, **environment: str) -> None:
    """Run a module in a process of its own: Triton reads its settings when it is imported."""
    done = subprocess.run(
        [sys.executable, "-m", module],
        env=os.environ | {"TRITON_CACHE_DIR": str(tmp_path), "OMP_NUM_THREADS": "1"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_kernel_in_the_interpreter_makes_the_batched_views(tmp_path: Path) -> None:
    pytest.importorskip("triton")
    run_alone("tests.trainables.views.interpreted_kernel", tmp_path, TRITON_INTERPRET="1")


@pytest.mark.slow
def test_the_kernel_compiles_for_cards(tmp_path: Path) -> None:
    pytest.importorskip("triton")
    run_alone("tests.trainables.views.compiled_kernel", tmp_path)
