"""The probe: shared label draws, known accuracies, collapsed features."""

import numpy as np
import pytest

from trainables.config import ProbeConfig
from trainables.linear_probe import Labelled, label_draws, probe_accuracies

SUITE = ("probe1", "probe5", "probe10", "probe_full", "knn")


def clusters(n: int, seed: int, *, spread: float = 0.1) -> Labelled:
    """Three classes at three corners."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    return np.eye(3)[labels] + spread * rng.standard_normal((n, 3)), labels


def test_separable_classes_are_found() -> None:
    found = probe_accuracies(ProbeConfig(suite=SUITE), clusters(90, 0), clusters(60, 1), clusters(60, 2))
    assert set(found) == {f"{part}_{probe}_accuracy" for part in ("val", "test") for probe in SUITE}
    assert min(found.values()) > 0.97


def test_features_without_information_score_chance() -> None:
    rng = np.random.default_rng(0)
    sets = [(rng.standard_normal((600, 3)), np.arange(600) % 3) for _ in range(3)]
    found = probe_accuracies(ProbeConfig(suite=SUITE), *sets)
    # 600 test images: three standard errors are 0.06
    assert all(abs(value - 1 / 3) < 0.06 for value in found.values())


def test_collapsed_features_score_chance_without_complaint() -> None:
    rng = np.random.default_rng(0)
    sets = [(1 + 1e-9 * rng.standard_normal((60, 3)), np.arange(60) % 3) for _ in range(3)]
    found = probe_accuracies(ProbeConfig(suite=("probe10", "probe_full")), *sets)
    assert all(value == pytest.approx(1 / 3) for value in found.values())


def test_validation_and_test_are_not_mixed_up() -> None:
    wrong = clusters(60, 1)
    found = probe_accuracies(
        ProbeConfig(suite=("probe_full",)), clusters(90, 0), clusters(60, 2), (wrong[0], (wrong[1] + 1) % 3)
    )
    assert found["val_probe_full_accuracy"] > 0.97
    assert found["test_probe_full_accuracy"] < 0.03


def test_scale_of_the_features_does_not_matter() -> None:
    sets = [clusters(90, seed, spread=0.5) for seed in range(3)]
    scaled = [(1000 * features + 7, labels) for features, labels in sets]
    config = ProbeConfig(suite=("probe10", "probe_full"))
    assert probe_accuracies(config, *sets) == pytest.approx(probe_accuracies(config, *scaled))


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
