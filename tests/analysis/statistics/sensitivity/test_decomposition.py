"""The decomposition into effects agrees with conditional means, and its variances sum to the whole."""

import numpy as np
import pytest

from analysis.statistics.sensitivity.decomposition import (
    cross_variances,
    effect_grams,
    effects_of,
    seed_counts,
)

WEIGHTS = [np.array([0.2, 0.5, 0.3]), np.array([0.6, 0.4]), np.array([0.1, 0.2, 0.3, 0.4])]


def slow_effect(cells: np.ndarray, effect: tuple[int, ...]) -> np.ndarray:
    """Moebius formula: signed sum of conditional means over the axes of every subset of the effect."""
    total = np.zeros(cells.shape)
    for chosen in [(), *effects_of(cells.ndim)]:
        if not set(chosen) <= set(effect):
            continue
        part = cells
        for axis in set(range(cells.ndim)) - set(chosen):
            shape = [1] * cells.ndim
            shape[axis] = -1
            part = (part * WEIGHTS[axis].reshape(shape)).sum(axis=axis, keepdims=True)
        total = total + (-1) ** (len(effect) - len(chosen)) * part
    return total


def test_effects_agree_with_signed_sums_of_conditional_means() -> None:
    scores = np.random.default_rng(0).normal(size=(3, 2, 4, 5))
    measure = WEIGHTS[0][:, None, None] * WEIGHTS[1][:, None] * WEIGHTS[2]
    grams = effect_grams(scores, WEIGHTS)
    for effect, gram in zip(effects_of(3), grams, strict=True):
        parts = np.stack([slow_effect(scores[..., seed], effect) for seed in range(5)])
        slow = np.einsum("sabc,tabc,abc->st", parts, parts, measure)
        assert gram == pytest.approx(slow)


def test_variances_of_the_effects_sum_to_the_whole() -> None:
    cells = np.random.default_rng(1).normal(size=(3, 2, 4))
    measure = WEIGHTS[0][:, None, None] * WEIGHTS[1][:, None] * WEIGHTS[2]
    variance = (measure * (cells - (measure * cells).sum()) ** 2).sum()
    grams = effect_grams(np.repeat(cells[..., None], 3, axis=-1), WEIGHTS)
    assert cross_variances(grams, np.ones((1, 3))).sum() == pytest.approx(variance)


def test_cross_variances_agree_with_a_loop_and_leave_out_equal_seeds() -> None:
    gram = np.random.default_rng(2).normal(size=(1, 4, 4))
    counts = np.array([[2.0, 0.0, 1.0, 1.0]])
    drawn = [0, 0, 2, 3]
    pairs = [gram[0, s, t] for i, s in enumerate(drawn) for j, t in enumerate(drawn) if i != j and s != t]
    assert cross_variances(gram, counts)[0, 0] == pytest.approx(np.mean(pairs))
    assert np.isnan(cross_variances(gram, np.array([[4.0, 0, 0, 0]]))).all()


def test_noise_is_no_effect_on_average() -> None:
    rng, even = np.random.default_rng(3), [np.full(4, 0.25), np.full(3, 1 / 3)]
    found = np.stack(
        [
            cross_variances(
                effect_grams(rng.normal(size=(4, 3, 5)) + rng.normal(size=5), even), np.ones((1, 5))
            )[0]
            for _ in range(400)
        ]
    )
    assert np.all(np.abs(found.mean(axis=0)) <= 3.5 * found.std(axis=0) / 20)


def test_a_seeds_shift_and_rounding_are_no_effect() -> None:
    shift = np.broadcast_to(np.array([0.1, 0.7, 0.3]), (4, 3, 3))
    assert not effect_grams(shift, [np.full(4, 0.25), np.full(3, 1 / 3)]).any()


def test_corners() -> None:
    assert effect_grams(np.ones((1, 1, 2)), [np.ones(1), np.ones(1)]).shape == (3, 2, 2)
    assert effect_grams(np.empty((2, 0)), [np.full(2, 0.5)]).shape == (1, 0, 0)
    assert seed_counts(2).tolist() == [[1, 1], [0, 1], [1, 0]]
    with pytest.raises(ValueError, match=r"axis_weights: got lengths \(2,\)"):
        effect_grams(np.ones((3, 2)), [np.ones(2)])
