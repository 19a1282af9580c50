"""Published numbers beside ours: Welch's interval by hand and by simulation, one run on a side, and what is said."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.model.claims import NOT_COMPARABLE, OFF, OPEN, WITHIN_NOISE, Claim, judge
from analysis.model.published import Published, Sample, difference, sample_of

_MINUS = "\N{MINUS SIGN}"


def claim(**fields: object) -> Claim:
    values = {"name": "c", "claim": "It is so.", "paper": "P", "column": "test_knn_accuracy"} | fields
    return Claim(**values)  # type: ignore[arg-type]


def rows(values: list[float], **columns: object) -> pd.DataFrame:
    table = pd.DataFrame({"test_knn_accuracy": values, "seed": range(len(values)), "hp_batch_size": 512})
    return table.assign(arm="ntxent", status="ok", config_id="a").assign(**columns)


def test_welch_by_hand() -> None:
    """s^2/n = 0.04/4 = 0.01, t^2/r = 0.09/9 = 0.01; df = 0.02^2 / (0.01^2/3 + 0.01^2/8) = 96/11."""
    gap = difference(Sample(mean=2.0, deviation=0.2, count=4), Sample(mean=1.0, deviation=0.3, count=9))
    half = stats.t.ppf(0.975, 96 / 11) * math.sqrt(0.02)
    assert gap.value == 1.0
    assert (gap.low, gap.high) == pytest.approx((1 - half, 1 + half), rel=1e-12)
    assert gap.method == "Welch, 8.73 df"


def test_welch_is_that_of_scipy() -> None:
    draws = np.random.default_rng(1)
    a, b = draws.normal(0.83, 0.004, 5), draws.normal(0.835, 0.002, 3)
    gap = difference(sample_of(a), sample_of(b))
    low, high = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert (gap.low, gap.high) == pytest.approx((low, high), rel=1e-10)


@pytest.mark.parametrize(("deviation", "least"), [(1.0, 0.94), (3.0, 0.92), (1 / 3, 0.92)])
def test_the_interval_covers_the_difference_at_three_seeds_and_three_runs(
    deviation: float, least: float
) -> None:
    draws = np.random.default_rng(2)
    ours, theirs = draws.normal(0, 1, (1500, 3)), draws.normal(0, deviation, (1500, 3))
    gaps = [difference(sample_of(a), sample_of(b)) for a, b in zip(ours, theirs, strict=True)]
    assert least < np.mean([gap.low <= 0 <= gap.high for gap in gaps]) < 0.985


_THREE = Sample(mean=2.0, deviation=0.2, count=3)
_EQUAL = Sample(mean=2.0, deviation=0.0, count=3)


@pytest.mark.parametrize(
    ("ours", "source", "note"),
    [
        (_THREE, Sample(mean=1.0), "the source has a single run"),
        (Sample(mean=2.0), Sample(mean=1.0), "the source has a single run"),
        (_THREE, Sample(mean=1.0, deviation=0.1, count=0), "the source does not give its number of runs"),
        (_THREE, Sample(mean=1.0, count=3), "the source gives no spread"),
        (Sample(mean=2.0), Sample(mean=1.0, deviation=0.1, count=3), "one seed has no spread"),
        (_EQUAL, Sample(mean=1.0, count=3), "neither our seeds nor the source give a spread"),
        (_EQUAL, Sample(mean=1.0, deviation=0.0, count=3), "neither our seeds nor the source give a spread"),
    ],
)
def test_without_a_spread_on_both_sides_there_is_a_difference_and_no_interval(
    ours: Sample, source: Sample, note: str
) -> None:
    gap = difference(ours, source)
    assert (gap.value, gap.has_interval, gap.note) == (1.0, False, note)


def test_equal_seeds_have_the_interval_of_the_source() -> None:
    """t sqrt(1/3) with 2 degrees of freedom."""
    gap = difference(_EQUAL, Sample(mean=1.0, deviation=0.3, count=3))
    half = stats.t.ppf(0.975, 2) * 0.3 * math.sqrt(1 / 3)
    assert (gap.low, gap.high) == pytest.approx((1 - half, 1 + half), rel=1e-12)


def test_a_number_within_seed_noise_and_one_that_is_off() -> None:
    published = {"expected": 0.832, "spread": 0.002, "runs": 3}
    near = judge(claim(**published), rows([0.830, 0.833, 0.831]))
    # mean 0.83133, SD 0.0015275: s^2/n = 7.7778e-7, t^2/r = 4e-6/3; df = 3.749
    half = stats.t.ppf(0.975, 3.7486) * math.sqrt(0.77778 + 4 / 3) / 10
    ends = f"[{_MINUS}{0.066667 + half:.2f}, +{half - 0.066667:.2f}]"
    assert (near.status, near.agreeing) == (WITHIN_NOISE, 3)
    assert near.finding == f"within seed noise: {_MINUS}0.07 points {ends}"
    # mean 0.81, SD 0.002: SE = 0.002 sqrt(2/3), 4 degrees of freedom
    far = judge(claim(**published), rows([0.808, 0.810, 0.812]))
    half = 100 * stats.t.ppf(0.975, 4) * 0.002 * math.sqrt(2 / 3)
    low, high = f"{_MINUS}{2.2 + half:.2f}", f"{_MINUS}{2.2 - half:.2f}"
    assert (far.status, far.finding) == (OFF, f"off by {_MINUS}2.2 points [{low}, {high}]")
    assert far.found == (
        f"81 (3 seeds, SD 0.2) against 83.2 (SD 0.2, 3 runs): difference {_MINUS}2.2 points [{low}, {high}]"
    )


def test_what_cannot_be_compared_has_both_numbers() -> None:
    told = claim(
        expected=0.85, spread=0.003, runs=3, not_comparable="the source has the maximum over epochs on test."
    )
    found = judge(told, rows([0.80, 0.81, 0.82]))
    assert found.status == NOT_COMPARABLE
    assert found.finding == "not comparable because the source has the maximum over epochs on test"
    assert found.found.startswith(
        f"81 (3 seeds, SD 1) against 85 (SD 0.3, 3 runs): difference {_MINUS}4 points ["
    )
    alone = judge(claim(expected=0.85, spread=0.003, runs=3), rows([0.80]))
    assert alone.finding == "not comparable because one seed has no spread"
    assert alone.found == f"80 (1 seed) against 85 (SD 0.3, 3 runs): difference {_MINUS}5 points"


def test_one_run_of_the_source_or_an_unknown_number_is_not_comparable() -> None:
    """Neither near values nor far ones have an answer, but both numbers and the difference."""
    single = judge(claim(expected=0.832, runs=1), rows([0.7, 0.9, 0.8]))
    assert (single.status, single.agreeing) == (NOT_COMPARABLE, 0)
    assert single.finding == "not comparable because the source has a single run"
    assert single.found == f"80 (3 seeds, SD 10) against 83.2 (1 run): difference {_MINUS}3.2 points"
    unknown = judge(claim(expected=0.5, spread=0.1), rows([0.7, 0.9, 0.8]))
    assert unknown.finding == "not comparable because the source does not give its number of runs"
    assert unknown.found == (
        "80 (3 seeds, SD 10) against 50 (SD 10, number of runs not given): difference +30 points"
    )


def test_equal_seeds_against_a_number_without_a_spread_say_so() -> None:
    found = judge(claim(expected=0.832, runs=3), rows([0.8, 0.8, 0.8]))
    assert found.finding == "not comparable because neither our seeds nor the source give a spread"


def test_all_reasons_are_told() -> None:
    several = claim(expected=0.832, runs=1, not_comparable="unmatched temperature")
    found = judge(several, rows([0.8, np.nan, 0.81], status=["ok", "oom", "ok"]))
    assert found.finding == (
        "not comparable because unmatched temperature; 1 of 3 trials failed; the source has a single run"
    )


def test_missing_and_failed_trials_are_told() -> None:
    published = claim(expected=0.832, spread=0.002, runs=3)
    part = judge(published, rows([0.83, np.nan, 0.831], status=["ok", None, "ok"]))
    assert part.status == OPEN
    assert part.found.startswith("1 trial without a result yet; 83.05 (2 seeds")
    failed = judge(published, rows([0.83, np.nan, 0.831], status=["ok", "diverged", "ok"]))
    assert (failed.status, failed.agreeing) == (NOT_COMPARABLE, 0)
    assert failed.finding == "not comparable because 1 of 3 trials failed"
    assert failed.found.startswith("1 of 3 trials failed, and the mean is without them; 83.05 (2 seeds")
    two = judge(published, rows([0.832, np.nan, np.nan], status=["ok", "diverged", "diverged"]))
    assert two.finding == "not comparable because 2 of 3 trials failed; one seed has no spread"
    left = judge(published, rows([0.83, 0.1, 0.831], status=["ok", "diverged", "ok"]))
    assert (left.finding, left.found) == (failed.finding, failed.found)  # the value of a failed trial is none
    none = judge(published, rows([np.nan] * 2, status="diverged"))
    assert (none.status, none.finding) == (NOT_COMPARABLE, "not comparable because 2 of 2 trials failed")
    assert none.found.endswith("no value against 83.2 (SD 0.2, 3 runs)")


def test_a_trial_that_ended_without_a_value_did_not_fail() -> None:
    published = claim(expected=0.832, spread=0.002, runs=3)
    none = judge(published, rows([np.nan] * 2))
    assert (none.status, none.agreeing) == (NOT_COMPARABLE, 0)
    assert none.finding == "not comparable because 2 of 2 trials have no value in test_knn_accuracy"
    one = judge(published, rows([0.83, np.nan, 0.831, np.nan], status=["ok", "ok", "ok", "diverged"]))
    assert one.finding == (
        "not comparable because 1 of 4 trials failed; 1 of 4 trials has no value in test_knn_accuracy"
    )
    assert judge(claim(at_least=0.5), rows([np.nan] * 2)).found == "0 of 2 trials; none has a value"


def test_rows_of_several_configurations_are_refused() -> None:
    two = rows([0.8, 0.9], config_id=["a", "b"])
    with pytest.raises(
        ValueError, match=r"claims\.c: got 'arm ntxent', which are 2 configurations; an expected number"
    ):
        judge(claim(rows={"arm": "ntxent"}, expected=0.8), two)


def test_numbers_for_readers() -> None:
    share, plain = Published(column="test_knn_accuracy", value=0.8147), Published(column="z_rank", value=5.18)
    assert share.words == "81.47 (number of runs not given)"
    assert share.signed(-0.00004) == f"{_MINUS}0.004"  # not 0
    assert (share.signed(0.0), share.signed(0.012)) == ("0", "+1.2")
    assert (plain.shown(5.18), plain.signed(-0.5)) == ("5.18", f"{_MINUS}0.5")


def test_what_would_confirm_it_is_the_number() -> None:
    told = claim(rows={"batch_size": 512}, expected=0.832, spread=0.002, runs=3).confirmed_by
    assert told == "batch_size 512: test_knn_accuracy 83.2 (SD 0.2, 3 runs)"
