"""Tolerance is the mean similarity within classes."""

import pytest
import torch

from tests.reference import metrics as reference
from tests.trainables.metrics.examples import orthonormal, uniform
from trainables.metrics.tolerance import tolerance


def test_tolerance_equals_its_loop() -> None:
    points = uniform(30, 5)
    labels = torch.arange(30) % 4
    labels[-1] = 9  # a class of one has no pairs
    expected = reference.tolerance(points.numpy(), labels.numpy())
    assert tolerance(points, labels) == pytest.approx(expected, rel=1e-12)


def test_classes_that_are_points_score_one_and_unrelated_points_zero() -> None:
    labels = torch.arange(12) % 3
    assert tolerance(orthonormal(3, 3)[labels], labels) == pytest.approx(1.0)
    assert tolerance(orthonormal(12, 12), labels) == pytest.approx(0.0)


def test_labels_that_are_refused() -> None:
    points = uniform(4, 3)
    with pytest.raises(ValueError, match="labels: got no class with two points"):
        tolerance(points, torch.arange(4))
    with pytest.raises(ValueError, match=r"labels: got torch\.float32 \(4,\), must be integers \(4,\)"):
        tolerance(points, torch.zeros(4))
    with pytest.raises(ValueError, match=r"labels: got torch\.int64 \(3,\), must be integers \(4,\)"):
        tolerance(points, torch.arange(3))
