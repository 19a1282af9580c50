"""The suite of probes: every name that a study file may ask for, and what computes it.

A probe depends on its settings and on the features, never on which other probes are asked for or in which order.
It is judged on the validation split, which selects, and on the test split, which reports.
"""

from collections.abc import Callable
from functools import partial
from statistics import fmean

import numpy as np
import torch

from trainables.config import ProbeConfig
from trainables.evaluation.features import EncodedSplits
from trainables.evaluation.label_draws import label_draws
from trainables.evaluation.logistic import fit_logistic
from trainables.evaluation.neighbours import knn_accuracy
from trainables.evaluation.retrieval import (
    among_corruptions_accuracy,
    mean_retrieval_accuracy,
    mutual_retrieval_accuracy,
    retrieval_accuracy,
)
from trainables.evaluation.sgd_probe import fit_sgd
from trainables.probes import LABELS_A_CLASS
from trainables.streams import Stream, stream_generator

#: The accuracy of a fitted probe on the split of that name, in [0, 1].
Accuracy = Callable[[str], float]

#: Fits a probe, given its settings, the features and the trial's seed.
Probe = Callable[[ProbeConfig, EncodedSplits, int], Accuracy]


def probe_accuracies(config: ProbeConfig, splits: EncodedSplits, *, seed: int) -> dict[str, float]:
    """Record columns `val_<probe>_accuracy` and `test_<probe>_accuracy` of each probe of the suite.

    `seed` is the trial's; of all probes only `probe_sgd` draws from it. Raises `ValueError` when a class has
    fewer training images than a few-label probe asks for.
    """
    columns: dict[str, float] = {}
    for name in config.suite:
        accuracy = PROBE_FUNCTIONS[name](config, splits, seed)
        columns |= {f"{split}_{name}_accuracy": accuracy(split) for split in ("val", "test")}
    return columns


def _few_labels(shots: int, config: ProbeConfig, splits: EncodedSplits, _seed: int) -> Accuracy:
    """The mean over the label draws, which are solved together."""
    train = splits.standardised["train"]
    drawn = np.stack(list(label_draws(train.labels.cpu().numpy(), shots, config.draws)))
    chosen = torch.from_numpy(drawn).to(train.labels.device)
    classifier = fit_logistic(train.features[chosen], train.labels[chosen], l2=config.l2)
    return lambda split: classifier.accuracy(splits.standardised[split])


def _all_labels(config: ProbeConfig, splits: EncodedSplits, _seed: int) -> Accuracy:
    train = splits.standardised["train"]
    classifier = fit_logistic(train.features, train.labels, l2=config.l2)
    return lambda split: classifier.accuracy(splits.standardised[split])


def _sgd(config: ProbeConfig, splits: EncodedSplits, seed: int) -> Accuracy:
    classifier = fit_sgd(
        splits.labelled["train"],
        epochs=config.sgd_epochs,
        lr=config.sgd_lr,
        weight_decay=config.sgd_weight_decay,
        batch_size=config.sgd_batch_size,
        order=stream_generator(seed, Stream.PROBE_ORDER),
    )
    return lambda split: classifier.accuracy(splits.labelled[split])


def _knn(config: ProbeConfig, splits: EncodedSplits, _seed: int) -> Accuracy:
    train = splits.labelled["train"]
    return lambda split: knn_accuracy(train, splits.labelled[split], k=config.knn_k)


def _retrieval(_config: ProbeConfig, splits: EncodedSplits, _seed: int) -> Accuracy:
    return lambda split: retrieval_accuracy(*splits.views(split))


def _retrieval_corrupted(_config: ProbeConfig, splits: EncodedSplits, _seed: int) -> Accuracy:
    return lambda split: mean_retrieval_accuracy(splits.corrupted(split), splits.labelled[split].features)


def _retrieval_z(normalised: bool, _config: ProbeConfig, splits: EncodedSplits, _seed: int) -> Accuracy:
    return lambda split: mutual_retrieval_accuracy(*splits.projected_views(split), normalised=normalised)


def _retrieval_corrupted_z(
    normalised: bool, _config: ProbeConfig, splits: EncodedSplits, _seed: int
) -> Accuracy:
    def accuracy(split: str) -> float:
        pairs = zip(*splits.corrupted_views(split), strict=True)  # one corruption after the other
        return fmean(mutual_retrieval_accuracy(z_a, z_b, normalised=normalised) for z_a, z_b in pairs)

    return accuracy


def _retrieval_released_z(
    normalised: bool, _config: ProbeConfig, splits: EncodedSplits, _seed: int
) -> Accuracy:
    return lambda split: among_corruptions_accuracy(*splits.corrupted_views(split), normalised=normalised)


#: Every name of `trainables.store.schema.PROBES`.
PROBE_FUNCTIONS: dict[str, Probe] = {
    **{name: partial(_few_labels, shots) for name, shots in LABELS_A_CLASS.items()},
    "probe_full": _all_labels,
    "probe_sgd": _sgd,
    "knn": _knn,
    "retrieval": _retrieval,
    "retrieval_z": partial(_retrieval_z, True),
    "retrieval_z_raw": partial(_retrieval_z, False),
    "retrieval_corrupted": _retrieval_corrupted,
    "retrieval_corrupted_z": partial(_retrieval_corrupted_z, True),
    "retrieval_corrupted_z_raw": partial(_retrieval_corrupted_z, False),
    "retrieval_released_z": partial(_retrieval_released_z, True),
    "retrieval_released_z_raw": partial(_retrieval_released_z, False),
}
