"""The probes by name, in the order of their record columns.

To add one: a file here with its `Probe`, and a line at the end below. The record's columns, the suite of study files
and the metrics follow. The contract test (`tests/trainables/evaluation/test_suite.py`) names what is missing.
"""

from trainables.evaluation.probes.all_labels import ALL_LABELS
from trainables.evaluation.probes.few_labels import FEW_LABELS
from trainables.evaluation.probes.knn import KNN
from trainables.evaluation.probes.probe import Probe
from trainables.evaluation.probes.retrieval import RETRIEVAL
from trainables.evaluation.probes.sgd import SGD

PROBES: dict[str, Probe] = {probe.name: probe for probe in (*FEW_LABELS, ALL_LABELS, SGD, KNN, *RETRIEVAL)}

#: The probe behind each metric that a study of images can select and report by.
PROBE_OF_METRIC: dict[str, Probe] = {f"{name}_accuracy": probe for name, probe in PROBES.items()}
