"""Every export of another tool is analysed as it is: only the metric is named, and the scores follow the law."""

import pytest

from analysis.results.build import table_study
from analysis.results.mapping import build_mapping
from analysis.results.read import read_rows
from analysis.study_analysis import analyse_table
from tests.analysis.results.exports.conftest import MakeExport
from tests.analysis.results.exports.making import EXPORTS, RAY_SECONDS
from tests.analysis.results.exports.trials import NO_FAILURE, TRIALS, accuracy

_SLOW = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(RAY_SECONDS + 60)]
NAMES = [pytest.param(name, marks=_SLOW if name.startswith("ray_") else ()) for name in EXPORTS]


@pytest.mark.parametrize("name", NAMES)
def test_the_scores_are_those_of_the_law(name: str, make_export: MakeExport) -> None:
    rows = read_rows(make_export(name, NO_FAILURE)).rows
    found = analyse_table(*table_study(rows, build_mapping({"metric": "acc"})))
    assert found.info.metric.unit == "%"
    assert found.info.metric.bounds == (0.0, 1.0)
    for label in ("a", "b"):
        cells = found.cells[label]
        assert cells.shape == (2, 2)
        assert cells.seeds.tolist() == [0, 1, 2]
        assert cells.axes[0].values.tolist() == [32, 64]
        assert cells.axes[1].values.tolist() == [0.1, 0.2]
        own = [trial for trial in TRIALS if trial["loss"] == label]
        assert cells.test.ravel().tolist() == pytest.approx([accuracy(trial) for trial in own])
    (tuned, *_) = found.comparisons
    assert tuned.difference.value == pytest.approx(0.03)
