"""The probe that fits a logistic regression on all training labels."""

from typing import TYPE_CHECKING

from trainables.evaluation.probes.probe import Accuracy, Probe
from trainables.turns import Turns

if TYPE_CHECKING:
    from trainables.config import ProbeConfig
    from trainables.evaluation.features import EncodedSplits


def _fit(config: "ProbeConfig", splits: "EncodedSplits", _seed: int) -> Turns[Accuracy]:
    from trainables.evaluation.logistic import logistic_turns

    train = splits.standardised["train"]
    classifier = yield from logistic_turns(train.features, train.labels, l2=config.l2)
    return lambda split: classifier.accuracy(splits.standardised[split])


ALL_LABELS = Probe(
    name="probe_full",
    description="linear probe on all training labels",
    words="accuracy with all labels",
    fit=_fit,
    guesses_among="classes",
    settings=("l2",),
)
