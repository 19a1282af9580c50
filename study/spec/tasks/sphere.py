"""The task `sphere` for studies: its study-file keys, its configurations, and its texts for the report.

The task has no data set. This module does not import torch.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from search_spaces.axes import Axis, listed
from search_spaces.space import Point
from study.errors import StudyError
from study.spec.arm_space import LR_KEY
from study.spec.schema import SphereSection, SphereTrainingSection, StudySpec
from study.spec.tasks.measured_metric import measured_metric
from study.spec.tasks.points import by_table, one_budget, raise_missing_rates, selection_of
from study.spec.tasks.protocol import StudyTask
from trainables.config import AXES, BUDGETS, Scalar, SphereTask, SphereTraining
from trainables.runtime import AUTO
from trainables.selection.rounds import resolve_round
from trainables.sphere.budget import pairs_a_step, step_count
from trainables.sphere.known import ideal_name, is_optimum_known
from trainables.store.schema import SPHERE_METRICS

if TYPE_CHECKING:
    import pandas as pd

    from analysis.model.metric import Metric

_BUDGETS = tuple(name for name in BUDGETS if name in SphereTraining.__dataclass_fields__)

#: The most trials in a stack, and the most numbers in their embeddings. In larger stacks, a step costs more per trial
#: (measured: `python -m tests.benchmarks.bench_sphere`).
_LARGEST_STACK = 256
_STACK_NUMBERS = 2**20


class SphereSpec(StudySpec):
    """Free embeddings on the unit sphere, trained by a loss without data. They show what the loss optimises for."""

    task: Literal["sphere"] = Field(description="`sphere`.")
    metric: Literal[SPHERE_METRICS] = Field(  # type: ignore[valid-type]
        default="gram_distance",
        description="Lower is better. There is no validation, so the same value selects and is reported.",
    )
    sphere: SphereSection = SphereSection()
    training: SphereTrainingSection

    @model_validator(mode="after")
    def _possible(self) -> "SphereSpec":
        if self.search.chosen.adaptive:
            raise ValueError(f"search.design: got {self.search.design}, which is only for task images")
        if self.keep.encoders != "none" or self.keep.curve_epochs:
            raise ValueError(
                "keep: encoders and curve_epochs are only for task images; a sphere trial has no encoder and no "
                "epochs"
            )
        if self.resources.execution not in (AUTO, "eager"):
            raise ValueError(
                f"resources.execution: got {self.resources.execution}; task sphere allows only eager"
            )
        return self


class SphereStudy(StudyTask):
    """The sphere task: free embeddings on the unit sphere. Every seed draws its own; there is no validation data."""

    spec_type = SphereSpec
    config_type = SphereTask
    shows_kept_tables = True

    def rates(self, label: str, shared: Mapping[str, Axis]) -> Mapping[str, Axis]:
        """The shared axes with a learning rate from `[training]`, `[axes]` or the loss's table.

        The losses' default rates were tuned on images, so this task does not use them.
        """
        if LR_KEY in shared or LR_KEY in self._spec.losses[label]:
            return shared
        if self._spec.training.lr is not None:
            return {**shared, LR_KEY: listed(self._spec.training.lr)}
        raise_missing_rates(self._spec.losses, "give it there, in [training] or in [axes]")
        return shared

    def check_points(self, loss: str, points: Sequence[Point]) -> None:
        """Raise `StudyError` unless every configuration has a batch size, `n_pairs`, `dim`, and a possible metric."""
        for point in points:
            if "batch_size" not in point:
                raise StudyError("axes.batch_size: is missing; give at least one batch size")
            for name in ("n_pairs", "dim"):
                if name not in point and getattr(self._spec.sphere, name) is None:
                    raise StudyError(f"sphere.{name}: is missing; give it there or in [axes]")
            self._check_metric(loss, point)

    def _check_metric(self, loss: str, point: Point) -> None:
        """Raise `StudyError` unless the ideal or optimum that the metric compares with is known."""
        swept = {name: value for name, value in point.items() if name in AXES}
        params = {name: value for name, value in point.items() if name not in AXES}
        metric, sphere = self._spec.metric, self.build(swept)
        sizes = f"n_pairs = {sphere.n_pairs} and dim = {sphere.dim}"
        if metric != "train_loss_full" and ideal_name(sphere.n_pairs, sphere.dim) is None:
            raise StudyError(
                f"metric: got {metric}, and no ideal is known for {sizes}: n_pairs <= dim + 1, or n_pairs = 2 dim"
            )
        if metric == "optimum_gap" and not is_optimum_known(loss, params, sphere.n_pairs, sphere.dim):
            raise StudyError(
                f"metric: got {metric}, but the minimum of {loss} with {params} is not known for {sizes}"
            )

    def embeddings(self, swept: Point) -> tuple[tuple[Scalar | None, ...], Scalar | None]:
        """The batch size and all pairs, which the measures use, and the dimension of a configuration."""
        n_pairs, dim = (swept.get(name, getattr(self._spec.sphere, name)) for name in ("n_pairs", "dim"))
        return (swept.get("batch_size"), n_pairs), dim

    def build(self, swept: Point) -> SphereTask:
        """The task of a configuration with these swept values."""
        tables = by_table(SphereTask, swept)
        sphere = SphereSection.model_validate({**self._spec.sphere.model_dump(), **tables[""]}).model_dump()
        task = SphereTask(
            **sphere,
            training=_training(self._spec.training, tables["training"]),
            selection=selection_of(self._spec.selection, swept),
        )
        self._check(task)
        return task

    def _check(self, task: SphereTask) -> None:
        try:
            resolve_round(task.selection, task.n_pairs, pairs_a_step(task))
            steps = step_count(task)
        except ValueError as error:
            raise self.placed(error) from error
        if steps < 1:
            raise StudyError(
                f"{self.place('samples')}: got {task.training.samples}, which is less than one step uses"
            )

    def planned_columns(self, task: SphereTask) -> dict[str, Any]:
        """The name of the ideal that the embeddings are compared with."""
        return {"ideal": ideal_name(task.n_pairs, task.dim)}

    def metric(self, records: "pd.DataFrame") -> "Metric":
        """The metric. A failed trial counts as the worst value among the records, or as 1 without any values."""
        return measured_metric(self._spec.metric, records)

    def described(self) -> dict[str, Any]:
        """`data`, `encoder` and `training` in words."""
        from analysis.wording import counted  # imports pandas

        training = self._spec.training
        given = [
            counted(getattr(training, name), name.removesuffix("s"))
            for name in _BUDGETS
            if getattr(training, name)
        ]
        budget = "budget swept" if set(_BUDGETS) & self._spec.swept else given[0]
        return {
            "data": f"none: free embeddings on the unit sphere, {self._spec.sphere.init} views",
            "encoder": "none",
            "training": f"{budget}, SGD on raw vectors with momentum {training.momentum:g}, "
            f"{training.lr_schedule} learning rate; float64",
        }

    def steps(self, task: SphereTask) -> int:
        """Optimiser steps of the whole budget."""
        return step_count(task)

    def least_memory(self, task: SphereTask) -> dict[str, int]:
        """Bytes of both views of the embeddings, with gradients and momenta, in float64."""
        size = f"{self.place('n_pairs')}: got n_pairs = {task.n_pairs} with dim = {task.dim}"
        return {size: 8 * 3 * 2 * task.n_pairs * task.dim}

    def stack_limit(self, task: SphereTask) -> int:
        """See `sphere_stack_limit`."""
        return sphere_stack_limit(task)


def sphere_stack_limit(task: SphereTask) -> int:
    """The largest useful stack of trials on a CPU."""
    return max(1, min(_LARGEST_STACK, _STACK_NUMBERS // (2 * task.n_pairs * task.dim)))


def _training(section: SphereTrainingSection, swept: Point) -> SphereTraining:
    values = one_budget(section.model_dump(), swept, _BUDGETS)
    size = int(values.pop("batch_size"))
    return SphereTraining(batch_size=size, **SphereTrainingSection.model_validate(values).model_dump())
