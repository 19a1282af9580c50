"""The probe that fits a logistic regression on all training labels."""

from typing import TYPE_CHECKING

from trainables.evaluation.probes.probe import Accuracy, Probe
from trainables.turns import in_one_turn

if TYPE_CHECKING:
    from trainables.config import ProbeConfig
    from trainables.evaluation.features import EncodedSplits


def _fit(config: "ProbeConfig", splits: "EncodedSplits", _seed: int) -> Accuracy:
    from trainables.evaluation.logistic import fit_logistic

    train = splits.standardised["train"]
    classifier = fit_logistic(train.features, train.labels, l2=config.l2)
    return lambda split: classifier.accuracy(splits.standardised[split])


ALL_LABELS = Probe(
    name="probe_full",
    description="linear probe on all training labels",
    words="accuracy with all labels",
    fit=in_one_turn(_fit),
    guesses_among="classes",
    settings=("l2",),
)
