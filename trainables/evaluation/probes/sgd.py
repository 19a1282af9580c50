"""The papers' linear probe, trained by SGD. It is the only probe that uses the trial's seed."""

from typing import TYPE_CHECKING

from trainables.evaluation.probes.probe import Accuracy, Probe

if TYPE_CHECKING:
    from trainables.config import ProbeConfig
    from trainables.evaluation.features import EncodedSplits


def _fit(config: "ProbeConfig", splits: "EncodedSplits", seed: int) -> Accuracy:
    from trainables.evaluation.sgd_probe import fit_sgd
    from trainables.streams import Stream, stream_generator

    classifier = fit_sgd(
        splits.labelled["train"],
        epochs=config.sgd_epochs,
        lr=config.sgd_lr,
        weight_decay=config.sgd_weight_decay,
        batch_size=config.sgd_batch_size,
        order=stream_generator(seed, Stream.PROBE_ORDER),
    )
    return lambda split: classifier.accuracy(splits.labelled[split])


SGD = Probe(
    name="probe_sgd",
    description="the papers' SGD probe on all training labels",
    fit=_fit,
    guesses_among="classes",
    settings=("sgd_epochs", "sgd_lr", "sgd_weight_decay", "sgd_batch_size"),
)
