"""The rule that chooses the base learning rates from a recorded sweep.

`search_spaces.spaces` has the rates of the shipped study `digits_learning_rates`, and the study file `cifar10_small`
those of `cifar10_small_rates`. The rows in `evidence/` come from these studies:

    uv run study run digits_learning_rates --store STORE
    uv run python -m search_spaces.rates digits_learning_rates STORE

The second command writes the rows again and prints the rates that follow from them.
"""

import csv
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import fmean

import numpy as np

from trainables.store.records import RecordStore

#: The recorded sweeps, one file for each study.
EVIDENCE = Path(__file__).parent / "evidence"

#: The score that chooses, by study.
SCORES = {"digits_learning_rates": "val_probe10_accuracy", "cifar10_small_rates": "val_probe_full_accuracy"}

#: The columns of a sweep before its score. A column without any value is left out.
_COLUMNS = ("loss", "hp_gamma", "hp_lr", "hp_batch_size", "hp_temperature", "hp_t", "seed", "status")
_CHANCE = 0.1  # the score of a failed trial, with ten classes


def load_evidence(study: str = "digits_learning_rates") -> list[dict[str, str]]:
    """The recorded rows of a sweep, as text."""
    with (EVIDENCE / f"{study}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def mean_accuracies(rows: Iterable[dict[str, str]]) -> dict[str, dict[float, float]]:
    """Mean validation accuracy of each loss at each base rate, over batch sizes and the loss's main axis.

    A failed trial counts as chance level. Otherwise the rule could choose a rate at which most trials fail and only
    a few succeed. KCL has a rate for each of its weights `gamma` where the sweep varies them.
    """
    scores: dict[str, dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        score = next(name for name in row if name.startswith("val_"))
        value = float(row[score]) if row["status"] == "ok" else _CHANCE
        scores[_label(row)][float(row["hp_lr"])].append(value)
    return {
        label: {rate: fmean(values) for rate, values in sorted(rates.items())}
        for label, rates in scores.items()
    }


def _label(row: Mapping[str, str]) -> str:
    """The label of a row's loss in the study file, such as `dcl` or `kcl_gamma16`."""
    return f"{row['loss']}_gamma{float(row['hp_gamma']):g}" if row.get("hp_gamma") else row["loss"]


def best_rates(rows: Iterable[dict[str, str]]) -> dict[str, float]:
    """The base rate of each loss: the maximum of the parabola fitted to its mean accuracies over the log rate.

    Accuracy is flat around the best rate, so the highest of the noisy means jumps between rates when rounding
    changes. The vertex of the least-squares parabola does not jump. It is limited to the range of the rates that were
    tried, and rounded to two digits.
    """
    return {label: _vertex(rates) for label, rates in mean_accuracies(rows).items()}


def _vertex(means: dict[float, float]) -> float:
    rates = np.log(list(means))
    curve, slope, _ = np.polyfit(rates, list(means.values()), 2)
    if curve >= 0:  # the parabola has no maximum: take the rate with the highest mean
        return max(means, key=lambda rate: means[rate])
    best = np.exp(np.clip(-slope / (2 * curve), rates.min(), rates.max()))
    return float(f"{best:.2g}")


def write_evidence(study: str, store: Path) -> None:
    """Write the rows of `store`, which must contain only this sweep, in a stable order."""
    table = RecordStore(store).read().table.to_pylist()
    if len({row["hp_gamma"] for row in table} - {None}) < 2:
        table = [row | {"hp_gamma": None} for row in table]  # it does not vary
    filled = [name for name in _COLUMNS if any(row[name] is not None for row in table)]
    columns = [*filled, SCORES[study], "trial_id"]
    rows = [{name: row[name] for name in columns} for row in table]
    rows.sort(key=lambda row: [str(row[name]) for name in columns])
    with (EVIDENCE / f"{study}.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    """Write the evidence on a study from a store, and print the rates that follow from it."""
    study, store = sys.argv[1:]
    write_evidence(study, Path(store))
    rows = load_evidence(study)
    for label, rates in mean_accuracies(rows).items():
        means = ", ".join(f"{rate:g}: {100 * mean:.1f}" for rate, mean in rates.items())
        print(f"{label}: best {best_rates(rows)[label]:g} ({means} % mean validation accuracy)")


if __name__ == "__main__":
    main()
