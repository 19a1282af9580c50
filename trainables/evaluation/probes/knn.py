"""The probe that classifies by the k nearest training images."""

from typing import TYPE_CHECKING

from trainables.evaluation.probes.probe import Accuracy, Probe

if TYPE_CHECKING:
    from trainables.config import ProbeConfig
    from trainables.evaluation.features import EncodedSplits

#: Number of training images among which learning curves and early stopping search for nearest neighbours.
MONITORED_IMAGES = 5000


def _fit(config: "ProbeConfig", splits: "EncodedSplits", _seed: int) -> Accuracy:
    from trainables.evaluation.neighbours import knn_accuracy

    train = splits.labelled["train"]
    return lambda split: knn_accuracy(train, splits.labelled[split], k=config.knn_k)


KNN = Probe(
    name="knn",
    description="k nearest neighbours in cosine similarity",
    words="nearest-neighbour accuracy",
    fit=_fit,
    guesses_among="classes",
    settings=("knn_k",),
)
