"""What a study must know of its task: one class a task, made from the study's spec."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from search_spaces.space import Point
from trainables.config import Provenance, Task
from trainables.datasets.loaded import DatasetInfo

if TYPE_CHECKING:
    import pandas as pd

    from analysis.metric import Metric


class StudyTask(Protocol):
    """How trials of one task are made of a spec, and how their outcome is read.

    Methods raise `StudyError` for what cannot be.
    """

    axes: tuple[str, ...]  # what `[axes]` may sweep
    origin: Provenance  # of every trial, but for the source of own code

    @property
    def data(self) -> DatasetInfo:
        """The data set. Raises `StudyError` for a task without one."""
        ...

    def check_points(self, loss: str, points: Sequence[Point]) -> None:
        """Refuse configurations of a loss that lack something."""
        ...

    def build(self, swept: Point) -> Task:
        """The task of a configuration, of which fields of the loss are left out."""
        ...

    def load(self, task: Task, data_root: Path | None) -> None:
        """Make ready, once, what workers would wait for."""
        ...

    def metric(self, records: "pd.DataFrame") -> "Metric":
        """How the analysis reads the study's metric, given the records that there are."""
        ...

    def described(self) -> dict[str, Any]:
        """`data`, `encoder` and `training` in words, for the report."""
        ...

    def steps(self, task: Task) -> int:
        """Optimiser steps of a task's whole budget; what takes most of the time where nothing is trained."""
        ...

    def stack_limit(self, task: Task) -> int:
        """The most trials of a task that are worth training as one network on a CPU; 1 where stacking costs time."""
        ...
