"""Linear probes trained by stochastic gradients: the papers' by SGD, and one by Adam.

They are the only probes that use the trial's seed: for the order of the images and for new crops and flips.
"""

from typing import TYPE_CHECKING

from trainables.evaluation.probes.probe import Accuracy, Probe
from trainables.turns import Turns

if TYPE_CHECKING:
    import torch

    from trainables.config import ProbeConfig
    from trainables.evaluation.features import EncodedSplits
    from trainables.evaluation.sgd_probe import Epoch


def _fit_sgd(config: "ProbeConfig", splits: "EncodedSplits", seed: int) -> Turns[Accuracy]:
    from trainables.evaluation.sgd_probe import fit_sgd

    classifier = yield from fit_sgd(
        splits.labelled["train"],
        epochs=config.sgd_epochs,
        lr=config.sgd_lr,
        weight_decay=config.sgd_weight_decay,
        batch_size=config.sgd_batch_size,
        schedule=config.sgd_schedule,
        order=_order(seed),
        augmented=_augmented(splits, seed) if config.sgd_augment else None,
    )
    return lambda split: classifier.accuracy(splits.labelled[split])


def _fit_adam(config: "ProbeConfig", splits: "EncodedSplits", seed: int) -> Turns[Accuracy]:
    from trainables.evaluation.sgd_probe import fit_adam

    classifier = yield from fit_adam(
        splits.labelled["train"],
        epochs=config.adam_epochs,
        lr=config.adam_lr,
        weight_decay=config.adam_weight_decay,
        batch_size=config.adam_batch_size,
        schedule=config.adam_schedule,
        order=_order(seed),
        augmented=_augmented(splits, seed) if config.adam_augment else None,
    )
    return lambda split: classifier.accuracy(splits.labelled[split])


def _order(seed: int) -> "torch.Generator":
    from trainables.streams import Stream, stream_generator

    return stream_generator(seed, Stream.PROBE_ORDER)


def _augmented(splits: "EncodedSplits", seed: int) -> "Epoch":
    from trainables.streams import Stream, stream_generator

    views = stream_generator(seed, Stream.PROBE_VIEWS, splits.labelled["train"].features.device)
    return lambda: splits.augmented(views)


SGD = Probe(
    name="probe_sgd",
    description="the papers' SGD probe on all training labels",
    fit=_fit_sgd,
    guesses_among="classes",
    augmented_epochs=lambda config: config.sgd_epochs if config.sgd_augment else 0,
    settings=(
        "sgd_epochs",
        "sgd_lr",
        "sgd_weight_decay",
        "sgd_batch_size",
        "sgd_schedule",
        "sgd_augment",
    ),
)

ADAM = Probe(
    name="probe_adam",
    description="linear probe trained by Adam on all training labels",
    words="accuracy with all labels, by Adam",
    fit=_fit_adam,
    guesses_among="classes",
    augmented_epochs=lambda config: config.adam_epochs if config.adam_augment else 0,
    settings=(
        "adam_epochs",
        "adam_lr",
        "adam_weight_decay",
        "adam_batch_size",
        "adam_schedule",
        "adam_augment",
    ),
)
