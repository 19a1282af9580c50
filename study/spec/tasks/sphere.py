"""The task `sphere` as studies see it: configurations, and words for the report. No data, and no torch."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from search_spaces.loss_params import SELECTION_AXIS, TRAINING_AXES
from search_spaces.space import Point
from study.errors import StudyError
from study.spec.load import describe_fault
from study.spec.schema import SphereSection, SphereTrainingSection
from study.spec.sphere_spec import SphereSpec
from study.spec.tasks.measured_metric import measured_metric
from study.spec.tasks.points import check_rate, is_integer, one_budget, selection_of
from trainables.config import Provenance, SphereTask, SphereTraining
from trainables.datasets.loaded import DatasetInfo
from trainables.selection.rounds import resolve_round
from trainables.sphere.budget import pairs_a_step, step_count
from trainables.sphere.known import ideal_name, is_optimum_known

if TYPE_CHECKING:
    import pandas as pd

    from analysis.metric import Metric

_BUDGETS = ("steps", "samples")

#: Trials of a stack, and numbers in their embeddings: beyond, a step costs more a trial (measured:
#: `python -m tests.benchmarks.bench_sphere`).
_LARGEST_STACK = 256
_STACK_NUMBERS = 2**20


class SphereStudy:
    """Free embeddings on the unit sphere. Every seed draws its own; there is nothing to validate on."""

    axes: tuple[str, ...] = ("batch_size", "lr", *_BUDGETS, "momentum", SELECTION_AXIS, "n_pairs", "dim")
    origin = Provenance()

    def __init__(self, spec: SphereSpec, data_root: Path | None) -> None:
        self._spec = spec

    @property
    def data(self) -> DatasetInfo:
        """There is none: raises `StudyError`."""
        raise StudyError(f"{self._spec.name}: this command is for studies of task images; its task is sphere")

    def check_points(self, loss: str, points: Sequence[Point]) -> None:
        """Every configuration has a batch size, the size of its problem, and what the metric needs."""
        for point in points:
            if "batch_size" not in point:
                raise StudyError("axes.batch_size: is missing; give at least one batch size")
            for name in ("n_pairs", "dim"):
                if name not in point and getattr(self._spec.sphere, name) is None:
                    raise StudyError(f"sphere.{name}: is missing; give it there or in [axes]")
            self._check_metric(loss, point)

    def _check_metric(self, loss: str, point: Point) -> None:
        """What the metric compares with is known."""
        swept = {name: value for name, value in point.items() if name in TRAINING_AXES}
        params = {name: value for name, value in point.items() if name not in TRAINING_AXES}
        metric, sphere = self._spec.metric, self.build(swept)
        sizes = f"n_pairs = {sphere.n_pairs} and dim = {sphere.dim}"
        if metric != "train_loss_full" and ideal_name(sphere.n_pairs, sphere.dim) is None:
            raise StudyError(
                f"metric: got {metric}, and no ideal is known for {sizes}: n_pairs <= dim + 1, or n_pairs = 2 dim"
            )
        if metric == "optimum_gap" and not is_optimum_known(loss, params, sphere.n_pairs, sphere.dim):
            raise StudyError(
                f"metric: got {metric}, and the least {loss} with {params} is not known for {sizes}"
            )

    def build(self, swept: Point) -> SphereTask:
        """The task of a configuration."""
        sizes = {name: swept.get(name, getattr(self._spec.sphere, name)) for name in ("n_pairs", "dim")}
        sphere = _checked(SphereSection, {**self._spec.sphere.model_dump(), **sizes})
        training = {
            name: value for name, value in swept.items() if name not in (SELECTION_AXIS, "n_pairs", "dim")
        }
        task = SphereTask(
            **sphere,
            training=_training(self._spec.training, training),
            selection=selection_of(self._spec.selection, swept),
        )
        self._check(task)
        return task

    def _check(self, task: SphereTask) -> None:
        try:
            resolve_round(task.selection, task.n_pairs, pairs_a_step(task))
            steps = step_count(task)
        except ValueError as error:
            raise StudyError(str(error)) from error
        if steps < 1:
            raise StudyError(
                f"training.samples: got {task.training.samples}, which is less than one step sees"
            )

    def load(self, task: SphereTask, data_root: Path | None) -> None:
        """Nothing to make ready."""

    def metric(self, records: "pd.DataFrame") -> "Metric":
        """A failed trial counts as the worst outcome among the records, as 1 where there is none."""
        return measured_metric(self._spec.metric, records)

    def described(self) -> dict[str, Any]:
        """Data, encoder and training in words."""
        training = self._spec.training
        given = [f"{getattr(training, name)} {name}" for name in _BUDGETS if getattr(training, name)]
        budget = "budget swept" if set(_BUDGETS) & set(self._spec.axes) else given[0]
        return {
            "data": f"none: free embeddings on the unit sphere, {self._spec.sphere.init} views",
            "encoder": "none",
            "training": f"{budget}, SGD on raw vectors with momentum {training.momentum:g}, "
            f"{training.lr_schedule} learning rate; float64",
        }

    def steps(self, task: SphereTask) -> int:
        """Optimiser steps of the whole budget."""
        return step_count(task)

    def stack_limit(self, task: SphereTask) -> int:
        """See `sphere_stack_limit`."""
        return sphere_stack_limit(task)


def sphere_stack_limit(task: SphereTask) -> int:
    """The most trials that are worth training as one on a CPU."""
    return max(1, min(_LARGEST_STACK, _STACK_NUMBERS // (2 * task.n_pairs * task.dim)))


def _training(section: SphereTrainingSection, swept: Point) -> SphereTraining:
    values = one_budget(section.model_dump(), swept, _BUDGETS)
    size = values.pop("batch_size")
    if not is_integer(size) or int(size) < 2:
        raise StudyError(f"axes.batch_size: got {size!r}, must be a whole number of at least 2")
    check_rate(values["lr"])
    return SphereTraining(batch_size=int(size), **_checked(SphereTrainingSection, values))


def _checked(section: type[SphereSection | SphereTrainingSection], values: dict[str, Any]) -> dict[str, Any]:
    """What was swept obeys the same rules as what was fixed."""
    try:
        return section.model_validate(values).model_dump()
    except ValidationError as error:
        raise StudyError(f"axes.{describe_fault(error, section)}") from error
