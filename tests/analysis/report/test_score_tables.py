"""Written tables hold every planned trial, and agree with pandas."""

import numpy as np
import pytest

from analysis.report.score_tables import (
    cells_table,
    coverage_table,
    decisions_table,
    failures_table,
    scores_table,
    trials_table,
)
from analysis.statistics.comparisons.loss_values import AVERAGE
from analysis.study_analysis import analyse
from tests.analysis import synthetic
from tests.analysis.conftest import Study


def test_trials_table_holds_every_planned_trial(study: Study) -> None:
    planned, records, info = study
    table = trials_table(analyse(planned, records.iloc[3:], info))
    assert len(table) == len(planned)
    assert (table["status"] == "missing").sum() == 3
    assert "test_probe10_accuracy" in table
    assert "node" not in table


def test_cells_table_agrees_with_pandas(study: Study) -> None:
    planned, records, info = study
    cells = cells_table(analyse(planned, records, info))
    rows = planned.merge(records[["trial_id", "test_probe10_accuracy"]], on="trial_id")
    expected = rows.groupby(["arm", "config_id"], sort=False)["test_probe10_accuracy"].mean()
    assert len(cells) == 45
    np.testing.assert_allclose(np.sort(cells["test_mean"]), np.sort(expected))
    assert (cells["test_low"] <= cells["test_mean"]).all()
    assert cells["seeds_finished"].eq(2).all()


def test_scores_and_decisions(study: Study) -> None:
    findings = analyse(*study)
    scores = scores_table(findings).set_index("arm")
    assert scores.loc["dhel", "mean"] == findings.summaries["dhel"].mean.value
    assert scores.loc["dhel", "tolerance_volume_note"] == "the share is too low at few seeds"
    assert scores.loc["kcl", "default_main_axis_value"] == pytest.approx(2.0)
    decisions = decisions_table(findings)
    assert decisions["loss"].tolist() == ["dhel"] * 4 + ["kcl"] * 4
    assert decisions["reference"].unique().tolist() == ["infonce"]
    difference = decisions.set_index(["loss", "question"]).loc[("dhel", AVERAGE), "difference"]
    assert difference == pytest.approx(scores.loc["dhel", "mean"] - scores.loc["infonce", "mean"])


def test_failures_and_coverage(study: Study) -> None:
    planned, records, info = study
    records = synthetic.fail(records, ["infonce-16-0-0", "kcl-256-4-1"], status="crashed").drop(1)
    findings = analyse(planned, records, info)
    failures = failures_table(findings)
    assert failures["trial_id"].tolist() == ["infonce-16-0-0", "kcl-256-4-1"]
    assert failures["main_axis_value"].tolist() == [0.05, 16.0]
    assert failures["error_message"].tolist() == ["loss is nan at step 3, see …/log.txt"] * 2
    coverage = coverage_table(findings).set_index("arm")
    assert coverage.loc["infonce", ["planned", "ok", "crashed", "missing"]].tolist() == [30, 28, 1, 1]
    assert (coverage.drop(columns="planned").sum(axis=1) == coverage["planned"]).all()
