"""The task `diagnostic` as studies see it: configurations, and words for the report. No data, and no torch."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from search_spaces.space import Point
from study.errors import StudyError
from study.spec.diagnostic_spec import DiagnosticSpec
from study.spec.load import describe_fault
from study.spec.schema import DiagnosticSection
from study.spec.tasks.measured_metric import measured_metric
from study.spec.tasks.points import is_integer
from trainables.config import DiagnosticSampling, DiagnosticTask, Provenance
from trainables.datasets.loaded import DatasetInfo

if TYPE_CHECKING:
    import pandas as pd

    from analysis.metric import Metric

_PRECISION_LOSSES = ("ntxent", "flatnce")
_SWEPT = ("n_pairs", "dim", "defect", "defect_level", "view_cosine")


class DiagnosticStudy:
    """Fixed points on the unit sphere. Every seed draws its own."""

    axes: tuple[str, ...] = ("batch_size", *_SWEPT)
    origin = Provenance()

    def __init__(self, spec: DiagnosticSpec, data_root: Path | None) -> None:
        self._spec = spec

    @property
    def data(self) -> DatasetInfo:
        """There is none: raises `StudyError`."""
        raise StudyError(
            f"{self._spec.name}: this command is for studies of task images; its task is diagnostic"
        )

    def check_points(self, loss: str, points: Sequence[Point]) -> None:
        """Every configuration has a batch size, and a loss that can be measured."""
        if self._spec.diagnostic.measure == "precision" and loss not in _PRECISION_LOSSES:
            raise StudyError(
                f"losses: got {loss}; measure precision is for {' and '.join(_PRECISION_LOSSES)}"
            )
        if any("batch_size" not in point for point in points):
            raise StudyError("axes.batch_size: is missing; give at least one batch size")

    def build(self, swept: Point) -> DiagnosticTask:
        """The task of a configuration."""
        given = {name: swept[name] for name in _SWEPT if name in swept}
        section = _checked(self._spec.diagnostic, given)
        size = swept["batch_size"]
        if not is_integer(size) or not 2 <= int(size) <= section.n_pairs:
            raise StudyError(
                f"axes.batch_size: got {size!r}, must be a whole number from 2 to {section.n_pairs}, "
                "the pairs there are"
            )
        fields = section.model_dump(exclude={"passes"})
        return DiagnosticTask(
            **fields, training=DiagnosticSampling(batch_size=int(size), passes=section.passes)
        )

    def load(self, task: DiagnosticTask, data_root: Path | None) -> None:
        """Nothing to make ready."""

    def metric(self, records: "pd.DataFrame") -> "Metric":
        """A failed trial counts as the worst outcome among the records, as 1 where there is none."""
        return measured_metric(self._spec.metric, records)

    def described(self) -> dict[str, str]:
        """Data, encoder and training in words."""
        section = self._spec.diagnostic
        return {
            "data": f"none: {section.n_pairs} pairs of fixed points on the unit sphere in {section.dim} dimensions",
            "encoder": "none",
            "training": "none",
        }

    def steps(self, task: DiagnosticTask) -> int:
        """Nothing is trained; the passes over the population set the cost."""
        return task.training.passes

    def stack_limit(self, task: DiagnosticTask) -> int:
        """Nothing is trained, so no two are trained as one."""
        return 1


def _checked(section: DiagnosticSection, given: Point) -> DiagnosticSection:
    try:
        return DiagnosticSection.model_validate(section.model_dump() | dict(given))
    except ValidationError as error:
        raise StudyError(f"axes.{describe_fault(error, DiagnosticSection)}") from error
