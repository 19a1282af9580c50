"""Metrics refuse points that are not what they measure."""

import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tests.trainables.metrics.examples import uniform
from trainables.metrics.alignment import alignment
from trainables.metrics.effective_rank import effective_rank
from trainables.metrics.embedding import embedding_metrics
from trainables.metrics.energy_distance import energy_distance
from trainables.metrics.gaussian_mmd import gaussian_mmd
from trainables.metrics.relative_rank import relative_rank
from trainables.metrics.uniformity import uniformity
from trainables.metrics.wasserstein_uniformity import wasserstein_uniformity

_ON_THE_SPHERE = [uniformity, wasserstein_uniformity, energy_distance, gaussian_mmd, embedding_metrics]


@pytest.mark.parametrize("metric", [*_ON_THE_SPHERE, effective_rank, relative_rank], ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    ("points", "message"),
    [
        (uniform(4, 3)[0], "z: got shape (3,), must be (n, d) with n and d at least 2"),
        (uniform(4, 3)[:1], "z: got shape (1, 3), must be (n, d) with n and d at least 2"),
        (uniform(4, 3)[:, :1], "z: got shape (4, 1), must be (n, d) with n and d at least 2"),
        (torch.eye(3, dtype=torch.int64), "z: got torch.int64, must be floating point"),
        (uniform(4, 3) * torch.nan, "z: got a row that is not finite, must be finite throughout"),
    ],
    ids=["rank", "one point", "one dimension", "integers", "nan"],
)
def test_points_that_are_refused(metric: Callable[[Tensor], object], points: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        metric(points)


@pytest.mark.parametrize("metric", _ON_THE_SPHERE, ids=lambda f: f.__name__)
def test_rows_off_the_sphere_are_refused(metric: Callable[[Tensor], object]) -> None:
    with pytest.raises(ValueError, match=r"^z: got a row of norm 2, must be 1 within 0\.01$"):
        metric(2 * uniform(4, 3))


def test_zero_matrices_and_bad_tolerances_are_refused() -> None:
    with pytest.raises(ValueError, match="z: got all rows zero"):
        effective_rank(torch.zeros(4, 3))
    for tolerance in (0.0, 1.0, float("nan")):
        with pytest.raises(ValueError, match="tolerance: got"):
            relative_rank(uniform(4, 3), tolerance)


def test_alignment_checks_both_views() -> None:
    points = uniform(4, 3)
    with pytest.raises(ValueError, match="z_b: got a row of norm 2"):
        alignment(points, 2 * points)
    with pytest.raises(ValueError, match=r"z_b: got shape \(3, 3\), must be z_a's \(4, 3\)"):
        alignment(points, points[:3])
