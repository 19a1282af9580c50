"""Few-label draws: balanced, shared by all trials, different from each other."""

import numpy as np
import pytest

from trainables.evaluation.label_draws import label_draws


def test_label_draws_are_balanced_shared_and_different() -> None:
    labels = np.repeat(np.arange(4), 25)
    draws = list(label_draws(labels, shots=5, draws=5))
    assert all(np.bincount(labels[draw]).tolist() == [5, 5, 5, 5] for draw in draws)
    assert len({tuple(draw) for draw in draws}) == 5
    again = list(label_draws(labels, shots=5, draws=3))
    assert all(np.array_equal(a, b) for a, b in zip(draws, again, strict=False))


def test_too_few_images_for_a_probe() -> None:
    with pytest.raises(ValueError, match=r"probe10: class 0 has 5 training images, 10 are needed"):
        list(label_draws(np.arange(20) % 4, shots=10, draws=1))
