"""Numbers, intervals, counts and paths are worded one way, with the sign in which better is plus."""

import math

import numpy as np
import pandas as pd
import pytest

from analysis import wording
from analysis.model.metric import Metric
from analysis.redact import redact_paths
from analysis.statistics.intervals.student import Estimate

ACCURACY = wording.Scale(Metric(name="knn_accuracy", worst=0.1))
LOSS = wording.Scale(
    Metric(
        name="loss", worst=9.0, bounds=(0.0, 10.0), higher_is_better=False, factor=1, unit="nats", digits=2
    )
)


def test_scores_and_differences() -> None:
    assert wording.percent(0.9314) == ACCURACY.value(0.9314) == "93.1"
    assert wording.percent(math.nan) == ACCURACY.value(math.nan) == "–"
    assert ACCURACY.gap(0.021) == "+2.1"
    assert ACCURACY.gap(-0.021) == "−2.1"
    assert ACCURACY.gap(-0.0001) == "0.0"
    assert ACCURACY.size(1.5) == "over 100"
    assert [ACCURACY.exact_size(gap) for gap in (0.021, 3.14e-6, 0.0)] == ["2.1", "0.00031", "0.0"]


@pytest.mark.parametrize(
    ("difference", "text"),
    [
        (0.0004, "+0.04"),  # rounding would move it onto 0
        (-0.000_02, "−0.002"),
        (0.0, "0.0"),
        (1e-17, "0.0"),  # the error of floating point
        (0.0201, "+2.01"),  # beyond the tolerance, which is 2.0
        (-0.01996, "−1.996"),
        (0.02, "+2.0"),
        (0.2 - 0.18, "+2.0"),
        (0.0376, "+3.8"),
        (math.nan, "–"),
    ],
)
def test_rounding_moves_no_end_of_an_interval_onto_a_border(difference: float, text: str) -> None:
    scale = wording.Scale(ACCURACY.metric, 0.02)
    assert scale.end(difference) == text
    interval = scale.gap_interval(Estimate(value=0.03, low=difference, high=0.06))
    assert interval.replace("\N{NO-BREAK SPACE}", " ") == (
        f"[{text}, +6.0]" if math.isfinite(difference) else ""
    )


def test_where_lower_is_better_values_keep_their_sign_and_plus_is_better() -> None:
    score = LOSS.metric.scores(np.array(2.5))
    assert LOSS.value(float(score)) == "2.50"
    estimate = Estimate(value=float(score), low=-3.0, high=-2.0)
    assert LOSS.with_interval(estimate).replace("\N{NO-BREAK SPACE}", " ") == "2.50 nats [2.00, 3.00]"
    assert LOSS.gap(0.5) == "+0.50"
    assert LOSS.metric.score_bounds == (-10.0, 0.0)
    assert LOSS.metric.worst_score == -9.0


def test_estimates() -> None:
    both = wording.with_interval(Estimate(value=0.9, low=0.85, high=0.95))
    assert both.replace("\N{NO-BREAK SPACE}", " ") == "90.0 % [85.0, 95.0]"
    assert wording.with_interval(Estimate(value=0.9)).endswith("%")
    assert wording.with_interval(Estimate(value=math.nan)) == "–"
    assert wording.interval(Estimate(value=0.9, low=0.9, high=0.9)) == ""


@pytest.mark.parametrize(
    ("value", "text"), [(0.05, "0.05"), (0.31623, "0.316"), (256.0, "256"), (4096, "4096"), (math.nan, "–")]
)
def test_numbers(value: float, text: str) -> None:
    assert wording.number(value) == text


def test_small_p_values_are_bounds() -> None:
    assert [wording.p_value(p) for p in (0.00001, 0.034, 1.0, math.nan)] == ["< 0.001", "0.034", "1", "–"]


def test_lists_and_counts() -> None:
    assert [wording.listing(names) for names in ([], ["A"], ["A", "B"], ["A", "B", "C"])] == [
        "",
        "A",
        "A and B",
        "A, B and C",
    ]
    assert [wording.counted(n, "seed") for n in (0, 1, 2)] == ["no seeds", "1 seed", "2 seeds"]


def test_values_with_counts() -> None:
    assert wording.values_with_counts(pd.Series([1.0, 1.0, None])) == "1"
    assert wording.values_with_counts(pd.Series(["b", "a", "b"])) == "a (1 trials), b (2 trials)"
    assert wording.values_with_counts(pd.Series(range(9)), most=2).endswith(", …")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("no file /home/someone/data/x.parquet here", "no file …/x.parquet here"),
        ("name = 'parquet:/srv/data/x'", "name = 'parquet:…/x'"),
        (r"C:\Users\someone\x.txt", "…/x.txt"),
        ("see https://example.org/a/b", "see https://example.org/a/b"),
        ("1/2 of a/b", "1/2 of a/b"),
        ("(/opt/a/b.py, line 3)", "(…/b.py, line 3)"),
    ],
)
def test_paths_are_cut(text: str, clean: str) -> None:
    assert redact_paths(text) == clean
