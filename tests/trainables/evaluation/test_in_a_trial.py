"""The whole suite within a trial: every column is filled, whatever the order of the probes."""

import dataclasses

from tests.trainables.tiny_trial import tiny
from trainables.config import ProbeConfig
from trainables.evaluation.probes import PROBES
from trainables.store.schema import TrialRecord
from trainables.trial import run_trial

#: The tiny trial has 20 images a class.
SUITE = tuple(probe for probe in PROBES if probe != "probe100")


def record_of(*suite: str) -> TrialRecord:
    config = tiny()
    probe = ProbeConfig(suite=suite, draws=2, sgd_epochs=10, adam_epochs=10)
    return run_trial(dataclasses.replace(config, task=dataclasses.replace(config.task, probe=probe)))


def test_the_suite_in_two_orders() -> None:
    first, second = record_of(*SUITE), record_of(*reversed(SUITE))
    assert first.status == second.status == "ok", first.error_traceback
    columns = [f"{split}_{probe}_accuracy" for split in ("val", "test") for probe in SUITE]
    assert all(0 < getattr(first, name) <= 1 for name in columns)
    for name in (*columns, "h_alignment", "z_uniformity"):
        assert getattr(first, name) == getattr(second, name), name


def test_representation_metrics_do_not_depend_on_the_suite() -> None:
    one, other = record_of("knn"), record_of("retrieval", "knn")
    assert one.z_alignment == other.z_alignment
    assert one.test_knn_accuracy == other.test_knn_accuracy
    assert one.val_retrieval_accuracy is None
