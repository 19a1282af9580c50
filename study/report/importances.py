"""Optuna's importances of hyperparameters, which the report shows next to its exact importances."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from analysis.model.cells import Cells
from analysis.study_analysis import StudyAnalysis

#: Smallest number of trials: Optuna's documentation requires 5 trials among the best tenth.
_LEAST_TRIALS = 50


def with_importances(findings: StudyAnalysis) -> StudyAnalysis:
    """The analysis with Optuna's importances for every whole arm that has enough trials, if Optuna is installed.

    Adaptive searches are left out, since their points concentrate where scores are good.
    """
    eligible = {} if findings.adaptive else {label: c for label, c in findings.wholes.items() if _enough(c)}
    if not eligible:
        return findings
    try:  # importing Optuna takes most of a second
        from search_spaces import optuna_adapter  # noqa: F401
    except ImportError:
        return findings
    found = {label: arm_importances(cells) for label, cells in eligible.items()}
    return dataclasses.replace(findings, optuna_importances=found)


def arm_importances(cells: Cells) -> Mapping[str, float]:
    """The importance of each varying axis for the validation scores of an arm's trials. Failures have the worst
    score.

    The importances are by the axis's name in words. They are empty if all scores are equal.
    """
    from search_spaces.optuna_adapter import importances

    scores = cells.validation
    cell, seed = np.nonzero(np.isfinite(scores))
    known = scores[cell, seed]
    if len(known) < 2 or np.ptp(known) == 0:
        return {}
    varying = [axis for axis in cells.axes if len(axis.values) > 1]
    columns = {axis.info.words: cells.values(axis.name)[cell].tolist() for axis in varying}
    return importances(columns, known.tolist())


def _enough(cells: Cells) -> bool:
    varying = sum(len(axis.values) > 1 for axis in cells.axes)
    return varying > 1 and int(np.isfinite(cells.validation).sum()) >= _LEAST_TRIALS
