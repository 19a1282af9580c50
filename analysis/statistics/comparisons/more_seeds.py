"""How many more seeds are needed, and in which cells."""

import numpy as np

from analysis.statistics.comparisons.power import detectable_effect
from analysis.statistics.intervals.student import LEVEL, mean_and_spread

#: Seeds beyond which a difference counts as out of reach.
MOST = 100


def seeds_to_settle(
    mean: np.ndarray | float, deviation: np.ndarray | float, *, alpha: float = 1 - LEVEL, most: int = MOST
) -> np.ndarray:
    """Seeds `(...,)` at which a paired t test detects a difference `mean` of that `deviation` with power 0.8.

    This is the least n with `|mean| >= deviation * effect(n, alpha)`, where effect is the smallest detectable one
    (`power.detectable_effect`). For a family of K comparisons or cells pass alpha / K. An observed mean is itself
    uncertain, so the number has no interval and is only an order of magnitude. Inf above `most` and for no
    difference; 2 for a difference without spread; NaN for an unknown deviation, as with one seed.
    """
    detectable = np.array([detectable_effect(seeds=n, alpha=alpha) for n in range(2, most + 1)])
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = np.where(np.asarray(mean) == 0, 0.0, np.abs(mean) / np.asarray(deviation, dtype=float))
    # the effect falls with n, so a search in the reversed table finds the least n
    reaching = np.searchsorted(detectable[::-1], effect, side="right")
    needed = np.where(reaching > 0, most + 1 - reaching, np.inf)
    return np.where(np.isfinite(deviation), needed, np.nan)


def where_to_add_seeds(scores: np.ndarray, weights: np.ndarray, *, trials: int) -> np.ndarray:
    """How many of `trials` new trials each cell `(C,)` should get, for the most precise mean over the space.

    Neyman's (1934) allocation: the variance `sum_c w_c^2 sd_c^2 / n_c` is least where `n_c` is proportional to `w_c
    sd_c`. Starting from the present counts, each trial goes where it lowers that variance most. A cell with one seed
    is given the mean deviation of the other cells. All numbers are zero where no cell varies. A cell of zero weight
    gets none.

    Raises `ValueError` for a negative number of trials.
    """
    if trials < 0:
        raise ValueError(f"trials: got {trials}; 0 or more are needed")
    _, deviation, count = mean_and_spread(scores)
    usual = float(np.mean(deviation[np.isfinite(deviation)])) if np.isfinite(deviation).any() else 0.0
    spread = np.square(weights * np.where(np.isfinite(deviation), deviation, usual))
    added = np.zeros(len(weights), dtype=int)
    if not (spread > 0).any():
        return added
    for _ in range(trials):
        have = count + added
        gain = np.where(
            have > 0, spread / np.maximum(have * (have + 1), 1), np.where(spread > 0, np.inf, 0.0)
        )
        added[int(np.argmax(gain))] += 1
    return added
