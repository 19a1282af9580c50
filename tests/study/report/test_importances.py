"""Optuna's importances find the hyperparameter that matters, and are left out where they would mean nothing."""

import dataclasses
import sys

import numpy as np
import pytest

from analysis.report.sections.hyperparameters.hyperparameters import hyperparameters_section
from analysis.study_analysis import StudyAnalysis, analyse
from study.report.importances import arm_importances, with_importances
from tests.analysis import synthetic


def findings(seeds: int, **changes: object) -> StudyAnalysis:
    """Validation accuracy depends on temperature alone."""
    arm = synthetic.arm_info("infonce")
    planned = synthetic.plan([arm], seeds=tuple(range(seeds)))
    records = synthetic.run(planned, {"infonce": synthetic.hill(peak=0.9, at=0.3, width=3.0)})
    info = synthetic.study_info([arm], seeds=tuple(range(seeds)), **changes)
    return analyse(planned, records, info)


def test_the_hyperparameter_that_matters_has_nearly_all() -> None:
    found = with_importances(findings(4)).optuna_importances["infonce"]
    assert list(found) == ["temperature", "batch size"]
    assert found["temperature"] > 0.9
    assert sum(found.values()) == pytest.approx(1)
    assert found == with_importances(findings(4)).optuna_importances["infonce"]


def test_the_report_shows_them() -> None:
    content = hyperparameters_section(with_importances(findings(4)))
    assert content is not None
    assert [row[4].text for row in content.tables[0].rows] == ["0", "100"]


@pytest.mark.parametrize(("seeds", "adaptive"), [(3, False), (4, True)])
def test_few_trials_and_searches_have_none(seeds: int, adaptive: bool) -> None:
    assert with_importances(findings(seeds, adaptive=adaptive)).optuna_importances == {}


def test_scores_without_any_spread_have_none() -> None:
    cells = findings(4).wholes["infonce"]
    flat = {name: np.full(values.shape, 0.5) for name, values in cells.raw.items()}
    assert arm_importances(dataclasses.replace(cells, raw=flat)) == {}


def test_without_optuna_the_report_goes_on_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "search_spaces.optuna_adapter", None)
    monkeypatch.delattr("search_spaces.optuna_adapter", raising=False)
    assert with_importances(findings(4)).optuna_importances == {}
