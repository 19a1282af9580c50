"""The noise that seeds add to true accuracies: luck of a seed, of a trial, and of each split."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Standard deviations of normal draws, in accuracy."""

    seed: float = 0.006  # shared by all trials of all losses at one seed of one data set
    trial: float = 0.008  # of a trial's encoder, shared by its validation and its test score
    validation: float = 0.006  # of a validation score only
    test: float = 0.003  # of a test score only
    optimism: float = 0.010  # difference of the means of validation and test
    rounding: float = 2e-4  # between two trials that are the same to the optimiser

    @property
    def test_deviation(self) -> float:
        """Deviation of a test score from its cell's mean, for a given luck of the seed."""
        return float(np.hypot(self.trial, self.test))

    @property
    def validation_deviation(self) -> float:
        """Deviation of a validation score from its cell's mean, for a given luck of the seed."""
        return float(np.hypot(self.trial, self.validation))


def draw_scores(
    means: np.ndarray,
    failed: np.ndarray,
    noise: Noise,
    seed_luck: np.ndarray,
    rng: np.random.Generator,
    *,
    trial_luck: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Test and validation scores `(..., C, S)` of cells with means `(C,)`; failed ones without noise.

    `seed_luck` `(..., S)` holds standard normal draws that all losses share. `trial_luck` `(..., C, S)` holds those
    of the trials; where it is not given, they are drawn here.
    """
    shape = (*seed_luck.shape[:-1], len(means), seed_luck.shape[-1])
    luck = rng.standard_normal(shape) if trial_luck is None else trial_luck
    shared = noise.seed * seed_luck[..., None, :] + noise.trial * luck
    test = shared + noise.test * rng.standard_normal(shape)
    validation = shared + noise.validation * rng.standard_normal(shape) + noise.optimism
    level, finished = means[:, None], ~failed[:, None]
    return np.where(finished, level + test, level), np.where(finished, level + validation, level)
