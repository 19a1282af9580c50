"""Every export of another tool has the right trials: statuses, numbers, bare names and roles."""

from pathlib import Path

import pandas as pd
import pytest

from analysis.tables.exports.frames import completed
from analysis.tables.exports.layouts import recognise
from analysis.tables.exports.opening import open_export
from analysis.tables.exports.words import STATUS_WORDS
from tests.analysis.tables.exports.conftest import MakeExport
from tests.analysis.tables.exports.making import EXPORTS, RAY_SECONDS, mlflow_search
from tests.analysis.tables.exports.trials import EARLY, ENDS, TRIALS, accuracy

#: Statuses of the trials in `ENDS`.
STATUSES = {0: "crashed", 4: "crashed", 9: "pruned", 20: "missing"}

#: What a tool cannot tell: a process of Ray or of wandb does not run on, an offline run has no word for a stop, and
#: Ray's frame lacks one of the crashed trials and does not say of the other that it crashed.
_OTHERS = {
    "ray_folder": {0: "crashed", 4: "crashed", 9: "pruned"},
    "wandb_folder": {0: "crashed", 4: "crashed"},
}
_OTHERS |= {name: {0: "missing", 4: None, 9: "pruned"} for name in ("ray_csv", "ray_parquet")}

_SLOW = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(RAY_SECONDS + 60)]
NAMES = [pytest.param(name, marks=_SLOW if name.startswith("ray_") else ()) for name in EXPORTS]


def rows_of(source: str) -> pd.DataFrame:
    """The trials of an export, from a storage, a folder, or a saved frame."""
    rows = open_export(source)
    if rows is None:
        rows = completed(pd.read_parquet(source) if source.endswith(".parquet") else pd.read_csv(source))
    return rows


def bare_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with bare names, one column `told` of statuses, and numbers from text."""
    layout = recognise(list(rows.columns))
    assert layout is not None
    (status,) = (column for column, role in layout.roles.items() if role == "status")
    told = rows.rename(columns=layout.names).rename(columns=lambda name: name.replace("train/", ""))
    told = told.rename(columns=lambda name: name.replace("train.", ""))
    numbers = {name: pd.to_numeric(told[name]) for name in ("batch_size", "tau", "seed", "acc")}
    return told.assign(told=[STATUS_WORDS[word.lower()] for word in rows[status]], **numbers)


@pytest.mark.parametrize("name", NAMES)
def test_every_trial_has_its_status_and_result(name: str, make_export: MakeExport) -> None:
    expected = _OTHERS.get(name, STATUSES)
    outcomes = {number: ENDS[number] for number in expected}
    rows = bare_rows(rows_of(make_export(name, outcomes))).set_index(["loss", "batch_size", "tau", "seed"])
    assert len(rows) == 24 - list(expected.values()).count(None)
    for number, trial in enumerate(TRIALS):
        status = expected.get(number, "ok")
        if status is None:
            assert tuple(trial.values()) not in rows.index
            continue
        row = rows.loc[tuple(trial.values())]
        assert row["told"] == status
        if status == "ok":
            assert row["acc"] == pytest.approx(accuracy(trial))
        elif outcomes[number] == "silent":
            assert pd.isna(row["acc"])
        else:
            assert pd.isna(row["acc"]) or row["acc"] == EARLY


@pytest.mark.parametrize("name", NAMES)
def test_every_column_has_its_role(name: str, make_export: MakeExport) -> None:
    outcomes = {number: ENDS[number] for number in _OTHERS.get(name, STATUSES)}
    rows = rows_of(make_export(name, outcomes))
    layout = recognise(list(rows.columns))
    assert layout is not None
    roles = {layout.names[column]: role for column, role in layout.roles.items()}
    if name == "wandb_site_csv":  # its settings and results have no prefix
        assert set(roles.values()) == {"status", "housekeeping"}
        return
    nested = {"ray": "train/", "wandb_folder": "train."}.get(name if name == "wandb_folder" else name[:3], "")
    assert roles[f"{nested}batch_size"] == roles["tau"] == roles["loss"] == "hyperparameter"
    assert roles["seed"] == ("tag" if name.startswith("optuna") else "hyperparameter")
    assert roles["acc"] == "metric"
    assert set(layout.names) == set(rows.columns)
    assert len(set(layout.names.values())) == len(rows.columns)


@pytest.mark.parametrize("name", ["mlflow_database", "mlflow_folder"])
def test_mlflow_stores_equal_mlflows_own_frame(name: str, make_export: MakeExport) -> None:
    source = make_export(name, ENDS)
    own = mlflow_search(source if "://" in source else Path(source).as_uri())
    rows = open_export(source)
    assert rows is not None
    assert set(rows.columns) == set(own.columns)
    pd.testing.assert_frame_equal(rows[own.columns], own, check_dtype=False)


def test_optunas_storages_equal_optunas_own_frame(make_export: MakeExport) -> None:
    import optuna

    source = make_export("optuna_database", ENDS)
    own = optuna.load_study(study_name="first", storage=source).trials_dataframe()
    for place in (source, source.removeprefix("sqlite:///"), Path(source.removeprefix("sqlite:///"))):
        rows = open_export(place)
        assert rows is not None
        pd.testing.assert_frame_equal(rows, own)


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(RAY_SECONDS + 60)
def test_a_folder_of_ray_tune_equals_rays_own_frame(make_export: MakeExport) -> None:
    """But for the status, and for the trial that crashed before it reported anything."""
    outcomes = {number: ENDS[number] for number in _OTHERS["ray_folder"]}
    own = pd.read_parquet(make_export("ray_parquet", outcomes)).set_index("trial_id")
    rows = open_export(make_export("ray_folder", outcomes))
    assert rows is not None
    rows = rows.set_index("trial_id")
    assert set(rows.columns) - {"status"} == set(own.columns)
    own = own.dropna(axis="columns", how="all")
    pd.testing.assert_frame_equal(rows.loc[own.index, own.columns], own, check_dtype=False)
    assert rows.loc[~rows.index.isin(own.index), "status"].tolist() == ["ERROR"]
