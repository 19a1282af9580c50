"""The trials of a small study whose results follow a law, as all exports have them."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

#: Trials by number: two losses, two batch sizes, two temperatures, three seeds.
TRIALS: list[dict[str, Any]] = [
    {"loss": loss, "batch_size": batch_size, "tau": tau, "seed": seed}
    for loss, batch_size, tau, seed in itertools.product(("a", "b"), (32, 64), (0.1, 0.2), (0, 1, 2))
]

#: What a trial that does not end well has reported before.
EARLY = 0.3

#: Ends of trials by their numbers: `crashed`, `silent` (crashed before any report), `pruned`, or `running`.
Outcomes = Mapping[int, str]
NO_FAILURE: Outcomes = MappingProxyType({})
ENDS: Outcomes = MappingProxyType({0: "crashed", 4: "silent", 9: "pruned", 20: "running"})


def accuracy(trial: Mapping[str, Any]) -> float:
    """The law: the metric `acc` of a trial."""
    better = 0.03 if trial["loss"] == "b" else 0.0
    return float(0.8 + better + 0.01 * trial["seed"] + 0.0003 * trial["batch_size"] + trial["tau"] / 5)


def save(rows: pd.DataFrame, folder: Path, name: str) -> str:
    """Write a frame as users do, by the ending of the name: CSV files have the frame's index. Returns the path."""
    path = folder / name
    rows.to_parquet(path) if path.suffix == ".parquet" else rows.to_csv(path)
    return str(path)
