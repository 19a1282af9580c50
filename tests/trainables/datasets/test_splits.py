"""Splits are balanced, cover every image, and never change."""

import numpy as np
import pytest

from trainables.datasets.source import UNLABELLED
from trainables.datasets.splits import balanced_order, split_validation

EVEN = np.repeat(np.arange(5), 20)
FROZEN_ORDER = [0, 4, 11, 6, 10, 5, 3, 7, 8, 1, 2, 9]
UNEVEN = np.array([0] * 70 + [1] * 25 + [2] * 5)


@pytest.mark.parametrize("labels", [EVEN, UNEVEN], ids=["even", "uneven"])
def test_every_prefix_holds_classes_in_proportion(labels: np.ndarray) -> None:
    order = balanced_order(labels)
    assert sorted(order) == list(range(len(labels)))
    shares = np.bincount(labels) / len(labels)
    for length in range(1, len(labels) + 1):
        counts = np.bincount(labels[order[:length]], minlength=len(shares))
        assert np.abs(counts - length * shares).max() <= 1.5


def test_balanced_prefix_has_every_class_equally_often_when_classes_are_equal() -> None:
    assert list(np.bincount(EVEN[balanced_order(EVEN)[:25]])) == [5] * 5


def test_order_shuffles_within_a_class_and_depends_on_the_salt() -> None:
    order = balanced_order(EVEN)
    first_class = order[EVEN[order] == 0]
    assert list(first_class) != sorted(first_class)
    assert list(order) != list(balanced_order(EVEN, salt=1))


def test_order_is_frozen() -> None:
    """Another order would silently change the images of every recorded trial."""
    assert balanced_order(np.arange(12) % 3).tolist() == FROZEN_ORDER


def test_validation_and_training_share_nothing_and_cover_all() -> None:
    train, val = split_validation(UNEVEN, 20)
    assert sorted([*train, *val]) == list(range(100))
    assert np.bincount(UNEVEN[val]).tolist() == [14, 5, 1]


def test_validation_is_a_tenth_by_default_and_never_unlabelled() -> None:
    labels = np.concatenate([EVEN, np.full(300, UNLABELLED)])
    train, val = split_validation(labels)
    assert len(val) == 10
    assert (labels[val] != UNLABELLED).all()
    assert (labels[train] == UNLABELLED).sum() == 300
