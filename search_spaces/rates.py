"""The rule that chooses the base learning rates from a recorded sweep; `search_spaces.spaces` lists the rates.

The rows in `evidence/` come from the shipped study `digits_learning_rates`:

    uv run study run digits_learning_rates --store STORE
    uv run python -m search_spaces.rates STORE

The second command writes the rows again and prints the rates that follow from them.
"""

import csv
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean

import numpy as np

from trainables.store.records import RecordStore

EVIDENCE = Path(__file__).parent / "evidence" / "digits_learning_rates.csv"

_COLUMNS = (
    "loss",
    "hp_lr",
    "hp_batch_size",
    "hp_temperature",
    "hp_t",
    "seed",
    "status",
    "val_probe10_accuracy",
    "trial_id",
)
_CHANCE = 0.1  # the score of a failed trial, with ten classes


def load_evidence() -> list[dict[str, str]]:
    """The recorded rows of the sweep, as text."""
    with EVIDENCE.open(newline="") as file:
        return list(csv.DictReader(file))


def mean_accuracies(rows: Iterable[dict[str, str]]) -> dict[str, dict[float, float]]:
    """Mean validation accuracy of each loss at each base rate, over batch sizes and the loss's main axis.

    A failed trial counts as chance level. Otherwise the rule could choose a rate at which most trials fail and only
    a few succeed.
    """
    scores: dict[str, dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        value = float(row["val_probe10_accuracy"]) if row["status"] == "ok" else _CHANCE
        scores[row["loss"]][float(row["hp_lr"])].append(value)
    return {
        loss: {rate: fmean(values) for rate, values in sorted(rates.items())}
        for loss, rates in scores.items()
    }


def best_rates(rows: Iterable[dict[str, str]]) -> dict[str, float]:
    """The base rate of each loss: the maximum of the parabola fitted to its mean accuracies over the log rate.

    Accuracy is flat around the best rate, so the highest of the noisy means jumps between rates when rounding
    changes. The vertex of the least-squares parabola does not jump. It is limited to the range of the rates that were
    tried, and rounded to two digits.
    """
    return {loss: _vertex(rates) for loss, rates in mean_accuracies(rows).items()}


def _vertex(means: dict[float, float]) -> float:
    rates = np.log(list(means))
    curve, slope, _ = np.polyfit(rates, list(means.values()), 2)
    if curve >= 0:  # the parabola has no maximum: take the rate with the highest mean
        return max(means, key=lambda rate: means[rate])
    best = np.exp(np.clip(-slope / (2 * curve), rates.min(), rates.max()))
    return float(f"{best:.2g}")


def write_evidence(store: Path) -> None:
    """Write the rows of `store`, which must contain only this sweep, in a stable order."""
    rows = RecordStore(store).read().table.select(_COLUMNS).to_pylist()
    rows.sort(key=lambda row: [str(row[name]) for name in _COLUMNS])
    with EVIDENCE.open("w", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    """Write the evidence from the store named on the command line, and print the rates that follow from it."""
    write_evidence(Path(sys.argv[1]))
    rows = load_evidence()
    for loss, rates in mean_accuracies(rows).items():
        means = ", ".join(f"{rate:g}: {100 * mean:.1f}" for rate, mean in rates.items())
        print(f"{loss}: best {best_rates(rows)[loss]:g} ({means} % mean validation accuracy)")


if __name__ == "__main__":
    main()
