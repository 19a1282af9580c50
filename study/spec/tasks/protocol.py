"""`StudyTask`, the interface between a study and its task. Each task is a subclass in its own file.

The registry lists all tasks.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from search_spaces.axes import Axis
from search_spaces.space import Point
from search_spaces.spaces import LossSpace
from study.errors import StudyError
from study.spec.schema import POINTS_KEY, StudySpec
from trainables.config import Provenance, Scalar, Task
from trainables.datasets.loaded import DatasetInfo
from trainables.settings import declared_axes
from trainables.store.schema import column_tasks

if TYPE_CHECKING:
    import pandas as pd

    from analysis.model.metric import Metric


class StudyTask(ABC):
    """Builds the trials of one task from a study's spec, and defines how their results are read.

    Methods raise `StudyError` for invalid input. The defaults suit a task without a data set.
    """

    #: The types of the study file's spec and of the task in a trial's configuration.
    spec_type: ClassVar[type[StudySpec]]
    config_type: ClassVar[type]

    #: Whether trials train something, at a learning rate.
    trains: ClassVar[bool] = True

    #: Whether a worker may run several trials on its GPU at the same time.
    runs_concurrently: ClassVar[bool] = False

    #: Whether `resources.execution` selects how trials run. Otherwise they always run as `eager`.
    has_execution_modes: ClassVar[bool] = False

    #: Whether trials may keep learning curves and embeddings that the report shows.
    shows_kept_tables: ClassVar[bool] = False

    #: The provenance of every trial, except for the fingerprint of the user's own code.
    origin: Provenance = Provenance()

    def __init__(self, spec: Any, data_root: Path | None) -> None:
        self._spec = spec

    @property
    def axes(self) -> tuple[str, ...]:
        """The names that `[axes]` may sweep."""
        return tuple(declared_axes(self.config_type))

    @property
    def data(self) -> DatasetInfo:
        """The data set. Raises `StudyError` for a task without one."""
        raise StudyError(
            f"{self._spec.name}: this command needs a data set, and studies of task {self._spec.task} have none"
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """One-line notes on the data for plans and launches, such as files that are not read."""
        return ()

    def require_data(self) -> None:  # noqa: B027 (a task without data needs none)
        """Raise `StudyError` if the data set is absent. Only this and what needs the data raise for absent data."""

    def place(self, name: str) -> str:
        """Where the study file gives the value of an axis, for messages."""
        if name in self._spec.axes:
            return f"axes.{name}"
        for label, table in self._spec.losses.items():
            if any(name in point for point in table.get(POINTS_KEY, ())):
                return f"losses.{label}.{POINTS_KEY}"
        return f"{declared_axes(self.config_type)[name].table or self._spec.task}.{name}"

    def placed(self, error: ValueError) -> StudyError:
        """The error of a selection, with the table of the key that its message starts with."""
        message = str(error)
        if message.startswith("batch_size: "):
            message = self.place("batch_size") + message.removeprefix("batch_size")
        return StudyError(message)

    def rates(self, label: str, shared: Mapping[str, Axis]) -> Mapping[str, Axis]:
        """The shared axes, and a learning rate for the loss if its default rate does not suit the task."""
        return shared

    @abstractmethod
    def check_points(self, loss: str, points: Sequence[Point]) -> None:
        """Raise `StudyError` for configurations of a loss that lack a required value."""

    def embeddings(self, swept: Point) -> tuple[tuple[Scalar | None, ...], Scalar | None]:
        """The numbers of pairs with which trials of a configuration call the loss, and the dimension of the views.

        A number that is not known is None. The values are not checked yet.
        """
        return (swept.get("batch_size"),), None

    @abstractmethod
    def build(self, swept: Point) -> Task:
        """The task of a configuration. `swept` holds the values of its axes of training, not the loss's fields."""

    def load(self, task: Task, data_root: Path | None) -> None:  # noqa: B027 (a task without data loads nothing)
        """Prepare data once, before workers start, so that they do not have to wait for it."""

    def planned_columns(self, task: Task) -> dict[str, Any]:
        """Record columns that are known before a trial runs, besides the columns of its settings."""
        return {}

    def lacks(self, column: str) -> str:
        """Why no trial of the study has a value in a record column, as the end of a message; "" if one may."""
        tasks = column_tasks(column)
        return (
            f"which no trial of task {self._spec.task} has" if tasks and self._spec.task not in tasks else ""
        )

    @abstractmethod
    def metric(self, records: "pd.DataFrame") -> "Metric":
        """How the analysis reads the study's metric, given its records so far."""

    def tuned_rate(self, space: LossSpace, task: Task) -> tuple[str, bool]:
        """The source of a loss's default rate, and whether it was tuned on this task's data and network."""
        return "set in the study file", False

    @abstractmethod
    def described(self) -> dict[str, Any]:
        """`data`, `encoder` and `training` in words, for the report."""

    @abstractmethod
    def steps(self, task: Task) -> int:
        """Optimiser steps of a task's whole budget; if nothing is trained, the count that determines the cost."""

    def least_memory(self, task: Task) -> dict[str, int]:
        """Bytes that a trial needs at least, by the key and value of the study file that cause them, in words."""
        return {}

    def stack_limit(self, task: Task) -> int:
        """The largest useful stack of trials of a task on a CPU; 1 if stacking is slower."""
        return 1
