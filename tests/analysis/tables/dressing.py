"""One table of results in many dresses: names, orders, kinds of cells, further columns, statuses and files."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

#: Names of the losses. Some look like numbers or like empty cells, and two differ only in a zero.
_LOSSES = (
    *(
        ("simclr", "dhel"),
        ("infonce", "dhel", "kcl"),
        ("1.1", "1.10"),
        ("NA", "None"),
        ("对比", "é损"),
        ("a|b", "$x$"),
    ),
    *(("DHEL", "dhel"), ("nan", "null", "x"), ("-1", "=1+1"), ("SimCLR (ours)", "SimCLR")),
)
#: Usual names of each column.
_NAMES = {
    "loss": ("loss", "method", "loss_fn", "Loss", "criterion", "Loss Name", "algo"),
    "seed": ("seed", "Seed", "random_seed", "rng seed", "randomState"),
    "batch_size": ("batch_size", "bs", "Batch Size", "batchSize", "batch-size", "batch"),
    "tau": ("tau", "temperature", "Temp", "T", "temp"),
    "status": ("status", "State", "state", "run_status", "Status"),
}
_METRICS = (
    "acc",
    "test_acc",
    "Accuracy",
    "top1",
    "test/acc@1",
    "eval.accuracy",
    "linear probe acc",
    "f1",
    "testAcc",
)
_PREFIXES = ("", "", "", "config/", "params.", "hparams/")
_WORDS = {
    "ok": ("ok", "finished", "COMPLETE", "TERMINATED", "FINISHED", "Completed", "success"),
    "crashed": ("crashed", "failed", "FAIL", "ERROR", "FAILED", "Error", "failure"),
    "pruned": ("pruned", "killed", "PRUNED", "stopped", "KILLED", "Stopped", "canceled"),
    "missing": ("missing", "running", "RUNNING", "PENDING", "SCHEDULED", "queued", "Waiting"),
}


@dataclass(frozen=True, kw_only=True)
class Truth:
    """A table as it is meant: columns loss, seed, the axes, acc in shares, and status."""

    rows: pd.DataFrame
    axes: tuple[str, ...]
    drawn: bool


@dataclass(frozen=True, kw_only=True)
class Dressed:
    """The truth in a file, with the name of its metric; or a file with one fault, and what the message says."""

    path: Path
    metric: str
    truth: Truth
    fault: str = ""
    worn: list[str] = field(default_factory=list)  # what was done to it, for the message of a failing test


def truth(rng: np.random.Generator) -> Truth:
    """A table of two or three losses over a grid, a grid with a third axis, or drawn points."""
    losses = _LOSSES[rng.integers(len(_LOSSES))]
    seeds = range(int(rng.integers(2, 5)))
    kind = rng.choice(["grid", "grid", "lr", "text", "boolean", "tau only", "drawn"])
    if kind == "drawn":
        points = [
            {
                "batch_size": int(rng.choice([32, 64, 128])),
                "tau": float(np.exp(rng.uniform(-3, 0))),
                "lr": float(np.exp(rng.uniform(-4, 0))),
            }
            for _ in range(9)
        ]
    else:
        taus = (0.05, 0.1, 0.5)[: int(rng.integers(2, 4))]
        points = [{"batch_size": batch, "tau": tau} for batch in (32, 64, 256) for tau in taus]
        third: dict[str, tuple[Any, ...]] = {
            "lr": (0.01, 0.1),
            "text": ("sgd", "lars"),
            "boolean": (True, False),
        }
        name = {"lr": "lr", "text": "optimizer", "boolean": "nesterov"}.get(kind)
        if name:
            points = [{**point, name: value} for point in points for value in third[kind]]
        if kind == "tau only":
            points = [{"tau": point["tau"]} for point in points if point["batch_size"] == 32]
    rows = pd.DataFrame(
        [{"loss": loss, "seed": seed, **point} for loss in losses for point in points for seed in seeds]
    )
    level = rows["loss"].map({loss: 0.5 + 0.05 * place for place, loss in enumerate(losses)})
    noise = 0.01 * rng.normal(size=len(rows))
    acc = level + 0.03 * np.log(rows["tau"] / 0.1) / 3 + 0.1 * rng.random() + noise
    axes = tuple(name for name in points[0] if rows[name].nunique() > 1)
    return Truth(rows=rows.assign(acc=acc.clip(0.02, 0.99), status="ok"), axes=axes, drawn=kind == "drawn")


def dressed(rng: np.random.Generator, folder: Path, *, fault: str = "") -> Dressed:
    """A random truth in a random dress. `fault` is a key of `FAULTS`, or empty."""
    meant = _with_statuses(truth(rng), rng)
    told = bool((meant.rows["status"] != "ok").any()) or rng.random() < 0.3
    rows, worn = meant.rows.copy(), []
    if rng.random() < 0.4:
        rows["acc"] *= 100
        worn.append("percent")
    metric = str(rng.choice(_METRICS))
    names = {name: str(rng.choice(choices)) for name, choices in _NAMES.items()} | {"acc": metric}
    if told:
        word = int(rng.integers(len(_WORDS["ok"])))
        rows["status"] = [_WORDS[status][word] for status in rows["status"]]
        worn.append(f"statuses {_WORDS['ok'][word]}")
    else:
        rows = rows.drop(columns="status")
    rows = _with_further(rows, meant, rng, worn)
    prefix = str(rng.choice(_PREFIXES))
    inner = {name: prefix + names.get(name, name) for name in (*meant.axes, "seed", "loss")}
    rows = rows.rename(columns={**names, **inner})
    rows = rows.sample(frac=1, random_state=int(rng.integers(1 << 30)))[list(rng.permutation(rows.columns))]
    worn.append(f"names {', '.join(inner.values())}; {metric}")
    said = ""
    if fault:
        rows, said = FAULTS[fault](rows.reset_index(drop=True), {**names, **inner})
    path = _write(rows.reset_index(drop=True), folder, rng, worn, inner["loss"])
    return Dressed(path=path, metric=metric, truth=meant, fault=said, worn=worn)


def _with_statuses(meant: Truth, rng: np.random.Generator) -> Truth:
    if rng.random() < 0.5:
        return meant
    rows = meant.rows.copy()
    for status, acc in (("crashed", np.nan), ("pruned", 0.01), ("missing", np.nan)):
        at = rng.choice(len(rows), size=int(rng.integers(0, 3)), replace=False)
        rows.loc[at, ["status", "acc"]] = [status, acc]
    return Truth(rows=rows, axes=meant.axes, drawn=meant.drawn)


def _with_further(
    rows: pd.DataFrame, meant: Truth, rng: np.random.Generator, worn: list[str]
) -> pd.DataFrame:
    """Columns that trackers add, and that are no hyperparameters."""
    count = len(rows)
    follows = rows["batch_size"] / 1000 if "batch_size" in meant.axes else None
    further: dict[str, Any] = {
        "train_acc": (rows["acc"] + 0.05).round(2),
        "best_epoch": rng.integers(1, 5, count),
        "train_loss": rng.random(count),
        "pid": np.where(rng.random(count) < 0.5, 101, 102),
        "hostname": rng.choice(["one", "two"], count),
        "Runtime": rng.integers(100, 400, count),
        "Created": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 5, count), unit="D"),
        "run_name": [f"run-{number}" for number in range(count)],
        "dropout": 0.0,
        "notes": "",
        "epochs": 100,
        "weight": [[1, 2]] * count,
        "time_total_s": rng.random(count) * 100,
        "gpu": rng.choice(["a100", "h100"], count),
        "n_params": 11_000_000,
        "gap": rng.normal(size=count).round(1),
    }
    if follows is not None and not meant.drawn and "lr" not in meant.axes:
        further["lr"] = follows
    chosen = rng.permutation(list(further))[: int(rng.integers(0, 7))]
    worn.append(f"further {', '.join(chosen)}")
    return rows.assign(**{name: further[name] for name in chosen})


def _write(rows: pd.DataFrame, folder: Path, rng: np.random.Generator, worn: list[str], loss: str) -> Path:
    kind = str(
        rng.choice(["csv", "csv", "csv", "tsv", "semicolon", "parquet", "parquet", "feather", "jsonl"])
    )
    worn.append(kind)
    path = folder / f"table.{kind}"
    lists = [name for name in rows if rows[name].map(lambda value: isinstance(value, list)).any()]
    if kind in ("parquet", "feather"):
        rows = _with_kinds(rows, rng, loss)
        rows.to_parquet(path) if kind == "parquet" else rows.to_feather(path)
        return path
    if kind == "jsonl":
        lines = [
            {name: value for name, value in row.items() if isinstance(value, list) or not pd.isna(value)}
            for row in rows.astype(object).to_dict("records")
        ]
        path.write_text("\n".join(json.dumps(line, default=str) for line in lines), encoding="utf-8")
        return path
    rows = rows.assign(**{name: rows[name].map(json.dumps) for name in lists})
    separator = {"csv": ",", "tsv": "\t", "semicolon": ";"}[kind]
    text = rows.to_csv(index=bool(rng.random() < 0.3), sep=separator)
    if rng.random() < 0.3:
        text = text.replace("\n", "\r\n")
    if rng.random() < 0.3:
        text = "\ufeff" + text
    if not lists and rng.random() < 0.2:
        text = text.replace(separator, f" {separator} ")
    path.write_text(text, encoding="utf-8", newline="")
    return path


def _with_kinds(rows: pd.DataFrame, rng: np.random.Generator, loss: str) -> pd.DataFrame:
    """The rows with some columns as categories, nullable numbers, or text."""
    changed = {}
    for name in rows.columns:
        column, luck = rows[name], rng.random()
        if column.dtype.kind == "i" and luck < 0.3:
            changed[name] = column.astype("Int64")
        elif column.dtype.kind in "if" and luck < 0.5:
            changed[name] = column.map(str, na_action="ignore")
        elif name == loss and luck < 0.3:
            changed[name] = column.astype("category")
    return rows.assign(**changed)


def _without(column: str, said: str) -> Callable[[pd.DataFrame, dict[str, str]], tuple[pd.DataFrame, str]]:
    return lambda rows, names: (rows.drop(columns=names[column]), said)


def _empty_loss(rows: pd.DataFrame, names: dict[str, str]) -> tuple[pd.DataFrame, str]:
    rows = rows.astype({names["loss"]: object})
    rows.loc[3, names["loss"]] = None
    return rows, "loss: row 4 is empty"


def _repeated_row(rows: pd.DataFrame, names: dict[str, str]) -> tuple[pd.DataFrame, str]:
    return pd.concat([rows, rows.iloc[[0]]], ignore_index=True), "are one trial"


def _text_in_metric(rows: pd.DataFrame, names: dict[str, str]) -> tuple[pd.DataFrame, str]:
    rows = rows.assign(**{names["acc"]: rows[names["acc"]].map(str)})
    rows.loc[2, names["acc"]] = "high"
    return rows, "got 'high'"


def _odd_status(rows: pd.DataFrame, names: dict[str, str]) -> tuple[pd.DataFrame, str]:
    told = [name for name in ("status", "Status", "State", "state", "run_status") if name in rows]
    return rows.drop(columns=told).assign(status="zombie"), "status: got 'zombie'"


def _no_axes(rows: pd.DataFrame, names: dict[str, str]) -> tuple[pd.DataFrame, str]:
    kept = rows.groupby([names["loss"], names["seed"]], sort=False).head(1)
    return kept[[names["loss"], names["seed"], names["acc"]]], "no column is a hyperparameter"


def _impossible(rows: pd.DataFrame, names: dict[str, str]) -> tuple[pd.DataFrame, str]:
    told = [name for name in ("status", "Status", "State", "state", "run_status") if name in rows]
    rows = rows.drop(columns=told)
    rows.loc[1, names["acc"]] = -1.0
    return rows, "got -1 in row 2"


#: Faults of tables, each with a part of the message.
FAULTS: dict[str, Callable[[pd.DataFrame, dict[str, str]], tuple[pd.DataFrame, str]]] = {
    "no seed": _without("seed", "seed: no column has a usual name"),
    "no loss": _without("loss", "loss: no column has a usual name"),
    "empty loss": _empty_loss,
    "repeated row": _repeated_row,
    "text in metric": _text_in_metric,
    "odd status": _odd_status,
    "no hyperparameter": _no_axes,
    "impossible accuracy": _impossible,
}
