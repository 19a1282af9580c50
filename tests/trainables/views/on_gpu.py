"""Checks of the views on a GPU, for the tests and for the benchmark that goes to a machine with a GPU."""

import torch

from tests.trainables.views.examples import FUSED, WRITTEN_OUT, some_images
from trainables.views.batched import build_views
from trainables.views.fused import batched_form, kernel_form, recipe_numbers
from trainables.views.recipes import ViewChoice, ViewRecipe, recipe_of

CASES: list[tuple[ViewChoice, int, int]] = [
    ("digits", 1, 8),
    ("none", 3, 8),
    ("cifar", 3, 32),
    (WRITTEN_OUT, 3, 16),
    ("imagenet", 3, 96),
]


def assert_equal_those_of_the_cpu(recipe: ViewChoice, channels: int, size: int, form: str) -> None:
    """Views on the device have the numbers of those on the CPU."""
    views, images = (
        build_views(recipe, channels=channels, size=size, form=form),
        some_images(32, channels, size),
    )
    expected = views(images, torch.Generator().manual_seed(0))
    found = views(images.cuda(), torch.Generator().manual_seed(0))
    torch.testing.assert_close(found.cpu(), expected, atol=5e-5, rtol=0)


def assert_captured_in_a_graph(recipe: ViewChoice, channels: int, size: int, form: str) -> None:
    """A CUDA graph of the views draws anew at each replay, as eager calls do."""
    views = build_views(recipe, channels=channels, size=size, form=form)
    images = some_images(32, channels, size).cuda()
    randomness = torch.Generator("cuda").manual_seed(0)
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(randomness)
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        views(images, randomness)  # the first call makes what later ones look up
    torch.cuda.current_stream().wait_stream(side)
    with torch.cuda.graph(graph):
        captured = views(images, randomness)
    randomness.manual_seed(1)
    replayed = []
    for _ in range(2):
        graph.replay()
        replayed.append(captured.clone())
    eager = torch.Generator("cuda").manual_seed(1)
    for found in replayed:
        torch.testing.assert_close(found, views(images, eager), atol=1e-6, rtol=0)
    assert torch.equal(*replayed) == (recipe_of(recipe) == ViewRecipe())  # which draws nothing


def assert_never_wait_for_the_device(recipe: ViewChoice, channels: int, size: int, form: str) -> None:
    """After their first call, views make the CPU wait for nothing."""
    views = build_views(recipe, channels=channels, size=size, form=form)
    images, randomness = some_images(32, channels, size).cuda(), torch.Generator("cuda").manual_seed(0)
    views(images, randomness)
    torch.cuda.set_sync_debug_mode("error")
    try:
        views(images, randomness)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def assert_the_kernel_makes_the_batched_views() -> None:
    """The fused views are the batched ones up to rounding, in both types that steps use."""
    for recipe in ("cifar", FUSED):
        views, images = build_views(recipe, channels=3, size=32), some_images(64, 3, 32).cuda()
        uniform = views.draw_uniform(128, [torch.Generator("cuda").manual_seed(0)], "cuda")
        arguments = (images, uniform, 64, recipe_numbers(views.recipe))
        expected = batched_form(*arguments, torch.float32)
        spread = max(1 / each for each in views.recipe.deviation or (1.0,))
        for dtype, tolerance in ((torch.float32, 5e-5), (torch.bfloat16, 4e-3)):
            found = kernel_form(*arguments, dtype)
            assert found.stride() == expected.stride()
            torch.testing.assert_close(found.float(), expected, atol=tolerance * spread, rtol=0)
