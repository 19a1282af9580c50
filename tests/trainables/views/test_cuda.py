"""Views on a GPU: the numbers of the CPU, and capture in a CUDA graph, which any wait for the device forbids."""

import pytest
import torch

from tests.trainables.views import on_gpu
from tests.trainables.views.on_gpu import CASES
from trainables.views.recipes import FORMS, ViewChoice

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("recipe", "channels", "size"), CASES)
def test_views_on_the_device_equal_those_of_the_cpu(
    recipe: ViewChoice, channels: int, size: int, form: str
) -> None:
    on_gpu.assert_equal_those_of_the_cpu(recipe, channels, size, form)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("recipe", "channels", "size"), CASES)
def test_views_are_captured_in_a_graph(recipe: ViewChoice, channels: int, size: int, form: str) -> None:
    on_gpu.assert_captured_in_a_graph(recipe, channels, size, form)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("recipe", "channels", "size"), CASES)
def test_views_never_wait_for_the_device(recipe: ViewChoice, channels: int, size: int, form: str) -> None:
    on_gpu.assert_never_wait_for_the_device(recipe, channels, size, form)


def test_the_kernel_makes_the_batched_views() -> None:
    on_gpu.assert_the_kernel_makes_the_batched_views()
