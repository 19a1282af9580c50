"""Storages, folders and saved frames of Optuna, Ray Tune, MLflow and Weights & Biases."""

from analysis.results.exports.frames import completed
from analysis.results.exports.layouts import Layout, recognise
from analysis.results.exports.opening import open_export
from analysis.results.exports.source import local_path
from analysis.results.exports.words import HOUSEKEEPING, STATUS_WORDS, is_outcome

__all__ = [
    "HOUSEKEEPING",
    "STATUS_WORDS",
    "Layout",
    "completed",
    "is_outcome",
    "local_path",
    "open_export",
    "recognise",
]
