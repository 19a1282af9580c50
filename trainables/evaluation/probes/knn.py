"""The probe that classifies by the k nearest training images."""

from typing import TYPE_CHECKING

from trainables.evaluation.probes.probe import Accuracy, Probe
from trainables.turns import Turns

if TYPE_CHECKING:
    from trainables.config import ProbeConfig
    from trainables.evaluation.features import EncodedSplits

#: Number of training images among which learning curves and early stopping search for nearest neighbours.
MONITORED_IMAGES = 5000


def _fit(config: "ProbeConfig", splits: "EncodedSplits", _seed: int) -> Turns[Accuracy]:
    from trainables.evaluation.neighbours import knn_turns

    accuracies = {}
    for name, judged in splits.labelled.items():
        if name != "train":
            accuracies[name] = yield from knn_turns(splits.labelled["train"], judged, config)
    return accuracies.__getitem__


KNN = Probe(
    name="knn",
    description="k nearest neighbours",
    words="nearest-neighbour accuracy",
    fit=_fit,
    guesses_among="classes",
    settings=("knn_k", "knn_weights", "knn_temperature", "knn_distance"),
)
