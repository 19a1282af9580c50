"""The suite of probes that a study file asks for, run on the features of one encoder."""

from trainables.config import ProbeConfig
from trainables.evaluation.features import EncodedSplits
from trainables.evaluation.probes import PROBES


def probe_accuracies(config: ProbeConfig, splits: EncodedSplits, *, seed: int) -> dict[str, float]:
    """Record columns `val_<probe>_accuracy` and `test_<probe>_accuracy` of each probe of the suite.

    `seed` is the trial's; of all probes only `probe_sgd` draws from it. Raises `ValueError` when a class has
    fewer training images than a few-label probe asks for.
    """
    columns: dict[str, float] = {}
    for name in config.suite:
        accuracy = PROBES[name].fit(config, splits, seed)
        columns |= {f"{split}_{name}_accuracy": accuracy(split) for split in ("val", "test")}
    return columns
