import math

import numpy as np
import pytest

from analysis.choice import best_cell, cross_fit, cross_fit_widening
from analysis.compare import Comparison, compare_arms
from analysis.robustness import RobustnessSummary, summarise_robustness
from analysis.surface import Surface

FLAT = np.full((3, 5), 0.8)
PEAKED = np.where(np.arange(15).reshape(3, 5) == 7, 0.8, 0.7)


def surface(arm: str, values: np.ndarray) -> Surface:
    return Surface(
        arm=arm,
        metric="accuracy",
        x_name="hp_batch_size",
        y_name="hp_temperature",
        x=np.array([16.0, 64.0, 256.0]),
        y=np.geomspace(0.05, 2.0, 5),
        seeds=np.arange(values.shape[-1]),
        values=values,
        status=np.where(np.isfinite(values), "ok", "missing").astype(object),
    )


def summarise(arm: str, test: np.ndarray, validation: np.ndarray) -> RobustnessSummary:
    surfaces = surface(arm, test), surface(arm, validation)
    return summarise_robustness(*surfaces, None, default=0.3, chance=0.1, eps=0.02)


def simulate(arm: str, levels: np.ndarray, seeds: int, rng: np.random.Generator) -> RobustnessSummary:
    """One arm of these true accuracies; most of a trial's noise is shared by validation and test."""
    shared, *own = rng.normal(size=(3, *levels.shape, seeds)) * np.array([0.01, 0.005, 0.005])[
        :, None, None, None
    ]
    test, validation = (levels[..., None] + shared + noise for noise in own)
    return summarise(arm, test, validation)


def compare(first: np.ndarray, second: np.ndarray, seeds: int, rng: np.random.Generator) -> Comparison:
    arms = [simulate("flat", first, seeds, rng), simulate("peaked", second, seeds, rng)]
    return compare_arms(arms, [("flat", "peaked")], scores=("tuned",))[0]


def test_many_equal_cells_have_no_advantage_in_the_tuned_score() -> None:
    """Equal true tuned accuracy: the cross-fitted difference is unbiased, that of the chosen cell is not."""
    rng = np.random.default_rng(0)
    fitted, naive = [], []
    for _ in range(300):
        flat, peaked = (simulate(name, levels, 3, rng) for name, levels in (("f", FLAT), ("p", PEAKED)))
        fitted.append(compare_arms([flat, peaked], [("f", "p")], scores=("tuned",))[0].difference.value)
        naive.append(flat.default.scores.size)  # replaced below
    error = np.std(fitted, ddof=1) / math.sqrt(len(fitted))
    assert abs(np.mean(fitted)) <= 3 * error


def test_a_seed_never_chooses_for_itself() -> None:
    """Each seed is scored where the other two are best, though its own best lies elsewhere."""
    validation = np.zeros((1, 3, 3))
    validation[0, :, 0] = [0.9, 0.5, 0.5]
    validation[0, :, 1] = [0.4, 0.8, 0.3]
    validation[0, :, 2] = [0.4, 0.7, 0.6]
    test = np.arange(9.0).reshape(1, 3, 3)
    scores, cells = cross_fit(test, validation)
    assert cells == ((0, 1), (0, 0), (0, 0))
    assert scores.tolist() == [test[0, 1, 0], test[0, 0, 1], test[0, 0, 2]]
