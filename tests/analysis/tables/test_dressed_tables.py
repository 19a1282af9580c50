"""Tables in many dresses: each ends in the right answer with only the metric named, or in one true line."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.model.info import StudyInfo
from analysis.report.score_tables import decisions_table, scores_table
from analysis.study_analysis import analyse_table
from analysis.tables.build import table_study
from analysis.tables.mapping import build_mapping
from analysis.tables.read import read_rows
from tests.analysis.tables.dressing import FAULTS, Dressed, Truth, dressed


def studied(told: Dressed, **keys: str) -> tuple[pd.DataFrame, StudyInfo]:
    return table_study(read_rows(told.path).rows, build_mapping({"metric": told.metric, **keys}))


def meant(truth: Truth, **more: str) -> tuple[pd.DataFrame, StudyInfo]:
    """The truth with every column named."""
    keys = {"metric": "acc", "loss": "loss", "seed": "seed", "status": "status", "axes": truth.axes, **more}
    return table_study(truth.rows, build_mapping(keys))


def trials(table: pd.DataFrame, info: StudyInfo, axes: int) -> list[tuple[str, ...]]:
    """Every trial as text: loss, seed, status, hyperparameters by value, and the score in points."""
    found = sorted(name for name in table.columns if name.startswith("hp_") and table[name].nunique() > 1)
    assert len(found) == axes, found
    scores = info.metric.factor * table[info.metric.reporting_column]
    rows = zip(
        table["arm"], table["seed"], table["status"], *(table[name] for name in found), scores, strict=True
    )
    return sorted(
        (
            str(arm),
            str(seed),
            str(status),
            *sorted(_text(value) for value in values),
            f"{score:.6f}" if status == "ok" else "",
        )
        for arm, seed, status, *values, score in rows
    )


def _text(value: object) -> str:
    return (
        f"{value:.9g}"
        if isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        else str(value)
    )


def check(told: Dressed) -> None:
    table, info = studied(told)
    want, want_info = meant(told.truth)
    axes = len(told.truth.axes)
    assert trials(table, info, axes) == trials(want, want_info, axes), told.worn
    assert info.drawn == told.truth.drawn, told.worn
    assert info.metric.higher_is_better
    assert info.metric.factor * info.metric.worst == pytest.approx(100 * want_info.metric.worst), told.worn
    assert info.metric.factor * info.tolerance == pytest.approx(100 * want_info.tolerance)


@pytest.mark.parametrize(
    "number", [*range(40), *(pytest.param(number, marks=pytest.mark.slow) for number in range(40, 200))]
)
def test_a_dressed_table_gives_the_right_trials(number: int, tmp_path: Path) -> None:
    check(dressed(np.random.default_rng(number), tmp_path))


@pytest.mark.parametrize("number", range(4))
def test_decisions_do_not_depend_on_the_dress(number: int, tmp_path: Path) -> None:
    """Renamed, reordered, retyped and padded: every score and verdict is that of the plain table."""
    told = dressed(np.random.default_rng(1000 + number), tmp_path)
    reference = min(told.truth.rows["loss"])
    found = analyse_table(*studied(told, reference=reference))
    want = analyse_table(*meant(told.truth, reference=reference))
    columns = ["tuned", "tuned_low", "tuned_high", "mean", "mean_low", "mean_high", "worst_tenth"]
    scale = found.info.metric.factor / 100
    for mine, its in zip(
        scores_table(found).sort_values("arm")[columns].to_numpy(float),
        scores_table(want).sort_values("arm")[columns].to_numpy(float),
        strict=True,
    ):
        np.testing.assert_allclose(scale * mine, its, atol=1e-9)
    decided = [decisions_table(each).set_index(["loss", "question"])["verdict"] for each in (found, want)]
    assert decided[0].to_dict() == decided[1].to_dict()
    assert len(decided[0]) > 0


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("number", range(5))
def test_a_fault_is_one_true_line(fault: str, number: int, tmp_path: Path) -> None:
    told = dressed(np.random.default_rng(2000 + number), tmp_path, fault=fault)
    with pytest.raises(ValueError, match=r"^[^\n]*$") as caught:
        studied(told)
    assert told.fault in str(caught.value), told.worn
