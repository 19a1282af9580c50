"""The base learning rates: the recorded sweep that chose them, and the rule by which it did.

The rows in `evidence/` come from the shipped study `digits_learning_rates`:

    uv run study run digits_learning_rates --store STORE
    uv run python -m search_spaces.rates STORE

The second command writes the rows anew and prints the rates that they choose.
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
_CHANCE = 0.1  # ten classes: what a failed trial scores


def load_evidence() -> list[dict[str, str]]:
    """The recorded rows of the sweep, as text."""
    with EVIDENCE.open(newline="") as file:
        return list(csv.DictReader(file))


def mean_accuracies(rows: Iterable[dict[str, str]]) -> dict[str, dict[float, float]]:
    """Mean validation accuracy of each loss at each base rate, over batch sizes and the loss's main axis.

    A failed trial scores chance: a rate at which training fails is not to be chosen for its survivors.
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
    """The base rate of each loss: where the parabola through its mean accuracies over the log rate is highest.

    Accuracy is flat about the best rate, so the highest of noisy means jumps from one rate to the next when
    rounding changes; the vertex of the least-squares parabola does not. Rounded to two digits, and kept within
    the rates that were tried.
    """
    return {loss: _vertex(rates) for loss, rates in mean_accuracies(rows).items()}


def _vertex(means: dict[float, float]) -> float:
    rates = np.log(list(means))
    curve, slope, _ = np.polyfit(rates, list(means.values()), 2)
    if curve >= 0:  # no maximum inside: the better end
        return max(means, key=lambda rate: means[rate])
    best = np.exp(np.clip(-slope / (2 * curve), rates.min(), rates.max()))
    return float(f"{best:.2g}")


def write_evidence(store: Path) -> None:
    """Write the rows of `store`, which holds this sweep alone, in a stable order."""
    rows = RecordStore(store).read().table.select(_COLUMNS).to_pylist()
    rows.sort(key=lambda row: [str(row[name]) for name in _COLUMNS])
    with EVIDENCE.open("w", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    """Write the evidence from the store named on the command line, and print what it chooses."""
    write_evidence(Path(sys.argv[1]))
    rows = load_evidence()
    for loss, rates in mean_accuracies(rows).items():
        means = ", ".join(f"{rate:g}: {100 * mean:.1f}" for rate, mean in rates.items())
        print(f"{loss}: best {best_rates(rows)[loss]:g} ({means} % mean validation accuracy)")


if __name__ == "__main__":
    main()
