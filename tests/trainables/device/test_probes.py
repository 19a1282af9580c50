"""Probes on the pretended device: the answers of the CPU, and no waits between the batches of an epoch."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from tests.trainables.device.device_state import Device
from tests.trainables.evaluation.known_features import clusters
from trainables.config import ProbeConfig
from trainables.evaluation import logistic
from trainables.evaluation.features import Labelled
from trainables.evaluation.linear_classifier import LinearClassifier
from trainables.evaluation.logistic import fit_logistic
from trainables.evaluation.neighbours import knn_accuracy
from trainables.evaluation.sgd_probe import fit_adam, fit_sgd
from trainables.turns import Turns, finish


def on_card(given: Labelled) -> Labelled:
    return Labelled(features=given.features.cuda(), labels=given.labels.cuda())


@pytest.mark.parametrize(("method", "operators"), [(fit_sgd, 7), (fit_adam, 14)])
def test_a_step_has_few_operators_and_only_the_start_waits(
    cuda: Device, method: Callable[..., Turns[LinearClassifier]], operators: int
) -> None:
    train, test = clusters(96, 0, spread=1.0), clusters(200, 1, spread=1.0)
    there = on_card(train)

    def fit(given: Labelled, epochs: int) -> float:
        order = torch.Generator().manual_seed(0)
        settings = {"lr": 0.1, "weight_decay": 1e-4, "batch_size": 32, "schedule": "constant"}
        found = finish(method(given, epochs=epochs, order=order, **settings))
        return found.accuracy(on_card(test) if given is there else test)

    counts, notes = [], []
    for epochs in (1, 2):
        cuda.notes.clear()
        with cuda.counted() as count:
            assert fit(there, epochs) == fit(train, epochs)
        counts.append(count.total)
        notes.append(len(cuda.notes))
    assert counts[1] - counts[0] <= 3 * operators + 1  # three steps, and the copy of the order
    assert notes[1] == notes[0]  # the host waits for no copy of an order


@pytest.mark.parametrize(
    "probe",
    [
        ProbeConfig(knn_k=7),
        ProbeConfig(knn_k=7, knn_distance="euclidean"),
        ProbeConfig(knn_k=7, knn_weights="exponential"),
    ],
    ids=["cosine", "euclidean", "exponential"],
)
def test_nearest_neighbours_wait_once_for_their_answer(cuda: Device, probe: ProbeConfig) -> None:
    train, test = clusters(90, 0, spread=1.0), clusters(200, 1, spread=1.0)
    there, queries = on_card(train), on_card(test)
    cuda.notes.clear()
    assert knn_accuracy(there, queries, probe) == knn_accuracy(train, test, probe)
    assert len(cuda.notes) <= 2  # the number of classes, and the accuracy


def test_the_full_solve_copies_once_to_the_device_and_once_back_for_each_evaluation(
    cuda: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluations: list[int] = []
    measure = logistic._Problem.loss_and_gradient

    def counted(problem: logistic._Problem, flat: np.ndarray) -> tuple[float, np.ndarray]:
        before = len(cuda.notes)
        found = measure(problem, flat)
        evaluations.append(len(cuda.notes) - before)
        return found

    train = clusters(90, 0, spread=1.0)
    here = fit_logistic(train.features, train.labels, l2=1.0)
    monkeypatch.setattr(logistic._Problem, "loss_and_gradient", counted)
    there = fit_logistic(train.features.cuda(), train.labels.cuda(), l2=1.0)
    assert set(evaluations) == {2}
    assert torch.equal(there.weights.cpu(), here.weights)
