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


def test_one_run_of_the_source_has_the_spread_of_our_seeds() -> None:
    """s sqrt(1/4 + 1) with 3 degrees of freedom."""
    gap = difference(Sample(mean=2.0, deviation=0.2, count=4), Sample(mean=1.0))
    half = stats.t.ppf(0.975, 3) * 0.2 * math.sqrt(1.25)
    assert (gap.low, gap.high) == pytest.approx((1 - half, 1 + half), rel=1e-12)
    assert "that of our seeds stands for both" in gap.note


def test_one_seed_of_ours_has_the_spread_of_the_source() -> None:
    """t sqrt(1 + 1/3) with 2 degrees of freedom: a prediction interval."""
    gap = difference(Sample(mean=2.0), Sample(mean=1.0, deviation=0.3, count=3))
    half = stats.t.ppf(0.975, 2) * 0.3 * math.sqrt(4 / 3)
    assert (gap.low, gap.high) == pytest.approx((1 - half, 1 + half), rel=1e-12)
    assert "that of the source stands for both" in gap.note


def test_no_spread_gives_no_interval() -> None:
    for ours, theirs in (
        (Sample(mean=2.0), Sample(mean=1.0)),
        (Sample(mean=2.0, deviation=0.0, count=3), Sample(mean=1.0, deviation=0.0, count=3)),
    ):
        gap = difference(ours, theirs)
        assert gap.value == 1.0
        assert not gap.has_interval
        assert gap.note == "neither our seeds nor the source give a spread"


def test_a_number_within_seed_noise_and_one_that_is_off() -> None:
    published = {"expected": 0.832, "spread": 0.002, "runs": 3}
    near = judge(claim(**published), rows([0.830, 0.833, 0.831]))
    assert (near.status, near.finding, near.agreeing) == (WITHIN_NOISE, "within seed noise", 3)
    # mean 0.81, SD 0.002: SE = 0.002 sqrt(2/3), 4 degrees of freedom
    far = judge(claim(**published), rows([0.808, 0.810, 0.812]))
    half = 100 * stats.t.ppf(0.975, 4) * 0.002 * math.sqrt(2 / 3)
    low, high = f"{_MINUS}{2.2 + half:.2f}", f"{_MINUS}{2.2 - half:.2f}"
    assert (far.status, far.finding) == (OFF, f"off by {_MINUS}2.2 points [{low}, {high}]")
    assert far.found == (
        f"81 (3 seeds, SD 0.2) against 83.2 (SD 0.2, 3 runs): difference {_MINUS}2.2 points [{low}, {high}]"
    )


def test_what_cannot_be_compared_has_both_numbers() -> None:
    told = claim(expected=0.847, runs=1, not_comparable="the source has the maximum over epochs on test.")
    found = judge(told, rows([0.80, 0.81, 0.82]))
    assert found.status == NOT_COMPARABLE
    assert found.finding == "not comparable because the source has the maximum over epochs on test"
    assert found.found.startswith(f"81 (3 seeds, SD 1) against 84.7 (1 run): difference {_MINUS}3.7 points")
    alone = judge(claim(expected=0.847, runs=1), rows([0.80]))
    assert alone.finding == "not comparable because neither our seeds nor the source give a spread"
    assert alone.found.startswith("80 (1 seed) against 84.7 (1 run): difference")


def test_missing_and_failed_trials_are_told() -> None:
    published = claim(expected=0.832, spread=0.002, runs=3)
    part = judge(published, rows([0.83, np.nan, 0.831], status=["ok", None, "ok"]))
    assert part.status == OPEN
    assert part.found.startswith("1 trial without a result yet; 83.05 (2 seeds")
    failed = judge(published, rows([0.83, np.nan, 0.831], status=["ok", "diverged", "ok"]))
    assert failed.status == WITHIN_NOISE
    assert failed.found.startswith("1 of 3 trials have no value, and the mean is without them; 83.05")
    none = judge(published, rows([np.nan] * 2, status="diverged"))
    assert (none.status, none.finding) == (NOT_COMPARABLE, "not comparable because no trial finished")
    assert none.found.endswith("no value against 83.2 (SD 0.2, 3 runs)")


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
