"""What a study must know of its task. Each task is a subclass in a file of its own, and a line in the registry."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from search_spaces.axes import Axis
from search_spaces.space import Point
from search_spaces.spaces import LossSpace
from study.errors import StudyError
from study.spec.schema import StudySpec
from trainables.config import Provenance, Task
from trainables.datasets.loaded import DatasetInfo
from trainables.settings import declared_axes

if TYPE_CHECKING:
    import pandas as pd

    from analysis.metric import Metric


class StudyTask:
    """How trials of one task are made of a study's spec, and how their outcome is read.

    Methods raise `StudyError` for what cannot be. What a task does not override suits one that has no data set.
    """

    #: What a study file says, and what a trial's configuration holds.
    spec_type: ClassVar[type[StudySpec]]
    config_type: ClassVar[type]

    #: Whether trials train something, at a learning rate.
    trains: ClassVar[bool] = True

    #: Whether trials may keep learning curves and embeddings that the report shows.
    shows_kept_tables: ClassVar[bool] = False

    #: Of every trial, but for the source of own code.
    origin: Provenance = Provenance()

    def __init__(self, spec: Any, data_root: Path | None) -> None:
        self._spec = spec

    @property
    def axes(self) -> tuple[str, ...]:
        """What `[axes]` may sweep."""
        return tuple(declared_axes(self.config_type))

    @property
    def data(self) -> DatasetInfo:
        """The data set. Raises `StudyError` for a task without one."""
        raise StudyError(
            f"{self._spec.name}: this command needs a data set, and studies of task {self._spec.task} have none"
        )

    def rates(self, label: str, shared: Mapping[str, Axis]) -> Mapping[str, Axis]:
        """The shared axes, and the learning rate of a loss where its default rate does not suit the task."""
        return shared

    def check_points(self, loss: str, points: Sequence[Point]) -> None:
        """Refuse configurations of a loss that lack something."""
        raise NotImplementedError

    def build(self, swept: Point) -> Task:
        """The task of a configuration, of which fields of the loss are left out."""
        raise NotImplementedError

    def load(self, task: Task, data_root: Path | None) -> None:
        """Make ready, once, what workers would wait for."""

    def planned_columns(self, task: Task) -> dict[str, Any]:
        """Record columns that are known before a trial runs, beside those of its settings."""
        return {}

    def metric(self, records: "pd.DataFrame") -> "Metric":
        """How the analysis reads the study's metric, given the records that there are."""
        raise NotImplementedError

    def tuned_rate(self, space: LossSpace, task: Task) -> tuple[str, bool]:
        """Where a loss's default rate comes from, and whether it was tuned on what this task trains."""
        return "set in the study file", False

    def described(self) -> dict[str, Any]:
        """`data`, `encoder` and `training` in words, for the report."""
        raise NotImplementedError

    def steps(self, task: Task) -> int:
        """Optimiser steps of a task's whole budget; what takes most of the time where nothing is trained."""
        raise NotImplementedError

    def stack_limit(self, task: Task) -> int:
        """The most trials of a task that are worth training as one network on a CPU; 1 where stacking costs time."""
        return 1
