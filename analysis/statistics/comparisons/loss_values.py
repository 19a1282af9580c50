"""The value of every question for one loss: its mean, one value for each seed, and the error that its cells explain.

All functions allow leading batch axes, so that simulated studies run the code of the report.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.statistics.comparisons.chances import Chances, loss_chances, pair_weights, pseudo_weights
from analysis.statistics.intervals.imputation import fill_gaps
from analysis.statistics.intervals.moderated import moderated_variances
from analysis.statistics.intervals.pairs import pair_mean, pseudo_values
from analysis.statistics.scores.pairs_of_seeds import scored

NOT_TUNING, BAD_LUCK = "price_of_not_tuning", "price_of_bad_luck"
AVERAGE, TUNED = "average", "tuned"

#: Relative spread below which scores count as equal.
_ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True)
class LossValues:
    """Values of one loss by question. Dictionaries are keyed by the question's name."""

    mean: dict[str, np.ndarray]  # (...,), over the known pairs of seeds; NaN where there are none
    #: (..., S), whose mean is `mean`; NaN where trials lack or seeds are too few
    by_seed: dict[str, np.ndarray]
    cell_error: dict[str, np.ndarray]  # (...,), standard error by the noise of the cells alone
    explained: dict[str, np.ndarray]  # (...,), the error that noise of cells alone would show in `by_seed`
    widen: np.ndarray  # (...,), factor on errors, above 1 where trials were imputed
    #: (...,) of bool: a configuration of the study failed at some seeds and finished at others
    failing: np.ndarray
    plain: bool  # whether there is one variant, so that the average needs no choice


def loss_values(
    tests: Sequence[np.ndarray],
    validations: Sequence[np.ndarray],
    weights: Sequence[np.ndarray],
    failed: Sequence[np.ndarray],
    *,
    step: np.ndarray | float = 0.0,
    sporadic: np.ndarray | bool = False,
) -> LossValues:
    """The values of one loss from the scores `(..., C, S)` and the measure `(C,)` of each of its variants.

    `failed` `(..., C, S)` tells which trials failed; their scores are the worst outcome. A few missing trials are
    imputed (`statistics.intervals.imputation`). A score that comes in steps of `step` varies by rounding alone by
    `step^2 / 12`; so equal scores have no error of 0.

    `sporadic` `(...,)` tells whether another loss of the study has a configuration that failed at some seeds and
    finished at others. Where this loss or another one has such a configuration, one that failed at all seeds may be
    of that kind too, and its equal scores do not show that it has no noise.
    """
    filled = [_filled(test, measure) for test, measure in zip(tests, weights, strict=True)]
    test = np.concatenate([scores for scores, _ in filled], axis=-2)
    widen = np.max([factor for _, factor in filled], axis=0)
    lost = np.concatenate(list(failed), axis=-2)
    measure = np.concatenate(list(weights))
    chances = loss_chances(validations, weights)
    failing = fails_sometimes(lost) | sporadic
    variance = np.maximum(_cell_variances(test, lost, measure), np.asarray(step)[..., None] ** 2 / 12)
    variance = np.maximum(variance, np.where(failing[..., None], _failure_variance(test, lost), 0.0))
    mean, by_seed, cell_error, explained = {}, {}, {}, {}
    for name, share in _contrasts(chances).items():
        # only one variant: the average is a mean over seeds, known from the first seed on
        plain = name == AVERAGE and len(tests) == 1
        if plain:
            known = np.isfinite(test) | (measure == 0)[:, None]
            at_seed = np.where(
                known.all(axis=-2), measure @ np.where(known & (measure > 0)[:, None], test, 0.0), np.nan
            )
            mean[name], by_seed[name] = _mean_of_known(at_seed), at_seed
            part = np.broadcast_to(measure[:, None] / test.shape[-1], test.shape)
            shown = (part**2).sum(axis=-1)
        else:
            plus, minus = share
            pairs = scored(test, plus, whole=True)
            if minus is not None:
                pairs, plus = pairs - scored(test, minus, whole=True), plus - minus
            part, shown = pair_weights(plus), pseudo_weights(plus)
            mean[name], by_seed[name] = pair_mean(pairs), pseudo_values(pairs)
        cell_error[name] = np.sqrt(((part**2).sum(axis=-1) * variance).sum(axis=-1))
        explained[name] = np.sqrt((shown * variance).sum(axis=-1))
    return LossValues(
        mean=mean,
        by_seed=by_seed,
        cell_error=cell_error,
        explained=explained,
        widen=widen,
        failing=failing,
        plain=len(tests) == 1,
    )


def fails_sometimes(failed: np.ndarray) -> np.ndarray:
    """Whether a configuration failed at some seeds and finished at others, `(...,)`, from trials `(..., C, S)`."""
    return np.asarray((failed.any(axis=-1) & ~failed.all(axis=-1)).any(axis=-1))


def _failure_variance(test: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """Variance `(..., C)` of a trial that fails half of the time, for the cells that failed at any seed; 0 elsewhere.

    Few seeds show neither how often a cell fails nor the variance that this causes: of a cell that fails at half of
    all seeds, all five seeds fail in 3 % of studies. Half of the time gives the largest variance, a quarter of the
    squared distance of finished and failed scores.
    """
    ended = np.isfinite(test)
    finished, failed = (
        np.where(part, test, 0.0).sum(axis=(-1, -2)) / np.maximum(part.sum(axis=(-1, -2)), 1)
        for part in (ended & ~lost, ended & lost)
    )
    return np.where(lost.any(axis=-1), ((finished - failed) ** 2 / 4)[..., None], 0.0)


def _mean_of_known(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    total, count = np.where(known, values, 0.0).sum(axis=-1), known.sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _contrasts(chances: Chances) -> dict[str, tuple[np.ndarray, np.ndarray | None]]:
    """For each question the chances that enter with plus and with minus."""
    return {
        NOT_TUNING: (chances.tuned, chances.average),
        TUNED: (chances.tuned, None),
        AVERAGE: (chances.average, None),
        BAD_LUCK: (chances.average, chances.worst),
    }


def _filled(test: np.ndarray, measure: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores with imputed trials, and the factor on errors `(...,)`."""
    widen = np.ones(test.shape[:-2])
    gaps = (~np.isfinite(test) & (measure > 0)[:, None]).any(axis=(-1, -2))
    if not gaps.any():
        return test, widen
    scores = test.copy()
    for place in np.argwhere(gaps):
        at = tuple(place)
        found = fill_gaps(test[at], measure)
        scores[at], widen[at] = found.scores, found.widen
    return scores, widen


def _cell_variances(test: np.ndarray, lost: np.ndarray, measure: np.ndarray) -> np.ndarray:
    """Variance `(..., C)` of the trials of each cell without the shifts of seeds.

    Shifts are taken from cells that never fail, where there are two. From three seeds on the variances are moderated.
    """
    seeds = test.shape[-1]
    if seeds < 2:
        return np.full(test.shape[:-1], np.nan)
    enters = (measure > 0) & np.isfinite(test).all(axis=-1)
    steady = enters & ~lost.any(axis=-1)
    steady = np.where((steady.sum(axis=-1) >= 2)[..., None], steady, enters)
    spread = np.where(enters[..., None], test - test.mean(axis=-1, keepdims=True), 0.0)
    count = np.maximum(steady.sum(axis=-1), 1)[..., None]
    shift = np.where(steady[..., None], spread, 0.0).sum(axis=-2) / count
    left = np.where(enters[..., None], spread - shift[..., None, :], 0.0)
    # a single cell has no others that would show the shifts: its whole spread is noise
    left = np.where((count > 1)[..., None], left, spread)
    variance = (
        (left**2).sum(axis=-1) / (seeds - 1) * np.where(count > 1, count / np.maximum(count - 1, 1), 1.0)
    )
    # what rounding alone can cause is no noise, whatever the unit of the scores
    size = np.max(np.abs(np.where(np.isfinite(test), test, 0.0)), axis=(-2, -1), initial=0.0)
    variance = np.where(variance <= (_ROUNDING * size[..., None]) ** 2, 0.0, variance)
    return moderated_variances(variance, seeds - 1)[0] if seeds > 2 else variance
