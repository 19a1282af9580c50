"""The task `diagnostic` for studies: its study-file keys, its configurations, and its texts for the report.

The task has no data set. This module does not import torch.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from search_spaces.axes import Axis, listed
from search_spaces.space import Point
from study.errors import StudyError
from study.spec.schema import DiagnosticSection, StudySpec
from study.spec.section import Section
from study.spec.tasks.measured_metric import measured_metric
from study.spec.tasks.points import LEAST_BATCH
from study.spec.tasks.protocol import StudyTask
from trainables.config import DiagnosticSampling, DiagnosticTask, Scalar, declared_axes
from trainables.runtime import AUTO
from trainables.store.schema import DIAGNOSTIC_METRICS

if TYPE_CHECKING:
    import pandas as pd

    from analysis.model.metric import Metric

_PRECISION_LOSSES = ("ntxent", "flatnce")

#: The beginnings of the names of the columns that each measure writes.
_COLUMNS = {
    "batches": ("loss_", "gradient_bias", "gradient_variance"),
    "precision": ("effective_samples", "signal", "gradient_error_", "silent_"),
    "points": ("loss_population", "z_"),
}

_SWEPT = tuple(name for name, axis in declared_axes(DiagnosticTask).items() if not axis.table)


class DiagnosticSpec(StudySpec):
    """Measurements of losses on fixed pairs of points on the unit sphere. Nothing is trained."""

    task: Literal["diagnostic"] = Field(description="`diagnostic`.")
    metric: Literal[tuple(chain.from_iterable(DIAGNOSTIC_METRICS.values()))] = Field(  # type: ignore[valid-type]
        description="A quantity that `diagnostic.measure` computes. Lower is better."
    )
    training: Section = Section()
    diagnostic: DiagnosticSection

    @model_validator(mode="after")
    def _possible(self) -> "DiagnosticSpec":
        measure = self.diagnostic.measure
        if self.metric not in DIAGNOSTIC_METRICS[measure]:
            allowed = ", ".join(DIAGNOSTIC_METRICS[measure])
            raise ValueError(f"metric: got '{self.metric}'; measure {measure} gives {allowed}")
        if self.search.chosen.adaptive:
            raise ValueError(f"search.design: got {self.search.design}, which is only for task images")
        if "selection" in self.model_fields_set or "keep" in self.model_fields_set:
            raise ValueError("selection and keep are for tasks that train; task diagnostic trains nothing")
        if self.resources.gpus_per_trial or self.resources.execution not in (AUTO, "eager"):
            raise ValueError("resources: task diagnostic runs only on the CPU, with execution eager")
        return self


class DiagnosticStudy(StudyTask):
    """The diagnostic task: fixed points on the unit sphere. Every seed draws its own points."""

    spec_type = DiagnosticSpec
    config_type = DiagnosticTask
    trains = False

    def rates(self, label: str, shared: Mapping[str, Axis]) -> Mapping[str, Axis]:
        """The shared axes and a single placeholder rate. Nothing is trained, so the rate is not part of a trial."""
        if "lr" in self._spec.losses[label]:
            raise StudyError(f"losses.{label}.lr: task diagnostic trains nothing, so it has no learning rate")
        return {**shared, "lr": listed(0.0)}

    def check_points(self, loss: str, points: Sequence[Point]) -> None:
        """Raise `StudyError` unless every configuration has a batch size and a loss that can be measured."""
        if self._spec.diagnostic.measure == "precision" and loss not in _PRECISION_LOSSES:
            raise StudyError(
                f"losses: got {loss}; measure precision is for {' and '.join(_PRECISION_LOSSES)}"
            )
        if any("batch_size" not in point for point in points):
            raise StudyError("axes.batch_size: is missing; give at least one batch size")

    def embeddings(self, swept: Point) -> tuple[tuple[Scalar | None, ...], Scalar | None]:
        """The batch size and all pairs, which the measures use, and the dimension of a configuration."""
        n_pairs, dim = (swept.get(name, getattr(self._spec.diagnostic, name)) for name in ("n_pairs", "dim"))
        return (swept.get("batch_size"), n_pairs), dim

    def build(self, swept: Point) -> DiagnosticTask:
        """The task of a configuration with these swept values."""
        given = {name: swept[name] for name in _SWEPT if name in swept}
        section = DiagnosticSection.model_validate(self._spec.diagnostic.model_dump() | given)
        size = swept["batch_size"]
        if size > section.n_pairs:
            raise StudyError(
                f"{self.place('batch_size')}: got {size!r}, must be a whole number from {LEAST_BATCH} to "
                f"{section.n_pairs}, the number of pairs"
            )
        fields = section.model_dump(exclude={"passes"})
        return DiagnosticTask(
            **fields, training=DiagnosticSampling(batch_size=int(size), passes=section.passes)
        )

    def lacks(self, column: str) -> str:
        """Also for what another measure gives."""
        measures = [name for name, starts in _COLUMNS.items() if column.startswith(starts)]
        if measures and self._spec.diagnostic.measure not in measures:
            return f"which needs diagnostic.measure = {' or '.join(measures)}"
        return super().lacks(column)

    def metric(self, records: "pd.DataFrame") -> "Metric":
        """The metric. A failed trial counts as the worst value among the records, or as 1 without any values."""
        return measured_metric(self._spec.metric, records)

    def described(self) -> dict[str, Any]:
        """`data`, `encoder` and `training` in words."""
        section = self._spec.diagnostic
        return {
            "data": f"none: {section.n_pairs} pairs of fixed points on the unit sphere in {section.dim} dimensions",
            "encoder": "none",
            "training": "none",
        }

    def steps(self, task: DiagnosticTask) -> int:
        """The passes over the population. Nothing is trained, so they determine the cost."""
        return task.training.passes

    def least_memory(self, task: DiagnosticTask) -> dict[str, int]:
        """Bytes of both views of the population and their gradients, in float64."""
        size = f"{self.place('n_pairs')}: got n_pairs = {task.n_pairs} with dim = {task.dim}"
        return {size: 8 * 2 * 2 * task.n_pairs * task.dim}

    def stack_limit(self, task: DiagnosticTask) -> int:
        """1: nothing is trained, so trials are not stacked."""
        return 1
