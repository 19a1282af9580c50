"""The shapes of the batches on which an own loss is tried are sizes of the study."""

from types import SimpleNamespace
from typing import Any

import pytest

from study.spec.tasks.trial_shapes import trial_shapes


@pytest.mark.parametrize(
    ("sizes", "dims", "shapes"),
    [
        ([64], [128], [(64, 128)]),
        ([32, 64, 512, 1024], [128], [(32, 128), (512, 128)]),
        ([1024, 2048], [8], [(1024, 8)]),
        ([16, 64], [8, 32], [(16, 8), (16, 32), (64, 32)]),
        ([4.0], [8.0], [(4, 8)]),
        ([10**9], [8], []),
        ([8], [10**9], []),
        ([None, "a", 1], [8], []),
        ([8], [None], []),
    ],
)
def test_shapes(sizes: list[Any], dims: list[Any], shapes: list[tuple[int, int]]) -> None:
    task: Any = SimpleNamespace(embeddings=lambda point: ((point["batch_size"],), point["dim"]))
    points = [{"batch_size": size, "dim": dim} for size in sizes for dim in dims]
    assert list(trial_shapes(task, points)) == shapes
