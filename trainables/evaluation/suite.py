"""Runs the suite of probes of a study file on the features of one encoder; used by `evaluate`."""

from trainables.config import ProbeConfig
from trainables.evaluation.features import EncodedSplits
from trainables.evaluation.probes import PROBES


def probe_accuracies(config: ProbeConfig, splits: EncodedSplits, *, seed: int) -> dict[str, float]:
    """Record columns `val_<probe>_accuracy` and `test_<probe>_accuracy` of each probe of the suite.

    `seed` is the seed of the trial; only the probe `probe_sgd` uses it. Raises `ValueError` when a class has
    fewer training images than a few-label probe needs.
    """
    columns: dict[str, float] = {}
    for name in config.suite:
        columns |= probe_columns(name, config, splits, seed)
    return columns


def probe_columns(name: str, config: ProbeConfig, splits: EncodedSplits, seed: int) -> dict[str, float]:
    """The columns of one probe, as in `probe_accuracies`."""
    accuracy = PROBES[name].fit(config, splits, seed)
    return {f"{split}_{name}_accuracy": accuracy(split) for split in ("val", "test")}
