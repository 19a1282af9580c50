"""The task `images` for studies: its study-file keys, its configurations, its data, and its texts for the report."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_spaces.axes import Axis
from search_spaces.space import Point
from search_spaces.spaces import TUNED_ON, LossSpace
from study.errors import AbsentData, StudyError
from study.spec.arm_space import LR_KEY
from study.spec.schema import EncoderSection, TrainingSection
from study.spec.section import config_of
from study.spec.tasks.image_memory import least_memory_of
from study.spec.tasks.images_spec import ImagesSpec
from study.spec.tasks.points import LEAST_BATCH, by_table, one_budget, raise_missing_rates, selection_of
from study.spec.tasks.protocol import StudyTask
from study.spec.tasks.training_words import encoder_words, training_words
from study.spec.tasks.views import check_views, chosen_views
from trainables.config import (
    ADAMS,
    BUDGETS,
    DataConfig,
    EncoderConfig,
    ImagesTask,
    ProbeConfig,
    Provenance,
    Scalar,
    SelectionConfig,
    TrainingConfig,
)
from trainables.datasets.datasets import DATASETS, DatasetInfo, describe_dataset, load_dataset, try_dataset
from trainables.datasets.source import AbsentDataError
from trainables.encoders.encoders import check_encoder, check_encoder_name
from trainables.evaluation.corruptions.published import corruptions_fingerprint, published_files
from trainables.evaluation.probes import PROBE_OF_METRIC, PROBES
from trainables.evaluation.probes.knn import MONITORED_IMAGES
from trainables.runtime import FUSED
from trainables.selection.kinds import LOOKING_METHODS
from trainables.selection.rounds import check_image_selection, step_count
from trainables.settings import declared_fields
from trainables.training.schedule import check_warmup
from trainables.views.recipes import ViewChoice

if TYPE_CHECKING:
    import pandas as pd

    from analysis.model.metric import Metric

#: Encoders whose steps on a CPU are so small that dispatch costs as much as arithmetic.
_SMALL_ENCODERS = frozenset({"small_conv"})

#: A stack with more members is not faster (measured: `python -m tests.benchmarks.bench_stacking`).
_LARGEST_STACK = 16

#: Pairs per step of all members together, for images of up to 16x16 pixels. With more pairs, caches overflow and
#: stacks are slower.
_PAIRS_A_STEP = 512
_PIXELS = 16 * 16

#: What is said of the evaluated epoch, by its setting.
_EPOCHS = {
    "last": "",
    "best_validation": "; evaluated at the epoch with the best nearest-neighbour accuracy on validation images",
    "best_test": "; evaluated at the epoch with the best nearest-neighbour accuracy on test images",
}

#: The settings whose default values were those of the sweep behind the default rates, besides `TUNED_ON`.
_TUNED_WITH = [
    each
    for each in declared_fields(ImagesTask)
    if each.path
    in {
        *(f"encoder.{name}" for name in ("head_hidden", "head_hidden_batch_norm", "head_batch_norm")),
        *(f"training.{name}" for name in ("lr_reference_batch", "weight_decay", "decayed", "momentum")),
        *(f"training.{name}" for name in ("lr_schedule", "schedule_by", "warmup_fraction", "warmup_epochs")),
    }
]


class ImagesStudy(StudyTask):
    """Pre-training on one data set and evaluation of the frozen encoder. Raises `StudyError` for unsuitable data."""

    spec_type = ImagesSpec
    config_type = ImagesTask
    runs_concurrently = True
    has_execution_modes = True

    def __init__(self, spec: ImagesSpec, data_root: Path | None) -> None:
        self._spec, self._probe, self._data_root = (
            spec,
            config_of(ProbeConfig, spec.probe.model_dump()),
            data_root,
        )
        self._data = config_of(DataConfig, spec.data.model_dump(exclude={"views", "views_form"}))
        self._info: DatasetInfo | None = None
        self._absent = ""  # what is absent and how to get it; "" if nothing is
        try:
            check_encoder_name(spec.encoder.name)
            chosen_views(spec.data.views, "none")  # checks what needs no data
            self._open(spec, data_root)
        except AbsentDataError as error:
            self._absent = f"{error}{_download_hint(spec.data.name, str(error))}"
        except ValueError as error:
            raise StudyError(str(error)) from error

    def _open(self, spec: ImagesSpec, data_root: Path | None) -> None:
        """Describe the data, and check what depends on it. Raises `AbsentDataError` and other `ValueError`s."""
        self._info = info = describe_dataset(self._data, data_root)
        check_views(spec.data.views, info)
        try_dataset(self._data, data_root)
        check_encoder(spec.encoder.name, channels=info.channels, size=info.size)
        self.images, self.pixels = info.n_pretraining, info.size**2
        _check_probes(spec, info)
        corruptions = corruptions_fingerprint(self._probe, info, data_root)
        self.origin = Provenance(data_fingerprint=info.fingerprint, corruptions_fingerprint=corruptions)

    @property
    def data(self) -> DatasetInfo:
        """The data set. Raises `AbsentData` without it."""
        if self._info is None:
            raise AbsentData(self._absent)
        return self._info

    @property
    def notes(self) -> tuple[str, ...]:
        """Which files of the data set are not read, what was chosen by a rule, and what test images choose."""
        found = [f"data {self.data.name}: {note}" for note in self.data.notes]
        if not self._data.holds_out:
            found.append("data.validation is none, so nothing can be selected: there will be no tuned scores")
        if self._spec.training.evaluated_epoch == "best_test":
            found.append("training.evaluated_epoch is best_test: test images choose, so scores are too high")
        if self._spec.resources.execution == FUSED and not self._fuses():
            found.append(
                "resources.execution is fused, which cannot make these views: they are made as in eager"
            )
        return tuple(found)

    def _fuses(self) -> bool:
        """Whether the mode `fused` can make the study's views."""
        from trainables.views.batched import build_views  # imports torch
        from trainables.views.fused import can_fuse

        data, form = self.data, self._spec.data.views_form
        return can_fuse(build_views(self._views(), channels=data.channels, size=data.size, form=form))

    def require_data(self) -> None:
        """Raise `AbsentData` if the data set, or the published corruptions that a probe uses, are absent."""
        if self._absent:
            raise AbsentData(self._absent)

    def rates(self, label: str, shared: Mapping[str, Axis]) -> Mapping[str, Axis]:
        """The shared axes. With Adam, the study must give the rates, because the default rates are for SGD.

        Raises `MissingRate` with the names of all losses without a rate.
        """
        optimizer = self._spec.training.optimizer
        if optimizer in ADAMS and LR_KEY not in shared:
            raise_missing_rates(
                self._spec.losses,
                f"the default rates are for SGD, and training.optimizer is {optimizer}; give lr in [axes], or in the "
                "table of each loss",
            )
        return shared

    def check_points(self, loss: str, points: Sequence[Point]) -> None:
        """Raise `StudyError` unless every configuration has a batch size of at most the number of training images.

        Without the data, that number is not known.
        """
        for size in dict.fromkeys(point.get("batch_size") for point in points):
            if size is None:
                raise StudyError("axes.batch_size: is missing; give at least one batch size")
            if self._info and size > self.images:  # type: ignore[operator]  # the value is a number
                raise StudyError(
                    f"{self.place('batch_size')}: got {size!r}, must be a whole number from {LEAST_BATCH} to "
                    f"{self.images}, the training images of {self.data.name}"
                )

    def embeddings(self, swept: Point) -> tuple[tuple[Scalar | None, ...], Scalar | None]:
        """The batch size and the projection dimension of a configuration."""
        return (swept.get("batch_size"),), swept.get("projection_dim", self._spec.encoder.projection_dim)

    def build(self, swept: Point) -> ImagesTask:
        """The task of a configuration with these swept values."""
        selection = selection_of(self._spec.selection, swept)
        tables = by_table(ImagesTask, swept)
        values = one_budget(self._spec.training.model_dump(), tables["training"])
        values |= TrainingSection.model_validate(
            {name: values[name] for name in TrainingSection.model_fields}
        ).model_dump()
        values["batch_size"] = int(values["batch_size"])
        self._check_selection(selection, config_of(TrainingConfig, values))
        return ImagesTask(
            # The chosen classes are in the data set's order, so that the same images give the same trial however the
            # study file lists the classes.
            data=dataclasses.replace(
                self._data, classes=self.data.classes if self._spec.data.classes else ()
            ),
            views=self._views(),
            views_form=self._spec.data.views_form,
            encoder=_encoder(self._spec.encoder, tables["encoder"]),
            training=config_of(TrainingConfig, values),
            selection=selection,
            probe=self._probe,
        )

    def _views(self) -> ViewChoice:
        section = self._spec.data.views
        needs_data = section is None or section.base is None
        return chosen_views(section, self.data.views if needs_data else "none")

    def _check_selection(self, selection: SelectionConfig, training: TrainingConfig) -> None:
        try:
            check_image_selection(selection, self.images, training.batch_size)
            steps = step_count(training, selection, self.images)
        except ValueError as error:
            raise self.placed(error) from error
        if selection.method in LOOKING_METHODS and steps < 1:
            raise StudyError(
                f"{self.place('samples')}: got {training.samples}, which {selection.method} uses up before its "
                "first step: it embeds images to choose batches from, and these images count"
            )
        if steps < 1:
            raise StudyError(
                f"{self.place('samples')}: got {training.samples}, must be at least one batch of "
                f"{training.batch_size} images"
            )
        try:
            check_warmup(training, steps, self.images, self._swept_budget(training))
        except ValueError as error:
            raise StudyError(str(error)) from error

    def _swept_budget(self, training: TrainingConfig) -> str:
        """The budget of a trial for messages, with its place and value if it is swept."""
        name = next(name for name in BUDGETS if getattr(training, name) is not None)
        if name not in self._spec.swept:
            return "the budget"
        place = f"axes.{name}" if name in self._spec.axes else f"{name} of a point"
        return f"the budget, {place} = {getattr(training, name)}"

    def load(self, task: ImagesTask, data_root: Path | None) -> None:
        """Decode the data set."""
        load_dataset(task.data, data_root)

    def lacks(self, column: str) -> str:
        """Also for a probe that does not run, validation without a split, and a best epoch that nothing chooses."""
        split, _, metric = column.partition("_")
        if probe := PROBE_OF_METRIC.get(metric):
            if probe.name not in self._probe.suite:
                return f"which needs {probe.name} in probe.suite"
            if split == "val" and not self._data.holds_out:
                return "which needs validation images, and data.validation is none"
        if column == "best_epoch" and self._spec.training.evaluated_epoch == "last":
            return "and training.evaluated_epoch is last"
        return super().lacks(column)

    def metric(self, records: "pd.DataFrame") -> "Metric":
        """The metric of the study.

        A failed trial has the score of guessing. Without validation data, no score may choose a configuration.
        """
        from analysis.model.metric import NO_VALIDATION, Metric

        found = Metric(name=self._spec.metric, worst=self.chance)
        if self._data.holds_out:
            return found
        return dataclasses.replace(found, selects=found.reporting_column, no_choice=NO_VALIDATION)

    @property
    def chance(self) -> float:
        """The accuracy of guessing: 1 over the number of options that the metric's probe chooses from."""
        match PROBE_OF_METRIC[self._spec.metric].guesses_among:
            case "corruptions":
                return 1 / self._corruptions()
            case "images":
                return 1 / self.data.n_test
            case "classes":
                return 1 / len(self.data.classes)

    def _corruptions(self) -> int:
        from trainables.evaluation.corruptions.built_in import BUILT_IN  # imports torch

        return len(published_files(self._probe, self.data, self._data_root) or BUILT_IN)

    def tuned_rate(self, space: LossSpace, task: ImagesTask) -> tuple[str, bool]:
        """The source of a default rate, and whether it was tuned on this task.

        Default rates were tuned on one data set and encoder, with the default values of `_TUNED_WITH`, with the data
        set's own views and a validation split; other tasks use the same rates.
        """
        here = {"data": task.data.name, "encoder": task.encoder.name, "lr_rule": task.training.lr_rule}
        here["optimizer"] = task.training.optimizer
        if here != TUNED_ON:
            return f"carried over from {TUNED_ON['data']}, not tuned here", False
        as_tuned = all(each.value_of(task) == each.default for each in _TUNED_WITH)
        if not (as_tuned and task.views == self.data.views and task.data.holds_out):
            return "carried over from another protocol on this data, not tuned here", False
        return space.lr_source, True

    def described(self) -> dict[str, Any]:
        """`data`, `encoder` and `training` in words."""
        data, encoder = self.data, self._spec.encoder
        return {
            "data": f"{data.name}: {data.n_train} training, {data.n_val or 'no'} validation and {data.n_test} test "
            f"images, {data.channels} x {data.size} x {data.size}, {len(data.classes)} classes",
            "encoder": encoder_words(encoder),
            "training": training_words(self._spec.training, _budget_words(self._spec), self._spec.swept)
            + _EPOCHS[self._spec.training.evaluated_epoch],
        }

    def steps(self, task: ImagesTask) -> int:
        """Optimiser steps of the whole budget."""
        return step_count(task.training, task.selection, self.images)

    def least_memory(self, task: ImagesTask) -> dict[str, int]:
        """See `least_memory_of`."""
        return least_memory_of(task, self.data, batch_size=self.place("batch_size"))

    def stack_limit(self, task: ImagesTask) -> int:
        """See `network_stack_limit`."""
        return network_stack_limit(task, self.pixels)


def network_stack_limit(task: ImagesTask, pixels: int) -> int:
    """The largest useful stack of trials on a CPU, for images of `pixels` pixels.

    The limit is 1, that is no stacking, for large encoders and for trials whose batches depend on their own network.
    """
    if task.encoder.name not in _SMALL_ENCODERS or task.selection.method in LOOKING_METHODS:
        return 1
    pairs = _PAIRS_A_STEP * _PIXELS // max(_PIXELS, pixels)
    return max(1, min(_LARGEST_STACK, pairs // task.training.batch_size))


def _download_hint(name: str, said: str) -> str:
    """How to download a published data set, unless the message says it already; "" for other data sets."""
    entry = DATASETS.get(name)
    if entry is None or entry.download is None or "--download" in said:
        return ""
    return f"; `study data {name} --data-root FOLDER --download` downloads it"


def _encoder(section: EncoderSection, swept: Point) -> EncoderConfig:
    """The encoder with its swept values."""
    return config_of(EncoderConfig, section.model_dump() | swept)


def _check_probes(spec: ImagesSpec, data: DatasetInfo) -> None:
    for probe in spec.probe.suite:
        shots = PROBES[probe].labels_a_class
        if shots > data.smallest_class:
            raise StudyError(
                f"probe.suite: got {probe}, which needs {shots} labelled images per class; the rarest class of "
                f"these {data.n_train} training images has {data.smallest_class}"
            )
    monitored = spec.keep.curve_epochs is not None or spec.search.early_stopping is not None
    images = min(data.n_train, MONITORED_IMAGES) if monitored else data.n_train
    chosen = spec.training.evaluated_epoch != "last"
    equal_votes = spec.probe.knn_weights == "uniform"
    used = monitored or chosen or any("knn_k" in PROBES[probe].settings for probe in spec.probe.suite)
    if used and equal_votes and spec.probe.knn_k >= images:
        raise StudyError(
            f"probe.knn_k: got {spec.probe.knn_k}, must be below {images}, the labelled training images that are "
            "searched: if all of them vote, every encoder scores the same"
        )


def _budget_words(spec: ImagesSpec) -> str:
    from analysis.wording import counted  # imports pandas

    if set(BUDGETS) & spec.swept:
        return "budget swept"
    name, count = next((name, count) for name in BUDGETS if (count := getattr(spec.training, name)))
    return counted(count, name.removesuffix("s"))
