"""Files with the training losses of trials, which `study.tracking` sends to trackers.

A training `report` has the losses of all trials of a stack. This module writes the losses of each trial separately.
"""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trainables.atomic import replace_file
from trainables.store.artefacts import losses_path
from trainables.store.schema import TrialRecord

_log = logging.getLogger(__name__)

#: Largest number of points of a trace. Each point is the mean over the steps since the previous point.
_POINTS = 200


class LossTrace:
    """A `report` that keeps the losses `(K, steps)` of K trials. Each report replaces the previous one."""

    def __init__(self) -> None:
        self._losses: Any = None

    def __call__(self, facts: dict[str, Any]) -> None:
        """Keep `facts["losses"]` on its device. It is read only once, after training."""
        self._losses = facts.get("losses")

    def write(self, member: int, record: TrialRecord, artefacts: Path | None) -> None:
        """Write the losses of trial `member` of the stack to a file. If this fails, the trial has no trace."""
        if self._losses is None or artefacts is None:
            return
        points = mean_points(self._losses[member].double().cpu().numpy())
        if not points:
            return
        path = losses_path(artefacts, record.trial_id, record.attempt)
        try:
            replace_file(path, json.dumps(points), durable=False)
        except OSError as error:
            _log.warning("training losses of %s: not written (%s)", record.trial_id, error.strerror)


def mean_points(losses: npt.NDArray[np.float64]) -> list[tuple[int, float]]:
    """At most 200 pairs (step, mean loss over the steps since the previous pair), up to the first non-finite loss.

    Steps count from 1.
    """
    finite = np.isfinite(losses)
    count = len(losses) if finite.all() else int(np.argmin(finite))
    if not count:
        return []
    ends = np.linspace(0, count, min(count, _POINTS) + 1).round().astype(int)
    means = np.add.reduceat(losses[:count], ends[:-1]) / np.diff(ends)
    return list(zip(ends[1:].tolist(), means.tolist(), strict=True))
