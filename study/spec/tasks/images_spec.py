"""The keys of a study file for task `images`, and what contradicts each other among them."""

from typing import Literal

from pydantic import Field, model_validator

from study.spec.schema import DataSection, EncoderSection, ProbeSection, StudySpec, TrainingSection
from trainables.config import BUDGETS
from trainables.store.schema import METRICS


class ImagesSpec(StudySpec):
    """Contrastive pre-training on images, then evaluation of the frozen encoder."""

    task: Literal["images"] = Field(default="images", description="What a trial does.")
    metric: Literal[METRICS] = Field(  # type: ignore[valid-type]
        default="probe10_accuracy",
        description="A metric of a probe in `probe.suite`. Its validation score selects; its test score is reported.",
    )
    data: DataSection
    encoder: EncoderSection
    training: TrainingSection
    probe: ProbeSection = ProbeSection()

    @model_validator(mode="after")
    def _measured(self) -> "ImagesSpec":
        if self.metric.removesuffix("_accuracy") not in self.probe.suite:
            raise ValueError(
                f"metric: got '{self.metric}', which probe.suite {list(self.probe.suite)} does not measure"
            )
        self._check_warmup()
        if self.probe.knn_weights == "exponential" and self.probe.knn_distance == "euclidean":
            raise ValueError(
                "probe.knn_weights: got 'exponential', must be uniform with knn_distance = euclidean, "
                "because exponential weights are those of the cosine"
            )
        if self.keep.curve_points or self.keep.embeddings:
            raise ValueError("keep: curve_points and embeddings are only for task sphere")
        if self.data.validation == "none" and (asked := self._needs_validation()):
            raise ValueError(f"{asked} needs validation scores, and data.validation is none")
        if self.search.early_stopping:
            self._check_rungs(self.search.early_stopping.min_resource)
        return self

    def _check_warmup(self) -> None:
        """Raise `ValueError` if the warm-up is given in two ways."""
        given = "warmup_fraction" in self.swept | self.training.model_fields_set
        if given and self.training.warmup_epochs is not None:
            raise ValueError(
                f"training.warmup_epochs: got {self.training.warmup_epochs}, and warmup_fraction is given too; give "
                "one of them"
            )

    def _needs_validation(self) -> str:
        """The first key whose value needs validation scores, with the value; "" without one."""
        asked = {
            "training.evaluated_epoch = best_validation": self.training.evaluated_epoch == "best_validation",
            "search.early_stopping": self.search.early_stopping is not None,
            f"search.design = {self.search.design}": self.search.chosen.adaptive,
            "keep.encoders = best": self.keep.encoders == "best",
            "keep.curve_epochs": self.keep.curve_epochs is not None,
        }
        return next((words for words, needed in asked.items() if needed), "")

    def _check_rungs(self, first: int) -> None:
        """Raise `ValueError` unless all trials have one budget and the first rung is below it.

        With different budgets, trials at the same rung are at different points of their learning-rate schedules, so
        their scores cannot be compared.
        """
        where = "search.early_stopping"
        for swept in (self.axes, *self.losses.values()):
            if budgets := [name for name in BUDGETS if name in swept]:
                raise ValueError(
                    f"{where}: needs one budget, in [training], but {budgets[0]} is among the axes"
                )
        unit = next(name for name in BUDGETS if getattr(self.training, name) is not None)
        budget = getattr(self.training, unit)
        if first >= budget:
            raise ValueError(
                f"{where}.min_resource: got {first}, must be below the budget, training.{unit} = {budget}"
            )
