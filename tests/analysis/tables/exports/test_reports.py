"""Every export of another tool is analysed as it is: only the metric is named, and the scores follow the law."""

from pathlib import Path

import optuna
import pytest

from analysis.statistics.comparisons.loss_values import TUNED
from analysis.study_analysis import analyse_table
from analysis.tables.build import table_study
from analysis.tables.mapping import build_mapping
from analysis.tables.read import read_rows
from tests.analysis.tables.exports.conftest import MakeExport
from tests.analysis.tables.exports.making import EXPORTS, RAY_SECONDS
from tests.analysis.tables.exports.trials import NO_FAILURE, TRIALS, accuracy

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
    assert found.decisions is not None
    tuned = found.decisions.of("b", TUNED)
    assert tuned is not None
    assert tuned.difference.value == pytest.approx(0.03)


def test_points_of_an_adaptive_sampler_are_known_as_such(tmp_path: Path) -> None:
    """Optuna's TPE leaves its attributes; its random sampler leaves none."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    for sampler, adaptive in (
        (optuna.samplers.TPESampler(seed=0, multivariate=True), True),
        (optuna.samplers.RandomSampler(seed=0), False),
    ):
        study = optuna.create_study(sampler=sampler, direction="maximize")
        study.optimize(_objective, n_trials=24)
        study.trials_dataframe().to_csv(tmp_path / "trials.csv")
        rows = read_rows(tmp_path / "trials.csv").rows
        _, info = table_study(rows, build_mapping({"metric": "value", "higher_is_better": True}))
        assert info.drawn
        assert info.adaptive == adaptive


def _objective(trial: optuna.Trial) -> float:
    trial.set_user_attr("seed", trial.number % 3)
    trial.suggest_categorical("loss", ["a", "b"])
    return trial.suggest_float("tau", 0.05, 1.0) + trial.suggest_float("lr", 0.05, 1.0)
