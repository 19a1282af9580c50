"""View recipes on the pretended device: the numbers of the CPU, eager and captured, without a wait."""

import pytest
import torch

from tests.trainables.device.device_state import Device
from tests.trainables.views.examples import WRITTEN_OUT, some_images
from tests.trainables.views.on_gpu import CASES
from trainables.views.batched import build_views
from trainables.views.recipes import FORMS, VIEWS, ViewChoice

_CALLS = 3


def test_all_recipes_are_tried() -> None:
    assert {recipe for recipe, _, _ in CASES} == {*VIEWS, WRITTEN_OUT}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("recipe", "channels", "size"),
    [pytest.param(*case, marks=[pytest.mark.slow] if case[2] > 32 else []) for case in CASES],
)
def test_views_are_those_of_the_cpu(
    cuda: Device, recipe: ViewChoice, channels: int, size: int, form: str
) -> None:
    views = build_views(recipe, channels=channels, size=size, form=form)
    images = some_images(16, channels, size)
    here, there = torch.Generator().manual_seed(0), torch.Generator("cuda").manual_seed(0)
    expected = [views(images, here).tolist() for _ in range(_CALLS)]
    batch = images.cuda()
    assert views(batch, there).tolist() == expected[0]
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(there)
    with torch.cuda.graph(graph):
        found = views(batch, there)
    for each in expected[1:]:
        with cuda.asynchronous():
            graph.replay()
        assert found.tolist() == each
