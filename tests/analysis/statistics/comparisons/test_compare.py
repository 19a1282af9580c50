"""Comparisons of adaptive searches are corrected by Holm and keep their rate of false positives."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.statistics.comparisons.compare import Comparison, holm, paired_p
from analysis.study_analysis import analyse
from tests.analysis import synthetic

BASE = synthetic.hill(peak=0.8, at=0.3, width=8.0)
BETTER = synthetic.hill(peak=0.9, at=0.3, width=8.0)
ARMS = [synthetic.arm_info("infonce"), synthetic.arm_info("dhel")]


def compare(records: pd.DataFrame, seeds: tuple[int, ...]) -> Comparison:
    planned = synthetic.plan(ARMS, seeds=seeds)
    findings = analyse(planned, records, synthetic.study_info(ARMS, seeds=seeds, adaptive=True))
    (item,) = findings.comparisons
    assert (item.arm, item.reference) == ("dhel", "infonce")
    return item


def run(seeds: tuple[int, ...], *, dhel: synthetic.Accuracy = BETTER, noise: float = 0.005) -> pd.DataFrame:
    planned = synthetic.plan(ARMS, seeds=seeds)
    rng = np.random.default_rng(0)
    return synthetic.run(planned, {"infonce": BASE, "dhel": dhel}, noise=noise, rng=rng)


def test_holm_by_hand() -> None:
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03])), [0.03, 0.06, 0.06])
    np.testing.assert_allclose(holm(np.array([0.5, 0.9])), [1.0, 1.0])
    adjusted = holm(np.array([np.nan, 0.01, 0.02]))
    np.testing.assert_allclose(adjusted, [np.nan, 0.03, 0.04])
    assert holm(np.array([])).size == 0


def test_paired_p_agrees_with_scipy() -> None:
    differences = np.random.default_rng(0).normal(0.5, 1, size=6)
    assert paired_p(differences) == pytest.approx(stats.ttest_1samp(differences, 0.0).pvalue)


def test_paired_p_without_spread() -> None:
    assert paired_p(np.zeros(3)) == 1.0
    assert math.isnan(paired_p(np.full(3, 0.1)))
    assert math.isnan(paired_p(np.array([0.1, np.nan])))


def test_a_large_difference_is_found_at_five_seeds() -> None:
    item = compare(run(tuple(range(5))), tuple(range(5)))
    assert item.verdict == "better"
    assert item.difference.value == pytest.approx(0.1, abs=0.01)
    assert item.p <= item.p_holm < 0.05


def test_the_other_way_round_is_worse() -> None:
    seeds = tuple(range(5))
    assert compare(run(seeds, dhel=synthetic.hill(peak=0.7, at=0.3, width=8.0)), seeds).verdict == "worse"


def test_a_small_difference_is_undecided_at_two_seeds() -> None:
    records = run((0, 1), dhel=synthetic.hill(peak=0.801, at=0.3, width=8.0), noise=0.02)
    assert compare(records, (0, 1)).verdict == "undecided"


def test_equal_arms_are_identical() -> None:
    item = compare(run((0, 1), dhel=BASE, noise=0.0), (0, 1))
    assert item.verdict == "identical"
    assert item.difference.value == 0


def test_a_difference_without_spread_is_undecided() -> None:
    item = compare(run((0, 1), noise=0.0), (0, 1))
    assert item.difference.value == pytest.approx(0.1)
    assert item.deviation == 0
    assert item.verdict == "undecided"


def test_one_seed_is_too_few() -> None:
    item = compare(run((0,)), (0,))
    assert item.verdict == "too few seeds"
    assert math.isnan(item.p_holm)


def test_missing_trials_suspend_the_verdict() -> None:
    assert compare(run((0, 1, 2)).iloc[1:], (0, 1, 2)).verdict == "incomplete"


def test_a_grid_has_decisions_and_no_comparisons() -> None:
    findings = analyse(synthetic.plan(ARMS), run((0, 1)), synthetic.study_info(ARMS))
    assert findings.comparisons == ()
    assert findings.decisions is not None


def test_a_failed_check_of_fairness_withholds_the_verdict() -> None:
    planned = synthetic.plan(ARMS, seeds=(0, 1, 2))
    records = run((0, 1, 2))
    records["hp_epochs"] = np.where(planned["arm"] == "dhel", 50, 12)
    info = synthetic.study_info(ARMS, seeds=(0, 1, 2), adaptive=True)
    (item,) = analyse(planned.drop(columns="hp_epochs"), records, info).comparisons
    assert item.verdict == "withheld"


def test_seeds_pair() -> None:
    """A spread that both arms share does not hide the difference between them."""
    seeds = tuple(range(5))
    records = run(seeds, noise=0.0)
    columns = ["test_probe10_accuracy", "val_probe10_accuracy"]
    shared = np.random.default_rng(1).normal(size=5)[records["seed"]] * 0.02
    own = np.random.default_rng(2).normal(size=len(records)) * 1e-4
    records[columns] = records[columns].add(shared + own, axis=0)
    item = compare(records, seeds)
    assert (item.verdict, item.deviation < 1e-3) == ("better", True)


def test_false_positives_stay_below_the_level() -> None:
    """One surface with independent noise in four arms: a wrong verdict at most every twentieth study."""
    arms = [synthetic.arm_info(name) for name in ("infonce", "a", "b", "c")]
    planned = synthetic.plan(arms, seeds=(0, 1, 2), batch_sizes=(16,), values=(0.1, 0.5))
    info = synthetic.study_info(arms, seeds=(0, 1, 2), adaptive=True)
    rng = np.random.default_rng(3)
    wrong = 0
    for _ in range(60):
        records = synthetic.run(planned, {arm.label: BASE for arm in arms}, noise=0.01, rng=rng)
        findings = analyse(planned, records, info)
        assert len(findings.comparisons) == 3
        wrong += any(item.verdict in ("better", "worse") for item in findings.comparisons)
    assert wrong <= 60 * 0.05 + 3 * math.sqrt(60 * 0.05 * 0.95)


def test_no_seed_that_both_have_is_told() -> None:
    planned = synthetic.plan(ARMS, seeds=(0, 1, 2, 3))
    kept = (planned["arm"] == "dhel") == (planned["seed"] < 2)
    info = synthetic.study_info(ARMS, seeds=(0, 1, 2, 3), adaptive=True)
    (item,) = analyse(planned[kept], run((0, 1, 2, 3))[kept], info).comparisons
    assert (item.difference.seeds, item.difference.note) == (0, "no paired seed")
