"""Every interval of the analysis beside its exact value, by name."""

import functools

import numpy as np

from analysis.demo import exact
from analysis.demo.law import BATCH_SIZES, DemoLoss
from analysis.statistics.comparisons.improvement import probability_of_improvement
from analysis.statistics.intervals.bands_moderated import moderated_bands
from analysis.statistics.intervals.bootstrap import studentised_interval
from analysis.statistics.intervals.imputation import fill_gaps
from analysis.statistics.intervals.pairs import pair_estimate
from analysis.statistics.intervals.student import simultaneous_bands, student_estimate, student_interval
from analysis.statistics.scores.batch_size import batch_elasticity
from analysis.statistics.scores.choice import tuned_estimate
from analysis.statistics.scores.gaps import Gaps, tuning_gaps
from analysis.statistics.scores.neighbourhood import local_drop
from analysis.statistics.scores.pairs_of_seeds import tuned_pairs
from analysis.statistics.scores.profile import profile
from analysis.statistics.scores.robustness import worst_case
from analysis.statistics.scores.tuning import TuningCurve, trials_to_parity, tuning_curve
from analysis.statistics.sensitivity.transfer import transfer_regret
from tests.analysis.coverage import exact_scores
from tests.analysis.coverage.simulated import (
    NOISE,
    SHAPE,
    WEIGHTS,
    Held,
    Score,
    Setting,
    Study,
    each,
    one,
    together,
)

THRESHOLDS = np.array([0.3, 0.5, 0.7, 0.8, 0.84, 0.86])
TRIALS = np.array([1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 128])
DEFAULT_CELL = 2 * SHAPE[1] + 4


@functools.cache
def _truth(loss: DemoLoss) -> dict[str, float]:
    """Exact values that need an integral or a simulation, once a loss."""
    means, failed = loss.cell_means(), loss.failed()
    return {
        "tuned": exact.exact_tuned(means, failed, NOISE),
        "worst": exact.exact_held_out_worst(means, failed, NOISE),
        "retuned": exact_scores.exact_batch_slope(
            np.array(BATCH_SIZES), exact_scores.exact_retuned(means, failed, NOISE, SHAPE)
        ),
    }


@functools.cache
def _chances(loss: DemoLoss) -> np.ndarray:
    """Chance `(C,)` of each cell to be selected by one seed."""
    return exact.selection_chances(loss.cell_means(), loss.failed(), NOISE)


@functools.cache
def _curve(setting: Setting) -> np.ndarray:
    loss = setting.loss
    rng = np.random.default_rng(0)
    return exact_scores.exact_tuning_curve(loss.cell_means(), loss.failed(), NOISE, TRIALS, rng)[0]


def _means(study: Study) -> np.ndarray:
    return study.setting.loss.cell_means()


def _rival_means(study: Study) -> np.ndarray:
    return study.setting.rival.cell_means()


def _cells(study: Study) -> Held:
    return _of_finishing(study, *student_interval(study.test)[1:])


def _cells_bootstrap(study: Study) -> Held:
    return _of_finishing(study, *studentised_interval(study.test, rng=study.rng, draws=400)[1:])


def _of_finishing(study: Study, low: np.ndarray, high: np.ndarray) -> Held:
    """The intervals of the cells in which trials finish. Cells whose trials all diverge have no uncertainty."""
    alive = ~study.setting.loss.failed()
    return each(low[alive], high[alive], _means(study)[alive])


def _all_cells(study: Study) -> Held:
    return together(*simultaneous_bands(study.test), _means(study), conservative=True)


def _all_cells_moderated(study: Study) -> Held:
    return together(*moderated_bands(study.test), _means(study), conservative=True)


def _mean(study: Study) -> Held:
    filled = fill_gaps(study.test, WEIGHTS)
    return one(student_estimate(WEIGHTS @ filled.scores, widen=filled.widen), _means(study).mean())


def _mean_difference(study: Study) -> Held:
    exact_difference = _means(study).mean() - _rival_means(study).mean()
    own, other = fill_gaps(study.test, WEIGHTS), fill_gaps(study.rival_test, WEIGHTS)
    by_seed = WEIGHTS @ own.scores - WEIGHTS @ other.scores
    return one(student_estimate(by_seed, widen=max(own.widen, other.widen)), exact_difference)


def _default(study: Study) -> Held:
    return one(student_estimate(study.test[DEFAULT_CELL]), _means(study)[DEFAULT_CELL])


def _tuned(study: Study) -> Held:
    return one(tuned_estimate(study.test, study.validation), _truth(study.setting.loss)["tuned"])


def _tuned_difference(study: Study) -> Held:
    pairs = tuned_pairs(study.test, study.validation) - tuned_pairs(study.rival_test, study.rival_validation)
    return one(
        pair_estimate(pairs), _truth(study.setting.loss)["tuned"] - _truth(study.setting.rival)["tuned"]
    )


def _worst(study: Study) -> Held:
    found = worst_case(fill_gaps(study.test, WEIGHTS).scores, study.validation, WEIGHTS)
    return one(found, _truth(study.setting.loss)["worst"])


def _profile(study: Study) -> Held:
    found = profile(study.test, WEIGHTS, THRESHOLDS)
    truth = np.array([exact_scores.exact_profile(_means(study), threshold) for threshold in THRESHOLDS])
    return together(found.low, found.high, truth, conservative="conservative" in found.method)


def _gaps(study: Study) -> Gaps:
    return tuning_gaps(study.test, study.validation, WEIGHTS, DEFAULT_CELL)


def _default_gap(study: Study) -> Held:
    found = _gaps(study)
    return one(found.default, _chances(study.setting.loss) @ _means(study) - _means(study)[DEFAULT_CELL])


def _random_gap(study: Study) -> Held:
    found = _gaps(study)
    return one(found.random, _chances(study.setting.loss) @ _means(study) - _means(study).mean())


def _drop(study: Study) -> Held:
    found = local_drop(*(scores.reshape(*SHAPE, -1) for scores in (study.test, study.validation)))
    return one(found.mean, exact_scores.exact_local_drop(_means(study), _chances(study.setting.loss), SHAPE))


def _fixed_slope(study: Study) -> Held:
    scores = (item.reshape(*SHAPE, -1) for item in (study.test, study.validation))
    found = batch_elasticity(*scores, np.array(BATCH_SIZES), SHAPE[1] // 2)
    at_fixed = _means(study).reshape(SHAPE)[:, SHAPE[1] // 2]
    return one(found.fixed, exact_scores.exact_batch_slope(np.array(BATCH_SIZES), at_fixed))


def _slope_at_tuned(study: Study) -> Held:
    scores = (item.reshape(*SHAPE, -1) for item in (study.test, study.validation))
    found = batch_elasticity(*scores, np.array(BATCH_SIZES)).fixed
    slopes = [
        exact_scores.exact_batch_slope(np.array(BATCH_SIZES), line) for line in _means(study).reshape(SHAPE).T
    ]
    return one(found, _chances(study.setting.loss).reshape(SHAPE).sum(axis=0) @ np.array(slopes))


def _retuned_slope(study: Study) -> Held:
    scores = (item.reshape(*SHAPE, -1) for item in (study.test, study.validation))
    found = batch_elasticity(*scores, np.array(BATCH_SIZES), SHAPE[1] // 2)
    return one(found.retuned, _truth(study.setting.loss)["retuned"])


@functools.cache
def _regret(home: DemoLoss, away: DemoLoss) -> float:
    return exact.exact_transfer_regret(home.cell_means(), away.cell_means(), away.failed(), NOISE)


def _transfer(study: Study) -> Held:
    test = np.stack([study.test, study.elsewhere[0]])
    found = transfer_regret(test, np.stack([study.validation, study.elsewhere[1]]))
    regret = _regret(study.setting.loss, study.setting.elsewhere)
    return each(found.low[0, 1:], found.high[0, 1:], np.array([regret]))


def _improvement(study: Study) -> Held:
    alike = study.setting.loss.failed() & study.setting.rival.failed()
    truth = exact_scores.exact_improvement(_means(study), _rival_means(study), NOISE, alike)
    return one(probability_of_improvement(study.test, study.rival_test, WEIGHTS), truth)


@functools.lru_cache(maxsize=1)
def _tuned_curve(study: Study) -> TuningCurve:
    return tuning_curve(study.test, study.validation, WEIGHTS, TRIALS, rng=study.rng)


def _tuning(study: Study) -> Held:
    found = _tuned_curve(study)
    held = each(found.low, found.high, _curve(study.setting))
    return Held(share=held.share, conservative="conservative" in found.method)


def _tuning_band(study: Study) -> Held:
    found = _tuned_curve(study)
    marked = "conservative" in found.method
    return together(found.band_low, found.band_high, _curve(study.setting), conservative=marked)


def _parity(study: Study) -> Held:
    """Trials until the curve reaches the rival's default."""
    found = trials_to_parity(
        _tuned_curve(study).by_seed, study.rival_test[DEFAULT_CELL], TRIALS, margin=0.015
    )
    reached = _curve(study.setting) >= _rival_means(study)[DEFAULT_CELL] - 0.015
    truth = float(TRIALS[reached.argmax()]) if reached.any() else np.inf
    share = (
        float(found.low <= truth <= found.high) if np.isfinite(found.low) or np.isinf(found.low) else np.nan
    )
    return Held(share=share, conservative=True)


SCORES: dict[str, Score] = {
    "cell, Student": _cells,
    "cell, studentised bootstrap": _cells_bootstrap,
    "all cells, Bonferroni": _all_cells,
    "all cells, moderated": _all_cells_moderated,
    "mean over the space": _mean,
    "difference of means": _mean_difference,
    "default": _default,
    "tuned": _tuned,
    "difference of tuned": _tuned_difference,
    "worst tenth": _worst,
    "profile, band": _profile,
    "gap of the default": _default_gap,
    "gap of a random configuration": _random_gap,
    "drop after one step": _drop,
    "slope over batch size, fixed": _fixed_slope,
    "slope over batch size, at the tuned value": _slope_at_tuned,
    "slope over batch size, re-tuned": _retuned_slope,
    "transfer regret": _transfer,
    "probability of improvement": _improvement,
    "tuning curve": _tuning,
    "tuning curve, band": _tuning_band,
    "trials to parity": _parity,
}
