"""The task `images` as studies see it: configurations, data, and words for the report."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from search_spaces.loss_params import BUDGETS, SELECTION_AXIS
from search_spaces.space import Point
from study.errors import StudyError
from study.spec.images_spec import ImagesSpec
from study.spec.load import describe_fault
from study.spec.schema import TrainingSection
from study.spec.tasks.points import check_rate, is_integer, one_budget, selection_of
from trainables.config import (
    DataConfig,
    EncoderConfig,
    ImagesTask,
    ProbeConfig,
    Provenance,
    SelectionConfig,
    TrainingConfig,
)
from trainables.datasets.datasets import DatasetInfo, describe_dataset, load_dataset
from trainables.encoders.encoders import check_encoder_name
from trainables.evaluation.corruptions.published import corruptions_fingerprint, published_files
from trainables.selection.rounds import LOOKING_METHODS, check_image_selection, step_count
from trainables.store.schema import LABELS_A_CLASS
from trainables.views.recipes import check_views_name

if TYPE_CHECKING:
    import pandas as pd

    from analysis.metric import Metric

#: Encoders whose steps on a CPU are so small that dispatch costs as much as arithmetic.
_SMALL_ENCODERS = frozenset({"small_conv"})

#: More members gain nothing (measured: `python -m tests.benchmarks.bench_stacking`).
_LARGEST_STACK = 16

#: Pairs a step of all members together, for images of up to 16x16 pixels; beyond, caches overflow and stacks lose.
_PAIRS_A_STEP = 512
_PIXELS = 16 * 16


class ImagesStudy:
    """Pre-training on one data set and evaluation of the frozen encoder; raises `StudyError` for unfit data."""

    axes: tuple[str, ...] = (
        "batch_size",
        "lr",
        *BUDGETS,
        "weight_decay",
        "momentum",
        "warmup_fraction",
        SELECTION_AXIS,
    )

    def __init__(self, spec: ImagesSpec, data_root: Path | None) -> None:
        self._spec, self._probe, self._data_root = spec, ProbeConfig(**spec.probe.model_dump()), data_root
        self._data = DataConfig(**spec.data.model_dump(exclude={"views", "views_form"}))
        try:
            self.data: DatasetInfo = describe_dataset(self._data, data_root)
            check_encoder_name(spec.encoder.name)
            check_views_name(spec.data.views or self.data.views)
            corruptions = corruptions_fingerprint(self._probe, self.data, data_root)
        except ValueError as error:
            raise StudyError(str(error)) from error
        self.origin = Provenance(data_fingerprint=self.data.fingerprint, corruptions_fingerprint=corruptions)
        self.images, self.pixels = self.data.n_pretraining, self.data.size**2
        _check_probes(spec, self.data)

    def check_points(self, loss: str, points: Sequence[Point]) -> None:
        """Every configuration has a batch size that the data holds."""
        for size in dict.fromkeys(point.get("batch_size") for point in points):
            if size is None:
                raise StudyError("axes.batch_size: is missing; give at least one batch size")
            if not is_integer(size) or not 2 <= int(size) <= self.images:
                raise StudyError(
                    f"axes.batch_size: got {size!r}, must be a whole number from 2 to {self.images}, "
                    f"the training images of {self.data.name}"
                )

    def build(self, swept: Point) -> ImagesTask:
        """The task of a configuration."""
        selection = selection_of(self._spec.selection, swept)
        training = {name: value for name, value in swept.items() if name != SELECTION_AXIS}
        values = one_budget(self._spec.training.model_dump(), training)
        values |= _checked_training(values)
        values["batch_size"] = int(values["batch_size"])
        self._check_selection(selection, TrainingConfig(**values))
        return ImagesTask(
            # Chosen classes in the set's own order: the same images are the same trial, however they are listed.
            data=dataclasses.replace(
                self._data, classes=self.data.classes if self._spec.data.classes else ()
            ),
            views=self._spec.data.views or self.data.views,
            views_form=self._spec.data.views_form,
            encoder=EncoderConfig(**self._spec.encoder.model_dump()),
            training=TrainingConfig(**values),
            selection=selection,
            probe=self._probe,
        )

    def _check_selection(self, selection: SelectionConfig, training: TrainingConfig) -> None:
        try:
            check_image_selection(selection, self.images, training.batch_size)
            steps = step_count(training, selection, self.images)
        except ValueError as error:
            raise StudyError(str(error)) from error
        if selection.method in LOOKING_METHODS and steps < 1:
            raise StudyError(
                f"training.samples: got {training.samples}, which {selection.method} sees before its first step: "
                "it embeds images to choose from, and they count"
            )

    def load(self, task: ImagesTask, data_root: Path | None) -> None:
        """Decode the data set."""
        load_dataset(task.data, data_root)

    def metric(self, records: "pd.DataFrame") -> "Metric":
        """A failed trial counts as guessing."""
        from analysis.metric import Metric

        return Metric(name=self._spec.metric, worst=self.chance)

    @property
    def chance(self) -> float:
        """What guessing scores: of retrieval 1 in the test images, of its released form 1 in the corruptions."""
        if self._spec.metric.startswith("retrieval_released"):
            return 1 / self._corruptions()
        if self._spec.metric.startswith("retrieval"):
            return 1 / self.data.n_test
        return 1 / len(self.data.classes)

    def _corruptions(self) -> int:
        from trainables.evaluation.corruptions.built_in import BUILT_IN  # imports torch

        return len(published_files(self._probe, self.data, self._data_root) or BUILT_IN)

    def described(self) -> dict[str, Any]:
        """Data, encoder and training in words."""
        data, encoder = self.data, self._spec.encoder
        return {
            "data": f"{data.name}: {data.n_train} training, {data.n_val} validation and {data.n_test} test "
            f"images, {data.channels} x {data.size} x {data.size}, {len(data.classes)} classes",
            "encoder": f"{encoder.name}, projection to {encoder.projection_dim} dimensions",
            "training": _describe_training(self._spec),
        }

    def steps(self, task: ImagesTask) -> int:
        """Optimiser steps of the whole budget."""
        return step_count(task.training, task.selection, self.images)

    def stack_limit(self, task: ImagesTask) -> int:
        """See `network_stack_limit`."""
        return network_stack_limit(task, self.pixels)


def network_stack_limit(task: ImagesTask, pixels: int) -> int:
    """The most trials that are worth training as one on a CPU, on images of so many pixels.

    Trials whose batches depend on their own network train alone.
    """
    if task.encoder.name not in _SMALL_ENCODERS or task.selection.method in LOOKING_METHODS:
        return 1
    pairs = _PAIRS_A_STEP * _PIXELS // max(_PIXELS, pixels)
    return max(1, min(_LARGEST_STACK, pairs // task.training.batch_size))


def _checked_training(values: Mapping[str, Any]) -> dict[str, Any]:
    """What was swept obeys the same rules as what was fixed."""
    check_rate(values["lr"])
    try:
        section = TrainingSection.model_validate(
            {name: values[name] for name in TrainingSection.model_fields}
        )
    except ValidationError as error:
        raise StudyError(f"axes.{describe_fault(error)}") from error
    return section.model_dump()


def _check_probes(spec: ImagesSpec, data: DatasetInfo) -> None:
    for probe in spec.probe.suite:
        shots = LABELS_A_CLASS.get(probe, 0)
        if shots > data.smallest_class:
            raise StudyError(
                f"probe.suite: got {probe}, which needs {shots} labelled images a class; the rarest class of "
                f"these {data.n_train} training images has {data.smallest_class}"
            )


def _describe_training(spec: ImagesSpec) -> str:
    training = spec.training
    given = [f"{getattr(training, name)} {name}" for name in BUDGETS if getattr(training, name)]
    budget = "budget swept" if set(BUDGETS) & set(spec.axes) else given[0]
    return (
        f"{budget}, {training.optimizer.upper()} with momentum {training.momentum:g}, learning rate by the "
        f"{training.lr_rule} rule over batch size / {training.lr_reference_batch}, warm-up over "
        f"{100 * training.warmup_fraction:g} % of the steps, then cosine; {training.precision}"
    )
