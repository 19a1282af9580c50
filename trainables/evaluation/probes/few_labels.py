"""Probes that fit a logistic regression on few labels per class, with the mean accuracy over several label draws."""

from functools import partial
from typing import TYPE_CHECKING

from trainables.evaluation.probes.probe import Accuracy, Probe
from trainables.turns import Turns

if TYPE_CHECKING:
    from trainables.config import ProbeConfig
    from trainables.evaluation.features import EncodedSplits


def _fit(shots: int, config: "ProbeConfig", splits: "EncodedSplits", _seed: int) -> Turns[Accuracy]:
    """Fit all draws in one call. Raises `ValueError` when a class has fewer than `shots` training images."""
    import numpy as np
    import torch

    from trainables.evaluation.label_draws import label_draws
    from trainables.evaluation.logistic import logistic_turns

    train = splits.standardised["train"]
    drawn = np.stack(list(label_draws(train.labels.cpu().numpy(), shots, config.draws)))
    chosen = torch.from_numpy(drawn).to(train.labels.device)
    classifier = yield from logistic_turns(train.features[chosen], train.labels[chosen], l2=config.l2)
    return lambda split: classifier.accuracy(splits.standardised[split])


def _probe(shots: int) -> Probe:
    plural = "s" * (shots > 1)
    return Probe(
        name=f"probe{shots}",
        description=f"{shots} label{plural} per class, mean over label draws",
        words=f"accuracy with {shots} labelled image{plural} a class",
        fit=partial(_fit, shots),
        guesses_among="classes",
        labels_a_class=shots,
        settings=("draws", "l2"),
    )


FEW_LABELS = tuple(_probe(shots) for shots in (1, 5, 10, 100))
