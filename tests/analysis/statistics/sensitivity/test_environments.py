"""Sensitivity and dimension over data sets agree with loops and with known answers."""

import itertools

import numpy as np
import pytest

from analysis.statistics.sensitivity.data_sets import (
    effective_dimensionality,
    hyperparameter_sensitivity,
    normalised,
    percentile_scale,
)


def repeated(means: np.ndarray, seeds: int = 4) -> np.ndarray:
    return np.repeat(np.asarray(means, dtype=float)[..., None], seeds, axis=-1)


def test_scale_is_the_percentiles_of_the_means() -> None:
    means = np.stack([np.linspace(0, 1, 101), np.linspace(10, 30, 101)])
    scale = percentile_scale(repeated(means))
    assert scale == pytest.approx(np.array([[0.05, 0.95], [11, 29]]))
    assert normalised(repeated(means), scale)[1, 100, 0] == pytest.approx(19 / 18)
    assert np.isnan(percentile_scale(np.stack([np.ones((3, 2)), np.full((3, 2), np.nan)]))).all()


def test_known_sensitivity() -> None:
    # best on each: 1.0 and 0.9; one for both: the third, (0.8 + 0.7) / 2
    means = np.array([[1.0, 0.0, 0.8], [0.1, 0.9, 0.7]])
    found = hyperparameter_sensitivity(repeated(means), repeated(means))
    assert found.each.value == pytest.approx(0.95)
    assert found.across.value == pytest.approx(0.75)
    assert found.sensitivity.value == pytest.approx(0.2)


def test_sensitivity_agrees_with_a_loop_over_seeds() -> None:
    test, validation = np.random.default_rng(0).uniform(size=(2, 3, 6, 5))
    slow = []
    for chooser, seed in itertools.permutations(range(5), 2):
        seen = validation[..., chooser]
        each = np.mean([test[e, seen[e].argmax(), seed] for e in range(3)])
        slow.append(each - test[:, seen.mean(axis=0).argmax(), seed].mean())
    assert hyperparameter_sensitivity(test, validation).sensitivity.value == pytest.approx(np.mean(slow))


def test_equal_cells_are_not_sensitive() -> None:
    rng, held_out, naive = np.random.default_rng(1), [], []
    for noise in rng.normal(size=(300, 3, 10, 4)):
        held_out.append(hyperparameter_sensitivity(noise, noise).sensitivity.value)
        means = noise.mean(axis=-1)
        naive.append(means.max(axis=1).mean() - means.mean(axis=0).max())
    error = np.std(held_out) / np.sqrt(300)
    assert abs(np.mean(held_out)) <= 3 * error
    assert np.mean(naive) > 5 * error


def slow_dimension(means: np.ndarray, share: float) -> int:
    shape = means.shape[1:]
    cells = list(np.ndindex(shape))
    common = max(cells, key=lambda cell: means[(slice(None), *cell)].mean())
    peak = means.reshape(len(means), -1).max(axis=1).mean()
    for size in range(len(shape) + 1):
        for tuned in itertools.combinations(range(len(shape)), size):
            allowed = [
                c for c in cells if all(c[a] == common[a] for a in range(len(shape)) if a not in tuned)
            ]
            if np.mean([max(row[c] for c in allowed) for row in means]) >= share * peak:
                return size
    raise AssertionError


def test_dimension_agrees_with_a_loop_over_subsets() -> None:
    rng = np.random.default_rng(2)
    seen = set()
    for _ in range(60):
        means = rng.uniform(0.5, 1.0, size=(3, 3, 2, 3))
        found = effective_dimensionality(repeated(means), repeated(means))
        assert found.value == slow_dimension(means, 0.95)
        assert len(found.axes) == found.value
        assert set(found.left_out) == {found.value}
        values = [point.value for point in found.curve]
        assert values == sorted(values)
        seen.add(found.value)
    assert len(seen) > 1


def test_known_dimension() -> None:
    # the best place of the first axis differs by data set; the second only shifts
    first = np.array([[1.0, 0.5, 0.2], [0.2, 0.5, 1.0]])
    means = first[:, :, None] - np.array([0.0, 0.3])
    found = effective_dimensionality(repeated(means), repeated(means))
    assert (found.value, found.axes) == (1, (0,))
    assert [point.value for point in found.curve] == pytest.approx([0.6, 1.0, 1.0])


def test_corners() -> None:
    nothing = np.full((2, 3, 2, 4), np.nan)
    found = effective_dimensionality(nothing, nothing)
    assert (found.value, found.axes) == (None, ())
    assert np.isnan(found.curve[0].value)
    one = effective_dimensionality(np.ones((2, 3, 1)), np.ones((2, 3, 1)))
    assert (one.value, one.left_out, one.curve[0].note) == (0, (None,), "too few seeds")
    unknown = hyperparameter_sensitivity(nothing[:, :, 0], nothing[:, :, 0]).sensitivity
    assert unknown.note == "no complete seed"
    assert np.isnan(hyperparameter_sensitivity(np.ones((0, 3, 4)), np.ones((0, 3, 4))).each.value)
    single = hyperparameter_sensitivity(repeated([[0.3, 0.9]]), repeated([[0.3, 0.9]]))
    assert single.sensitivity.value == 0
    with pytest.raises(ValueError, match=r"share: got 0"):
        effective_dimensionality(np.ones((2, 3, 2)), np.ones((2, 3, 2)), share=0)


def test_a_peak_below_zero_has_a_dimension() -> None:
    """Scores are relative to all losses, so those of a poor loss lie below 0."""
    first = np.array([[1.0, 0.5, 0.2], [0.2, 0.5, 1.0]])
    means = first[:, :, None] - np.array([0.0, 0.3]) - 5
    found = effective_dimensionality(repeated(means), repeated(means))
    assert (found.value, found.axes) == (1, (0,))
