"""Probes on the pretended device: the answers of the CPU, and no waits between the batches of an epoch."""

import subprocess
import sys
import threading
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
from trainables.evaluation.logistic import fit_logistic, logistic_turns
from trainables.evaluation.neighbours import knn_accuracy
from trainables.evaluation.sgd_probe import fit_adam, fit_sgd
from trainables.turns import Turn, Turns, finish


def note_turns(turns: Turns[LinearClassifier], noted: list[object]) -> LinearClassifier:
    """Add each pause of a fit to the list, and return its result."""
    while True:
        try:
            turn = next(turns)
        except StopIteration as end:
            found: LinearClassifier = end.value
            return found
        noted.append(turn)


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


def test_the_solve_pauses_while_the_device_computes(cuda: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each evaluation starts its only copy back before the pause, and waits for it after the pause."""
    noted: list[object] = []
    measure = logistic._Problem.measure

    def counted(problem: logistic._Problem, flat: np.ndarray) -> Callable[[], logistic.Measured]:
        cuda.notes.clear()
        found = measure(problem, flat)
        noted.append(tuple(cuda.notes))

        def answer() -> logistic.Measured:
            cuda.notes.clear()
            result = found()
            noted.append(tuple(cuda.notes))
            return result

        return answer

    train = clusters(90, 0, spread=1.0)
    here = fit_logistic(train.features, train.labels, l2=1.0)
    monkeypatch.setattr(logistic._Problem, "measure", counted)
    turns = logistic_turns(train.features.cuda(), train.labels.cuda(), l2=1.0)
    there = note_turns(turns, noted)
    start, wait = ("aten._to_copy.default: copy from the device to the host",), ("Event.synchronize",)
    evaluations = len(noted) // 3
    assert noted == [start, Turn.QUEUED, wait] * evaluations
    assert evaluations > 5
    assert torch.equal(there.weights.cpu(), here.weights)


def test_a_solve_that_is_closed_ends_its_thread(cuda: Device) -> None:
    train = clusters(90, 0, spread=1.0)
    threads = threading.active_count()
    turns = logistic_turns(train.features.cuda(), train.labels.cuda(), l2=1.0)
    next(turns)
    assert threading.active_count() == threads + 1
    turns.close()
    assert threading.active_count() == threads


def test_a_process_ends_with_a_paused_solve() -> None:
    """Something may still refer to the solve then, such as the traceback of an interrupt."""
    program = """
import torch
from tests.trainables.device.fake_cuda import pretended_cuda
from trainables.evaluation.logistic import logistic_turns
with pretended_cuda():
    turns = logistic_turns(torch.rand(30, 4).cuda(), torch.arange(30).cuda() % 3, l2=1.0)
    next(turns)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_an_error_of_the_device_ends_the_solve_and_its_thread(
    cuda: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(problem: logistic._Problem, flat: np.ndarray) -> Callable[[], logistic.Measured]:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(logistic._Problem, "measure", fails)
    train, threads = clusters(90, 0, spread=1.0), threading.active_count()
    with pytest.raises(torch.OutOfMemoryError):
        fit_logistic(train.features.cuda(), train.labels.cuda(), l2=1.0)
    assert threading.active_count() == threads
