"""Evaluation of a frozen encoder by its labels: logistic regression on few or all labels, and neighbours.

The logistic regression is the deterministic full-batch solve (L2-regularised, multinomial, L-BFGS) on features
standardised by the training split. Few-label probes average over label draws that depend on nothing but the
number of labels, so that all trials, seeds and losses are judged by the same labelled images.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from trainables.config import ProbeConfig
from trainables.schema import LABELS_A_CLASS

Features = NDArray[np.floating]
Labels = NDArray[np.integer]
Labelled = tuple[Features, Labels]

#: Entropy of the label draws, the same for every trial of every study.
_LABEL_DRAWS_ENTROPY = 240518045


def probe_accuracies(config: ProbeConfig, train: Labelled, val: Labelled, test: Labelled) -> dict[str, float]:
    """Accuracy of each probe of the suite: `val_<probe>_accuracy` and `test_<probe>_accuracy`, in [0, 1].

    Each argument is features `(N, d)` with labels `(N,)`. Raises `ValueError` when a class has fewer training
    images than a few-label probe asks for.
    """
    standardised = _standardise(train, val, test)
    found: dict[str, float] = {}
    for probe in config.suite:
        fitted, *judged = (train, val, test) if probe == "knn" else standardised
        scores = [_fit_and_score(probe, config, part, *judged) for part in _labelled(probe, config, fitted)]
        on_val, on_test = np.mean(scores, axis=0)
        found[f"val_{probe}_accuracy"] = float(on_val)
        found[f"test_{probe}_accuracy"] = float(on_test)
    return found


def label_draws(labels: Labels, shots: int, draws: int) -> Iterator[NDArray[np.int64]]:
    """Indices of `shots` images of each class, `draws` times; the same whenever labels and numbers are."""
    classes, counts = np.unique(labels, return_counts=True)
    if counts.min() < shots:
        smallest = classes[counts.argmin()]
        raise ValueError(
            f"probe{shots}: class {smallest} has {counts.min()} training images, {shots} are needed"
        )
    for draw in range(draws):
        stream = np.random.SeedSequence(_LABEL_DRAWS_ENTROPY, spawn_key=(shots, draw))
        generator = np.random.default_rng(stream)
        members = (np.flatnonzero(labels == label) for label in classes)
        yield np.sort(np.concatenate([generator.permutation(member)[:shots] for member in members]))


def _labelled(probe: str, config: ProbeConfig, train: Labelled) -> Iterator[Labelled]:
    features, labels = train
    if probe not in LABELS_A_CLASS:
        yield train
        return
    for chosen in label_draws(labels, LABELS_A_CLASS[probe], config.draws):
        yield features[chosen], labels[chosen]


def _fit_and_score(
    probe: str, config: ProbeConfig, labelled: Labelled, val: Labelled, test: Labelled
) -> tuple[float, float]:
    if probe == "knn":
        neighbours = min(config.knn_k, len(labelled[1]))
        classifier = KNeighborsClassifier(neighbours, metric="cosine", algorithm="brute")
    else:
        classifier = LogisticRegression(C=1.0 / config.l2, max_iter=2000, tol=1e-4)
    classifier.fit(*labelled)
    return classifier.score(*val), classifier.score(*test)


def _standardise(train: Labelled, *others: Labelled) -> list[Labelled]:
    """Zero mean and unit deviation on the training split; a constant feature stays constant at zero."""
    features = train[0].astype(np.float64)
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    # A collapsed encoder has features that differ by rounding alone: noise is not to be scaled up to size one.
    floor = 1e-6 * max(float(np.abs(features).max()), 1e-30)
    scale = np.where(deviation > floor, deviation, np.inf)
    return [((each[0] - mean) / scale, each[1]) for each in (train, *others)]
