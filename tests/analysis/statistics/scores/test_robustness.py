"""Robustness scores agree with an analytic surface: validation chooses, test reports, and failures score chance."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.model.cells import Cells
from analysis.statistics.scores.robustness import RobustnessSummary, summarise_robustness, worst_case
from analysis.study_analysis import analyse
from tests.analysis import synthetic

ARM = synthetic.arm_info("infonce")
#: best at temperature 0.316, the third of five values a factor 2.515 (0.922 in the logarithm) apart
HILL = synthetic.hill(peak=0.9, at=math.sqrt(0.1), width=10.0, slope=0.01)


def summarise(
    records: pd.DataFrame | None = None, *, seeds: tuple[int, ...] = (0, 1), **changes: object
) -> RobustnessSummary:
    planned = synthetic.plan([ARM], seeds=seeds)
    found = synthetic.run(planned, {"infonce": HILL}) if records is None else records
    return analyse(planned, found, synthetic.study_info([ARM], seeds=seeds, **changes)).summaries["infonce"]


def run(seeds: tuple[int, ...] = (0, 1), **options: object) -> pd.DataFrame:
    return synthetic.run(synthetic.plan([ARM], seeds=seeds), {"infonce": HILL}, **options)


def test_scores_of_an_analytic_surface() -> None:
    summary = summarise()
    # accuracy 0.9 - (k 0.9222 / 10)^2 - 0.01 |ln(x / 64)| for k = -2..2 and x = 16, 64, 256
    drop_y = (np.arange(-2, 3) * math.log(40) / 4 / 10) ** 2
    drop_x = 0.01 * np.abs(np.log(np.array([16, 64, 256]) / 64))
    cells = np.sort((0.9 - drop_x[:, None] - drop_y[None, :]).ravel())
    assert summary.tuned.estimate.value == pytest.approx(0.9)
    assert tuple(summary.tuned.place.values()) == (64, pytest.approx(math.sqrt(0.1)))
    assert summary.mean.value == pytest.approx(cells.mean())
    assert summary.worst.value == pytest.approx((cells[0] + 0.5 * cells[1]) / 1.5)
    assert summary.tolerance.value == pytest.approx(np.mean(cells >= 0.88))
    assert summary.mean_finished.value == summary.mean.value
    assert (summary.planned, summary.finished, summary.failed, summary.missing) == (30, 30, 0, 0)


def test_the_default_is_the_nearest_cell_at_the_middle_batch_size() -> None:
    # default 0.5 lies nearer to 0.316 than to 0.795 in the logarithm (0.458 against 0.464), not linearly
    summary = summarise()
    assert tuple(summary.default.place.values()) == (64, pytest.approx(math.sqrt(0.1)))


def test_validation_chooses_and_test_reports() -> None:
    records = run()
    chosen = records["config_id"] == "infonce-256-4"
    records.loc[chosen, "val_probe10_accuracy"] = 0.99
    summary = summarise(records)
    assert tuple(summary.tuned.place.values()) == (256, 2.0)
    assert summary.tuned.estimate.value == pytest.approx(records.loc[chosen, "test_probe10_accuracy"].mean())
    assert summary.tuned.estimate.value < 0.9


def test_changing_the_test_set_never_changes_the_choice() -> None:
    records = run()
    records.loc[records["config_id"] == "infonce-256-4", "test_probe10_accuracy"] = 1.0
    assert summarise(records).tuned.place["hp_batch_size"] == 64


def test_failures_score_chance_and_never_win() -> None:
    records = synthetic.fail(run(), ["infonce-64-2-0"])
    summary = summarise(records)
    clean = summarise()
    assert tuple(summary.tuned.place.values()) != (64, pytest.approx(math.sqrt(0.1)))
    # one of thirty trials falls from 0.9 to chance, 0.1
    assert summary.mean.value == pytest.approx(clean.mean.value - 0.8 / 30)
    assert summary.mean_finished.value > summary.mean.value
    assert summary.failed == 1


def test_a_configuration_that_fails_at_every_seed_is_among_the_worst() -> None:
    records = synthetic.fail(run(), ["infonce-64-2-0", "infonce-64-2-1"])
    assert summarise(records).worst.value < summarise().worst.value


def test_failures_are_left_out_of_the_alternative_mean_of_an_unfinished_study() -> None:
    records = synthetic.fail(run(seeds=(0, 1, 2)), ["infonce-64-2-0"])
    unfinished = (records["seed"] == 2) & (records["hp_batch_size"] == 16)
    summary = summarise(records[~unfinished], seeds=(0, 1, 2))
    clean, rest = summarise().mean.value, (summarise().mean.value * 15 - 0.9) / 14
    # seed 0 lost the best cell, seed 1 is whole, seed 2 is not finished
    assert summary.mean.value == pytest.approx((clean - 0.8 / 15 + clean) / 2)
    assert summary.mean_finished.value == pytest.approx((rest + clean) / 2)


def test_every_trial_failed() -> None:
    planned = synthetic.plan([ARM])
    summary = summarise(synthetic.fail(run(), list(planned["trial_id"])))
    for estimate in (summary.mean, summary.worst, summary.tuned.estimate):
        assert estimate.value == pytest.approx(0.1)
    assert summary.tolerance.value == 0
    assert math.isnan(summary.mean_finished.value)
    assert summary.failed == 30


def test_no_trial_yet() -> None:
    summary = summarise(pd.DataFrame())
    for estimate in (
        summary.tuned.estimate,
        summary.default.estimate,
        summary.mean,
        summary.worst,
        summary.tolerance,
    ):
        assert math.isnan(estimate.value)
        assert not estimate.has_interval
    assert summary.missing == 30


def test_a_half_finished_study_is_provisional() -> None:
    records = run(noise=0.01, rng=np.random.default_rng(0))
    summary = summarise(records[records["hp_batch_size"] != 256])
    assert summary.missing == 10
    assert not summary.complete
    assert np.isnan(summary.mean_by_seed).all()
    for estimate in (summary.mean, summary.worst, summary.tolerance, summary.tuned.estimate):
        assert "10 of 30 missing" in estimate.note
        assert math.isfinite(estimate.value)
    assert not summary.mean.has_interval


def test_a_lucky_half_run_cell_does_not_win() -> None:
    records = run()
    records.loc[records["config_id"] == "infonce-256-4", "val_probe10_accuracy"] = 0.99
    assert summarise(records[records["trial_id"] != "infonce-256-4-0"]).tuned.place["hp_batch_size"] == 64


def test_whole_seeds_count_while_another_runs() -> None:
    records = run(seeds=(0, 1, 2), noise=0.01, rng=np.random.default_rng(0))
    summary = summarise(records[(records["seed"] != 2) | (records["hp_batch_size"] == 16)], seeds=(0, 1, 2))
    assert np.isfinite(summary.mean_by_seed).tolist() == [True, True, False]
    assert summary.mean.seeds == 2
    assert summary.mean.has_interval


@pytest.mark.parametrize(("seeds", "student"), [(1, False), (2, True), (5, True)])
def test_least_numbers_of_seeds(seeds: int, student: bool) -> None:
    names = tuple(range(seeds))
    summary = summarise(run(seeds=names, noise=0.01, rng=np.random.default_rng(0)), seeds=names)
    assert summary.mean.has_interval == summary.tuned.estimate.has_interval == student
    assert summary.worst.has_interval == student
    assert summary.tolerance.note == "the share is too low at few seeds"


def test_collapse_is_counted_among_finished_trials() -> None:
    records = run()
    records.loc[:3, "z_effective_rank"] = 1.2
    summary = summarise(synthetic.fail(records, ["infonce-16-0-0"]))
    assert (summary.collapsed, summary.ranked) == (3, 29)


def test_worst_case_of_the_whole_space_is_the_mean() -> None:
    scores = np.random.default_rng(0).uniform(size=(12, 2))
    weights = np.full(12, 1 / 12)
    assert worst_case(scores, scores, weights, tail=1.0).value == pytest.approx(scores.mean())


def test_no_whole_seed_is_not_no_trial() -> None:
    scores = cells_with_gaps(lacking=4)
    summary = summarise_robustness(scores, eps=0.02)
    assert (summary.mean.has_interval, summary.mean.note) == (False, "no complete seed")
    assert (summary.missing, summary.unknown) == (0, 12)


def test_the_number_of_whole_seeds_is_told() -> None:
    scores = cells_with_gaps(lacking=4, seeds=5)
    summary = summarise_robustness(scores, eps=0.02)
    assert (summary.mean.seeds, summary.mean.note) == (2, "2 of 5 seeds")


def test_a_few_missing_trials_are_filled_in_and_told() -> None:
    summary = summarise_robustness(cells_with_gaps(lacking=1, seeds=5), eps=0.02)
    assert (summary.mean.seeds, summary.mean.note) == (5, "3 trials filled in")
    assert np.isfinite(summary.mean_by_seed).all()
    assert summary.mean_widen == pytest.approx(1 / (1 - 3 / 75))
    assert (summary.mean_finished.value, summary.mean_finished.note) == (
        summary.mean.value,
        "3 trials filled in",
    )


def test_a_filled_average_stays_provisional() -> None:
    records = run(seeds=(0, 1, 2), noise=0.01, rng=np.random.default_rng(0))
    summary = summarise(records[records["trial_id"] != "infonce-16-0-0"], seeds=(0, 1, 2))
    assert summary.mean.note == "provisional: 1 of 45 missing; 1 trial filled in"
    assert (summary.mean.seeds, summary.complete) == (3, False)


def cells_with_gaps(*, lacking: int, seeds: int = 3) -> Cells:
    """The first three seeds lack some cells each that nobody planned, as in a table of results with absent rows."""
    test = 0.8 + 0.01 * np.random.default_rng(0).normal(size=(15, seeds))
    for seed in range(3):
        test[seed * lacking : (seed + 1) * lacking, seed] = np.nan
    test = test.reshape(3, 5, seeds)
    cells = synthetic.cells("infonce", test, test)
    return replace(cells, status=np.where(cells.status == "missing", "unplanned", cells.status))
