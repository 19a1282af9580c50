"""Runs the suite of probes of a study file on the features of one encoder; used by `evaluate`."""

from trainables.config import ProbeConfig
from trainables.evaluation.features import EncodedSplits
from trainables.evaluation.probes import PROBES
from trainables.turns import Turn, Turns


def probe_accuracies(config: ProbeConfig, splits: EncodedSplits, *, seed: int) -> Turns[dict[str, float]]:
    """Record columns `val_<probe>_accuracy` and `test_<probe>_accuracy` of each probe of the suite.

    Without a validation split there are the columns of the test split only.

    `seed` is the seed of the trial; only the probes `probe_sgd` and `probe_adam` use it. Raises `ValueError` when a
    class has fewer training images than a few-label probe needs.
    """
    columns: dict[str, float] = {}
    judged = [split for split in ("val", "test") if split in splits.labelled]
    for name in config.suite:
        yield Turn.STAGE
        accuracy = yield from PROBES[name].fit(config, splits, seed)
        columns |= {f"{split}_{name}_accuracy": accuracy(split) for split in judged}
    return columns
