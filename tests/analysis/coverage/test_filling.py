"""Averages over the space hold the exact value where a few trials are missing and filled in."""

import math

import numpy as np
import pytest

from analysis.statistics.intervals.imputation import fill_gaps
from analysis.statistics.intervals.student import student_interval

pytestmark = pytest.mark.slow

STUDIES, CELLS = 2000, 36
WEIGHTS = np.full(CELLS, 1 / CELLS)
#: Worst outcome, in standard deviations of a trial's noise.
WORST = -60.0
#: Cells in which half of the trials fail, standard deviation of the seeds' luck, spread of log noise over cells.
NOISES = {"plain": (0, 0.6, 0.0), "no luck": (0, 0.0, 0.0), "uneven": (0, 0.0, 1.0), "failing": (6, 0.6, 0.0)}


@pytest.mark.parametrize("missing", [0.0, 0.03, 0.10])
@pytest.mark.parametrize("seeds", [5, 10])
@pytest.mark.parametrize("noise", NOISES)
def test_means_and_differences_of_filled_seeds(noise: str, seeds: int, missing: float) -> None:
    rng, held, whole = np.random.default_rng(0), [], []
    truth = WORST * NOISES[noise][0] / 2 / CELLS
    for _ in range(STUDIES):
        luck = NOISES[noise][1] * rng.normal(size=seeds)
        scores = [_arm(noise, luck, missing, rng) for _ in range(2)]
        one, other = (fill_gaps(item, WEIGHTS) for item in scores)
        by_seed = [WEIGHTS @ item.scores for item in (one, other)]
        held.append(
            [
                _held(by_seed[0], truth, one.widen),
                _held(by_seed[0] - by_seed[1], 0.0, max(one.widen, other.widen)),
            ]
        )
        whole.append([np.isfinite(item).all(axis=0).sum() >= 2 for item in scores])
    known = np.isfinite(held).mean(axis=0)
    covered = np.nanmean(held, axis=0)
    print(
        f"\n{noise}, {seeds} seeds, {missing:.0%} missing: mean {covered[0]:.3f} in {known[0]:.2f} of studies, "
        f"difference {covered[1]:.3f} in {known[1]:.2f}; two whole seeds in {np.mean(whole):.2f}"
    )
    assert np.all(covered >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / (known * STUDIES)))
    assert known.min() > (0.95 if missing < 0.05 else 0.4)


def _arm(noise: str, luck: np.ndarray, missing: float, rng: np.random.Generator) -> np.ndarray:
    failing, _, uneven = NOISES[noise]
    deviation = np.exp(uneven * rng.normal(size=(CELLS, 1)))
    scores = luck + deviation * rng.normal(size=(CELLS, len(luck)))
    lost = rng.random((failing, len(luck))) < 0.5
    scores[:failing] = np.where(lost, WORST, scores[:failing])
    scores[rng.random(scores.shape) < missing] = np.nan
    return scores


def _held(by_seed: np.ndarray, truth: float, widen: float) -> float:
    _, low, high = student_interval(by_seed, widen=widen)
    return float(low <= truth <= high) if np.isfinite(low) else math.nan
