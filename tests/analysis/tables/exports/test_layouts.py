"""Frames of other tools are recognised by their columns, and bare names stay distinct."""

import pandas as pd
import pytest

from analysis.tables.exports.frames import completed
from analysis.tables.exports.layouts import recognise
from analysis.tables.exports.words import HOUSEKEEPING, STATUS_WORDS, is_housekeeping
from analysis.tables.statuses import STATUSES
from analysis.tables.usual_names import plain


@pytest.mark.parametrize(
    "columns",
    [
        ["loss", "seed", "batch_size", "tau", "acc"],
        ["loss", "seed", "params_total", "params_trained", "state", "duration", "acc"],
        ["hp_lr", "arm", "seed", "status", "test_accuracy"],
        ["Name", "seed", "acc"],
        ["config", "seed", "metrics"],
        [],
    ],
)
def test_a_plain_table_has_no_layout(columns: list[str]) -> None:
    assert recognise(columns) is None


@pytest.mark.parametrize(
    ("columns", "tool", "names"),
    [
        (["loss", "seed", "config/tau", "pid", "acc"], "Ray Tune", {"config/tau": "tau"}),
        (
            ["loss", "params_tau", "user_attrs_seed"],
            "Optuna",
            {"params_tau": "tau", "user_attrs_seed": "seed"},
        ),
        (["number", "value", "params_lr"], "Optuna", {"params_lr": "lr", "value": "value"}),
        (
            ["number", "values_0", "values_acc", "params_a"],
            "Optuna",
            {"values_0": "values_0", "values_acc": "acc"},
        ),
        (
            ["params.opt/lr", "metrics.val/acc"],
            "MLflow",
            {"params.opt/lr": "opt/lr", "metrics.val/acc": "val/acc"},
        ),
        (["Start Time", "Run ID", "Status", "lr", "acc"], "MLflow", {"lr": "lr"}),
        (
            ["config.opt.lr", "summary.acc"],
            "Weights & Biases",
            {"config.opt.lr": "opt.lr", "summary.acc": "acc"},
        ),
        (["Name", "State", "Created", "lr", "acc"], "Weights & Biases", {"lr": "lr", "acc": "acc"}),
    ],
)
def test_a_frame_is_known_by_its_columns(columns: list[str], tool: str, names: dict[str, str]) -> None:
    layout = recognise(columns)
    assert layout is not None
    assert layout.tool == tool
    assert names.items() <= layout.names.items()


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        (
            ["metrics.lr", "params.lr", "tags.lr", "run_id"],
            {"params.lr": "lr", "metrics.lr": "metrics.lr", "tags.lr": "tags.lr", "run_id": "run_id"},
        ),
        (
            ["loss", "metric.loss", "config/loss"],
            {"config/loss": "loss", "metric.loss": "metric.loss", "loss": "metric.metric.loss"},
        ),
        (["loss", "config/loss"], {"config/loss": "loss", "loss": "metric.loss"}),
        (["status", "params.status", "metrics.a"], {"params.status": "status", "status": "status.status"}),
        (["number", "params_number", "value"], {"params_number": "number", "number": "housekeeping.number"}),
    ],
)
def test_equal_bare_names_stay_distinct(columns: list[str], names: dict[str, str]) -> None:
    layout = recognise(columns)
    assert layout is not None
    assert names.items() <= layout.names.items()
    assert len(set(layout.names.values())) == len(columns)


def test_what_a_layout_leaves_open_has_no_role() -> None:
    layout = recognise(["Name", "State", "Runtime", "lr", "acc", "_step"])
    assert layout is not None
    assert layout.roles == {
        "Name": "housekeeping",
        "State": "status",
        "Runtime": "housekeeping",
        "_step": "housekeeping",
    }


def test_words_of_statuses_are_lower_case_and_ours() -> None:
    assert set(STATUS_WORDS.values()) == set(STATUSES)
    assert all(word == word.lower() for word in STATUS_WORDS)
    assert {status: STATUS_WORDS[status] for status in STATUSES} == {status: status for status in STATUSES}


def test_words_of_the_tools_have_a_status() -> None:
    """The states of Optuna, Ray Tune, MLflow, and of runs and sweeps of Weights & Biases."""
    from optuna.trial import TrialState

    states = [state.name for state in TrialState]
    states += ["PENDING", "RUNNING", "PAUSED", "TERMINATED", "ERROR"]
    states += ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]
    states += ["running", "finished", "crashed", "failed", "killed", "preempted", "preempting", "pending"]
    assert {word for word in states if word.lower() not in STATUS_WORDS} == set()


def test_housekeeping_is_plain_and_no_setting() -> None:
    assert {name for name in HOUSEKEEPING if plain(name) != name} == set()
    assert not HOUSEKEEPING & {
        "loss",
        "seed",
        "lr",
        "batch_size",
        "epochs",
        "steps",
        "data",
        "dataset",
        "status",
    }


@pytest.mark.parametrize(
    "name",
    [
        "Unnamed: 0",
        "unnamed: 0",
        "CPU count",
        "Python Version",
        "source type",
        "trainer/global_step",
        "runId",
    ],
)
def test_housekeeping_is_known_as_tools_write_it(name: str) -> None:
    assert is_housekeeping(name)


def ray_frame(iterations: list[int], done: list[bool], **config: list[object]) -> pd.DataFrame:
    settings = {f"config/{name}": values for name, values in config.items()}
    return pd.DataFrame({"training_iteration": iterations, "done": done, **settings})


@pytest.mark.parametrize(
    ("rows", "statuses"),
    [
        (ray_frame([3, 3, 3], [False] * 3, tau=[1, 2, 3]), "TTT"),
        (ray_frame([3, 1, 3], [True, True, True], tau=[1, 2, 3]), "TST"),
        (ray_frame([3, 1, 3, 3], [False] * 4, tau=[1, 1, 2, 2]), "TUTT"),
        (ray_frame([3, 1, 3, 3, 1, 3], [False] * 6, epochs=[3, 1, 3, 3, 1, 3]), "TTTTTT"),  # it decides
        (ray_frame([5, 1, 3, 4], [False] * 4, tau=[1, 1, 2, 2]), "TTTT"),  # each stops when it sees fit
    ],
)
def test_a_frame_of_ray_tune_gets_statuses(rows: pd.DataFrame, statuses: str) -> None:
    words = {"T": "TERMINATED", "S": "STOPPED", "U": "UNFINISHED"}
    assert completed(rows)["status"].tolist() == [words[letter] for letter in statuses]


def test_searches_of_mlflow_are_no_trials() -> None:
    rows = pd.DataFrame(
        {
            "run_id": ["search", "a", "b", "fold"],
            "tags.mlflow.parentRunId": [None, "search", "search", "a"],
            "params.lr": [None, "1", "2", "1"],
            "metrics.acc": [0.9, 0.9, 0.8, 0.7],
        }
    )
    assert completed(rows)["run_id"].tolist() == ["a", "b", "fold"]


def test_columns_of_dicts_become_columns() -> None:
    """As `wandb.Api` gives them, and as a CSV file has them: texts, with numbers that Python does not read."""
    config = [{"opt": {"lr": 0.1, "name": "it's"}, "seed": 0}, {"opt": {"lr": 0.2, "name": "b"}, "seed": 1}]
    summary = [{"acc": 0.5, "loss": float("nan"), "img": {"_type": "image-file"}}, {"acc": 0.25}]
    rows = pd.DataFrame({"summary": summary, "config": config, "name": ["x", "y"]})
    for told in (rows, rows.astype({"summary": str, "config": str})):
        made = completed(told)
        assert list(made) == [
            "name",
            "config.opt.lr",
            "config.opt.name",
            "config.seed",
            "summary.acc",
            "summary.loss",
        ]
        assert made["config.opt.lr"].tolist() == [0.1, 0.2]
        assert made["summary.acc"].tolist() == [0.5, 0.25]
        assert made["summary.loss"].isna().all()


def test_a_plain_table_stays_as_it_is() -> None:
    rows = pd.DataFrame({"loss": ["a"], "config": ["{broken"], "summary": ["text"], "acc": [1.0]})
    assert completed(rows) is rows
