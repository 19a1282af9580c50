"""Completes the frames of other tools that were saved as a file: what is in them, but not as a column or row each."""

import pandas as pd

from analysis.tables.exports.layouts import RAY_TUNE, recognise
from analysis.tables.exports.nested import as_dict, flattened
from analysis.tables.exports.ray_folder import frame_statuses

#: Columns of dicts in the frame that the documentation of Weights & Biases makes of a project.
_DICTS = ("config", "summary")
#: MLflow's tag of a run within another one, such as a trial within a search.
_PARENT = "tags.mlflow.parentRunId"


def completed(rows: pd.DataFrame) -> pd.DataFrame:
    """The trials of a frame that another tool wrote; a plain table unchanged.

    - Ray Tune: a column `status`, where the frame has none. Trials that a scheduler stopped are `STOPPED`, and the
      few that have fewer reports than the others are `UNFINISHED`. Trials that crashed before a report are absent.
    - Weights & Biases: columns `config` and `summary` of dicts become a column for each key, `config.lr`.
    - MLflow: runs that contain other runs and have no parameters of their own are left out, since they are searches.
    """
    rows = _without_searches(_with_keys(rows))
    layout = recognise([str(name) for name in rows.columns])
    if layout and layout.tool == RAY_TUNE and "training_iteration" in rows and "status" not in rows:
        return rows.assign(status=frame_statuses(rows))
    return rows


def _with_keys(rows: pd.DataFrame) -> pd.DataFrame:
    if not set(_DICTS) <= set(rows.columns):
        return rows
    trees = {name: [as_dict(value) for value in rows[name]] for name in _DICTS}
    if any(tree is None for column in trees.values() for tree in column):
        return rows
    flat = [
        {
            f"{name}.{key}": value
            for name in _DICTS
            for key, value in flattened(trees[name][row] or {}, ".").items()
        }
        for row in range(len(rows))
    ]
    return pd.concat([rows.drop(columns=list(_DICTS)), pd.DataFrame(flat, index=rows.index)], axis="columns")


def _without_searches(rows: pd.DataFrame) -> pd.DataFrame:
    if not {_PARENT, "run_id"} <= set(rows.columns):
        return rows
    params = [name for name in rows.columns if str(name).startswith("params.")]
    is_search = rows["run_id"].isin(rows[_PARENT].dropna()) & rows[params].isna().all(axis=1)
    return rows[~is_search].reset_index(drop=True) if is_search.any() else rows
