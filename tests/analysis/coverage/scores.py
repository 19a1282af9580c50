"""Every interval of the analysis beside its exact value, by name."""

import functools

import numpy as np
from scipy import stats

from analysis.demo import exact
from analysis.demo.law import BATCH_SIZES
from analysis.statistics.comparisons.equivalence import equivalence_test
from analysis.statistics.comparisons.improvement import probability_of_improvement
from analysis.statistics.intervals.bands_moderated import moderated_bands
from analysis.statistics.intervals.bootstrap import studentised_interval
from analysis.statistics.intervals.extremes import bracketed_estimate
from analysis.statistics.intervals.imputation import fill_gaps
from analysis.statistics.intervals.moderated import gaps_to_best
from analysis.statistics.intervals.student import simultaneous_bands, student_estimate, student_interval
from analysis.statistics.scores.batch_size import batch_elasticity
from analysis.statistics.scores.choice import cross_fit, cross_fit_widening
from analysis.statistics.scores.cross_fitting import held_out_cells
from analysis.statistics.scores.gaps import Gaps, tuning_gaps
from analysis.statistics.scores.neighbourhood import local_drop
from analysis.statistics.scores.profile import profile, profile_area
from analysis.statistics.scores.robustness import worst_case
from analysis.statistics.scores.tolerance import tolerance_volume
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

EPS = 0.02
THRESHOLDS = np.array([0.3, 0.5, 0.7, 0.8, 0.84, 0.86])
TRIALS = np.array([1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 128])
DEFAULT_CELL = 2 * SHAPE[1] + 4


@functools.cache
def _truth(setting: Setting) -> dict[str, float]:
    """Exact values that need an integral, once a setting."""
    means, failed = setting.loss.cell_means(), setting.loss.failed()
    with_seeds = (means, failed, NOISE, setting.seeds)
    return {
        "tuned by a half": exact.exact_tuned(*with_seeds),
        "retuned": exact_scores.exact_batch_slope(
            np.array(BATCH_SIZES), exact_scores.exact_retuned(*with_seeds, SHAPE)
        ),
    }


@functools.cache
def _curve(setting: Setting) -> np.ndarray:
    loss = setting.loss
    rng = np.random.default_rng(0)
    return exact_scores.exact_tuning_curve(loss.cell_means(), loss.failed(), NOISE, TRIALS, rng)[0]


def _means(study: Study) -> np.ndarray:
    return study.setting.loss.cell_means()


def _rival_means(study: Study) -> np.ndarray:
    return study.setting.rival.cell_means()


def _choices(study: Study) -> np.ndarray:
    """Shares `(C,)` of the seeds for which the other half chose each cell.

    Scores of choices average over the cells with these shares. A study makes only two choices, so the spread between
    its seeds does not show how choices vary between studies.
    """
    chosen = held_out_cells(study.validation)
    return np.bincount(chosen, minlength=len(WEIGHTS)) / len(chosen)


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


def _all_distances(study: Study) -> Held:
    means = _means(study)
    return together(*gaps_to_best(study.test), means - means.max(), conservative=True)


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
    scores, chosen = cross_fit(study.test, study.validation)
    estimate = student_estimate(scores, widen=cross_fit_widening(chosen))
    return one(estimate, _truth(study.setting)["tuned by a half"])


def _best(study: Study) -> Held:
    estimate = bracketed_estimate(study.test, lambda means: np.eye(len(means))[means.argmax()], largest=True)
    return one(estimate, _means(study).max())


def _worst(study: Study) -> Held:
    return one(worst_case(study.test, WEIGHTS), exact.exact_worst(_means(study)))


def _own_tolerance(study: Study) -> Held:
    alive = ~study.setting.loss.failed()
    return one(
        tolerance_volume(study.test, WEIGHTS, eps=EPS, alive=alive),
        exact.exact_tolerance(_means(study), eps=EPS),
    )


def _tolerance_of_all(study: Study) -> Held:
    best = max(_means(study).max(), _rival_means(study).max())
    return one(
        tolerance_volume(study.test, WEIGHTS, eps=EPS, rivals=study.rival_test),
        exact.exact_tolerance(_means(study), eps=EPS, best=best),
    )


def _profile(study: Study) -> Held:
    found = profile(study.test, WEIGHTS, THRESHOLDS)
    truth = np.array([exact_scores.exact_profile(_means(study), threshold) for threshold in THRESHOLDS])
    return together(found.low, found.high, truth, conservative="conservative" in found.method)


def _profile_area(study: Study) -> Held:
    truth = np.clip((_means(study) - 0.3) / 0.6, 0.0, 1.0).mean()
    return one(profile_area(study.test, WEIGHTS, low=0.3, high=0.9), float(truth))


@functools.lru_cache(maxsize=1)
def _gaps(study: Study) -> Gaps:
    return tuning_gaps(study.test, study.validation, WEIGHTS, DEFAULT_CELL)


def _default_gap(study: Study) -> Held:
    found = _gaps(study)
    return one(found.default, _choices(study) @ _means(study) - _means(study)[DEFAULT_CELL])


def _random_gap(study: Study) -> Held:
    found = _gaps(study)
    return one(found.random, _choices(study) @ _means(study) - _means(study).mean())


def _drop(study: Study) -> Held:
    found = local_drop(*(scores.reshape(*SHAPE, -1) for scores in (study.test, study.validation)))
    return one(found.mean, exact_scores.exact_local_drop(_means(study), _choices(study), SHAPE))


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
    return one(found, _choices(study).reshape(SHAPE).sum(axis=0) @ np.array(slopes))


def _retuned_slope(study: Study) -> Held:
    scores = (item.reshape(*SHAPE, -1) for item in (study.test, study.validation))
    found = batch_elasticity(*scores, np.array(BATCH_SIZES), SHAPE[1] // 2)
    return one(found.retuned, _truth(study.setting)["retuned"])


def _transfer(study: Study) -> Held:
    test = np.stack([study.test, study.elsewhere[0]])
    found = transfer_regret(test, np.stack([study.validation, study.elsewhere[1]]))
    means = study.setting.elsewhere.cell_means()
    regret = np.mean(means[found.cells[1]] - means[found.cells[0]])  # of the cells that the halves chose
    held = each(found.low[0, 1:], found.high[0, 1:], np.array([regret]))
    return Held(share=held.share, conservative=True)


def _improvement(study: Study) -> Held:
    alike = study.setting.loss.failed() & study.setting.rival.failed()
    truth = exact_scores.exact_improvement(_means(study), _rival_means(study), NOISE, alike)
    return one(probability_of_improvement(study.test, study.rival_test, WEIGHTS), truth)


def _equivalence(study: Study) -> Held:
    """The interval of a level of 90 %, stretched to 95 % by the ratio of Student's quantiles."""
    found = equivalence_test(WEIGHTS @ (study.test - study.rival_test), EPS).difference
    if not found.has_interval:
        return Held(share=float("nan"))
    ratio = stats.t.ppf(0.975, found.seeds - 1) / stats.t.ppf(0.95, found.seeds - 1)
    half = ratio * (found.high - found.low) / 2
    truth = _means(study).mean() - _rival_means(study).mean()
    return each(*(np.array([found.value + side * half]) for side in (-1, 1)), np.array([truth]))


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
    "all distances to the best": _all_distances,
    "mean over the space": _mean,
    "difference of means": _mean_difference,
    "default": _default,
    "tuned, cross-fitted": _tuned,
    "best cell": _best,
    "worst tenth": _worst,
    "tolerance, own best": _own_tolerance,
    "tolerance, best of all": _tolerance_of_all,
    "profile, band": _profile,
    "area under the profile": _profile_area,
    "gap of the default": _default_gap,
    "gap of a random configuration": _random_gap,
    "drop after one step": _drop,
    "slope over batch size, fixed": _fixed_slope,
    "slope over batch size, at the tuned value": _slope_at_tuned,
    "slope over batch size, re-tuned": _retuned_slope,
    "transfer regret": _transfer,
    "probability of improvement": _improvement,
    "equivalence": _equivalence,
    "tuning curve": _tuning,
    "tuning curve, band": _tuning_band,
    "trials to parity": _parity,
}
