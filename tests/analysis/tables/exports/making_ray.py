"""A program that runs the study of `trials` through Ray Tune: `python -m ... FOLDER OUTCOMES`, outcomes as JSON.

It is a process of its own, since Ray reads its environment once and leaves threads behind. It writes the folder
`experiment` and the frame of `ResultGrid.get_dataframe()` in `ray.csv` and `ray.parquet`.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.analysis.tables.exports.trials import EARLY, TRIALS, accuracy, save


def main(folder: Path, outcomes: dict[int, str]) -> None:
    os.environ |= {
        "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AIR_NEW_OUTPUT": "0",
    }
    import ray
    from ray import tune

    results = [(trial, accuracy(trial), outcomes.get(number, "ok")) for number, trial in enumerate(TRIALS)]

    def train(config: dict[str, Any]) -> None:
        """Three reports, of which the last one has the accuracy of the law."""
        told = {"loss": config["loss"], "seed": config["seed"], "tau": config["tau"], **config["train"]}
        ((acc, outcome),) = ((acc, outcome) for trial, acc, outcome in results if trial == told)
        if outcome == "silent":
            raise ValueError("crashed before the first report")
        for step in range(3):
            value = acc if step == 2 and outcome == "ok" else EARLY
            tune.report({"acc": value, "eval": {"top1": value}, "give_up": outcome == "pruned"})
            if outcome == "crashed":
                raise ValueError("crashed after the first report")

    axes = {key: tune.grid_search(list(dict.fromkeys(trial[key] for trial in TRIALS))) for key in TRIALS[0]}
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    grid = tune.Tuner(
        train,
        param_space={"train": {"batch_size": axes.pop("batch_size")}, **axes},
        tune_config=tune.TuneConfig(reuse_actors=True, max_concurrent_trials=2),
        run_config=tune.RunConfig(
            name="experiment",
            storage_path=str(folder),
            verbose=0,
            stop=lambda _, report: report["give_up"],
        ),
    ).fit()
    for name in ("ray.csv", "ray.parquet"):
        save(grid.get_dataframe(), folder, name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), {int(number): outcome for number, outcome in json.loads(sys.argv[2]).items()})
