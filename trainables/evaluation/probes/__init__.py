"""The registry of probes by name, in the order of their record columns.

To add a probe, write a file here with its `Probe`, and add it at the end of `PROBES`. The record columns, the suite
in study files and the metrics are derived from it. The contract test (`tests/trainables/evaluation/test_suite.py`)
fails with the name of each missing part.
"""

from trainables.evaluation.probes.all_labels import ALL_LABELS
from trainables.evaluation.probes.few_labels import FEW_LABELS
from trainables.evaluation.probes.knn import KNN
from trainables.evaluation.probes.probe import Probe
from trainables.evaluation.probes.retrieval import RETRIEVAL
from trainables.evaluation.probes.sgd import ADAM, SGD

PROBES: dict[str, Probe] = {
    probe.name: probe for probe in (*FEW_LABELS, ALL_LABELS, SGD, KNN, *RETRIEVAL, ADAM)
}

#: The probe of each metric that a study of images can use for selection and reports.
PROBE_OF_METRIC: dict[str, Probe] = {f"{name}_accuracy": probe for name, probe in PROBES.items()}


def probes_with(setting: str) -> tuple[str, ...]:
    """The names of the probes that use a field of `ProbeConfig`."""
    return tuple(name for name, probe in PROBES.items() if setting in probe.settings)
